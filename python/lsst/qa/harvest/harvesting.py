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

"""Harvesting: what the quanta of collections took and logged."""

from __future__ import annotations

__all__ = ["HarvestReport", "harvest"]

import contextlib
import dataclasses
import functools
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from lsst.daf.butler import Butler, ButlerUserError
from lsst.resources import ResourcePath

from ..errors import CollectionError, InputError
from ..store.database import connect, exists
from ..store.repository import existing_collections, open_repository, uris
from .files import Pair, pairs, read_pair
from .found import Found, rows_of
from .graphs import GRAPH_TYPE, graph_quanta
from .policy import Policy
from .writing import held_quanta, now, run_number, write_quanta

_AT_ONCE = 200  # quanta of a transaction
_CUT = ("below", "over", "shortened")
_THREADS = 4  # files are small: the time goes to waiting and to Python


@dataclasses.dataclass(frozen=True)
class HarvestReport:
    """What a harvest did.

    Attributes
    ----------
    quanta, records : `int`
        How many quanta, with how many log records, are new in the database
        or replaced.
    unchanged : `int`
        How many quanta it already held as they are.
    states : `dict` [`str`, `int`]
        How many of the new ones there are of each status.
    below, over, shortened : `int`
        Log records of the new ones that are not kept because of their
        level, not kept because there are too many or they cannot be read,
        and kept in part.
    runs : `tuple` [`str`, ...]
        Runs that they belong to.
    unreadable : `tuple` [`str`, ...]
        Which files cannot be read, or in part only, and why.
    """

    quanta: int
    records: int
    unchanged: int
    states: dict[str, int]
    below: int
    over: int
    shortened: int
    runs: tuple[str, ...]
    unreadable: tuple[str, ...] = ()


def harvest(
    repo: str,
    collections: Sequence[str],
    url: str,
    *,
    where: str = "",
    policy: Policy | None = None,
    dry_run: bool = False,
    progress: Callable[[int], None] | None = None,
) -> HarvestReport:
    """Read what the quanta of collections took and logged into a database.

    A quantum that the database holds as it is, is left alone; one that was
    tried again replaces what is held of it. So a harvest can be repeated,
    and several can run at once.

    Parameters
    ----------
    repo : `str`
        Path, URI or alias of a Butler repository.
    collections : `~collections.abc.Sequence` [`str`]
        Names or patterns of collections; of a chain all runs count.
    url : `str`
        Metrics database, see `lsst.qa.store.database.connect`; made if it
        does not exist.
    where : `str`, optional
        Butler expression that the data IDs must fulfil. Quanta that left
        neither log nor metadata, which only provenance graphs tell of, are
        then left aside.
    policy : `Policy`, optional
        What is kept of the logs.
    dry_run : `bool`, optional
        Read all, write nothing.
    progress : `~collections.abc.Callable`, optional
        Is told now and then how many quanta are done.

    Returns
    -------
    report : `HarvestReport`
        What was done, or with ``dry_run`` would have been.

    Raises
    ------
    CollectionError
        Raised if there is no such repository, no such collection, or no
        metadata, log or provenance graph in the collections.
    DatabaseError
        Raised if the database does not answer or is not one of metrics.
    InputError
        Raised if ``where`` is not an expression.
    """
    chosen, unreadable = policy or Policy(), list[str]()
    counts: Counter[str] = Counter()
    states: Counter[str] = Counter()
    named: list[str] = []
    with contextlib.ExitStack() as stack:
        butler, root = open_repository(repo)
        stack.callback(butler.close)
        runs = _runs(butler, collections)
        engine = None if dry_run and not exists(url) else connect(url, create=not dry_run)
        if engine is not None:
            stack.callback(engine.dispose)
        for run in runs:
            held = {} if engine is None else held_quanta(engine, run)
            number: int | None = None
            for some in _batches(butler, run, where, held, chosen, unreadable.append):
                new = [found for found in some if found is not None]
                counts.update(quanta=len(new), unchanged=len(some) - len(new))
                states.update(found.status for found in new)
                rows = [rows_of(found, now()) for found in new]
                for made in rows:
                    counts["records"] += len(made.records)
                    counts.update({name: made.quantum[f"n_{name}"] for name in _CUT})
                if rows and engine is not None and not dry_run:
                    number = number or run_number(engine, run, root, ",".join(collections))
                    write_quanta(engine, number, rows)
                if run not in named:
                    named.append(run)
                if progress is not None:
                    progress(counts["quanta"] + counts["unchanged"])
    if not named:
        raise CollectionError(
            f"There are no quanta in {', '.join(collections)}{' where ' if where else ''}{where}: looked for "
            f"datasets *_metadata, *_log and {GRAPH_TYPE}, which 'pipetask run' and 'bps submit' leave."
        )
    return HarvestReport(
        counts["quanta"],
        counts["records"],
        counts["unchanged"],
        dict(sorted(states.items())),
        counts["below"],
        counts["over"],
        counts["shortened"],
        tuple(named),
        tuple(unreadable),
    )


def _runs(butler: Butler, collections: Sequence[str]) -> list[str]:
    """Return the runs of collections and of chains among them, each once."""
    named = existing_collections(butler, collections)
    found = butler.collections.query_info(named, flatten_chains=True)
    return [info.name for info in found if info.type.name == "RUN"]


def _batches(
    butler: Butler,
    run: str,
    where: str,
    held: Mapping[tuple[str, str], str],
    policy: Policy,
    told: Callable[[str], None],
) -> Iterator[list[Found | None]]:
    """Read the quanta of a run, some at a time; None for the unchanged."""
    seen: set[tuple[str, str]] = set()
    for uri, wanted in _graphs(butler, run, where):
        for some in graph_quanta(uri, lambda *key: held.get(key), policy, wanted):
            seen.update((task, words) for task, words, _ in some)
            yield [found for _, _, found in some]
    with ThreadPoolExecutor(_THREADS) as pool:
        for task, listed in _pairs(butler, run, where):
            left = [pair for pair in listed if (task, pair.words) not in seen]
            for start in range(0, len(left), _AT_ONCE):
                some_pairs = left[start : start + _AT_ONCE]
                places = uris(butler, [ref for pair in some_pairs for ref in pair.refs])
                read = functools.partial(
                    read_pair,
                    uris=places,
                    known=lambda pair: held.get((pair.task, pair.words)),
                    policy=policy,
                    told=told,
                )
                yield list(pool.map(read, some_pairs))


def _pairs(butler: Butler, run: str, where: str) -> Iterator[tuple[str, list[Pair]]]:
    try:
        yield from pairs(butler, run, where)
    except ButlerUserError as error:
        raise InputError(f"The expression {where!r} does not select datasets: {error}") from error


def _graphs(butler: Butler, run: str, where: str) -> Iterator[tuple[ResourcePath, set[uuid.UUID] | None]]:
    """List the provenance graphs of a run, and what is wanted of each."""
    (info,) = butler.collections.query_info(run, include_summary=True)
    if GRAPH_TYPE not in (info.dataset_types or ()):
        return
    refs = butler.query_datasets(GRAPH_TYPE, run, find_first=False, explain=False)
    wanted = None
    if where:
        wanted = {ref.id for _, listed in _pairs(butler, run, where) for pair in listed for ref in pair.refs}
    for uri in uris(butler, refs).values():
        yield uri, wanted
