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

"""From a repository to targets and back, as the command line does it."""

from __future__ import annotations

import json
import os
import tempfile
import unittest
import unittest.mock as mock
from pathlib import Path

from click.testing import CliRunner, Result
from support_proxy import Proxy
from support_store import OnSqlite, Survey, contents, row, visit_rows

from lsst.qa.cli.publish import publish_command
from lsst.qa.errors import CollectionError, InputError
from lsst.qa.publish.publishing import naming_of
from lsst.qa.publish.settings import Settings
from lsst.qa.publish.shelf import open_shelf
from lsst.qa.store import gathered as gathering
from lsst.qa.store import repository_source
from lsst.qa.store.database import connect
from lsst.qa.store.load import load

RUN = "u/me/20261122T050000Z"


class PublishTestCase(OnSqlite, unittest.TestCase):
    """The command, on a repository with twelve visits and a tract."""

    @classmethod
    def setUpClass(cls) -> None:
        super().setUpClass()
        place = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        cls.survey = Survey(str(place / "repo"), cls)
        cls.survey.add_visits(range(1, 20))
        refs = cls.survey.put_visits(RUN, range(1, 13))
        cls.survey.gather("u/me/gathered/20261122T060000Z", refs)
        tract = [row("PA1", 2.5, tract=3, skymap="sky"), row("AM1", float("nan"), tract=3, skymap="sky")]
        cls.survey.put(RUN, "qa_object_metrics", tract, skymap="sky", tract=3)

    def setUp(self) -> None:
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.out = f"file://{self.folder}/out.jsonl"

    def run_command(self, *arguments: str, code: int = 0) -> Result:
        """Run the command and expect an exit code."""
        arguments = tuple(arguments) + (() if "--db" in arguments else ("--db", self.url))
        result = CliRunner().invoke(publish_command, arguments, catch_exceptions=False)
        self.assertEqual(result.exit_code, code, result.output)
        return result

    def publish(self, *arguments: str, code: int = 0, run: str = RUN) -> Result:
        """Publish the run."""
        return self.run_command(self.survey.root, run, *arguments, code=code)

    def test_once(self) -> None:
        said = self.publish("--to", self.out)
        self.assertIn("13 acknowledged; sent 74 records", said.output)
        lines = (self.folder / "out.jsonl").read_text().splitlines()
        self.assertEqual(len({json.loads(line)["value"]["record_id"] for line in lines}), 74)
        self.assertIn("sent 0 records", self.publish("--to", self.out).output)
        self.assertEqual(len((self.folder / "out.jsonl").read_text().splitlines()), 74)
        said = self.publish("--to", self.out, "--verify")
        self.assertIn("74 of 74 records are there; 0 missing", said.output)

    def test_selection(self) -> None:
        self.publish("--to", self.out, "--where", "instrument='Cam' AND visit IN (2, 3)")
        self.assertEqual(len((self.folder / "out.jsonl").read_text().splitlines()), 12)
        self.assertIn("13 acknowledged; sent 62", self.publish("--to", self.out).output)

    def test_gathered_table(self) -> None:
        """Its rows are those of the datasets that it gathered, and each goes
        out once, whichever way it comes.
        """
        gathered = "u/me/gathered/20261122T060000Z"
        self.assertIn("12 acknowledged; sent 72", self.publish("--to", self.out, run=gathered).output)
        first = (self.folder / "out.jsonl").read_text().splitlines()
        self.assertIn("13 acknowledged; sent 2", self.publish("--to", self.out).output)
        self.assertIn("72 of 72", self.publish("--to", self.out, "--verify", run=gathered).output)
        other = f"file://{self.folder}/other.jsonl"
        self.publish("--to", other)
        second = (self.folder / "other.jsonl").read_text().splitlines()
        self.assertEqual({line for line in first if "source" in line}, set(second) & set(first))
        self.assertEqual(len(set(first)), 72)
        both = f"file://{self.folder}/both.jsonl"
        self.run_command(self.survey.root, RUN, gathered, "--to", both)
        self.assertEqual(sorted((self.folder / "both.jsonl").read_text().splitlines()), sorted(second))

    def test_gathered_table_in_windows(self) -> None:
        """However small the part of it that is in memory."""
        gathered = "u/me/gathered/20261122T060000Z"
        with mock.patch.object(gathering, "BATCH_ROWS", 13):
            self.publish("--to", self.out, run=gathered)
        self.assertIn("72 of 72", self.publish("--to", self.out, "--verify", run=gathered).output)

    def test_database_is_like_a_load(self) -> None:
        loaded = f"sqlite:///{self.folder}/loaded.sqlite3"
        published = f"sqlite:///{self.folder}/published.sqlite3"
        load(self.survey.root, [RUN], loaded)
        self.publish("--to", published)
        engines = [connect(url) for url in (loaded, published)]
        try:
            first, second = map(contents, engines)
        finally:
            for engine in engines:
                engine.dispose()
        self.assertEqual(first, second)
        self.assertEqual(len(first), 74)
        self.assertIn("74 of 74", self.publish("--to", published, "--verify").output)

    def test_ledger_lost(self) -> None:
        """It is rebuilt from the target; nothing is sent twice."""
        self.publish("--to", self.out, "--where", "instrument='Cam' AND visit > 4")
        lost = f"sqlite:///{self.folder}/other.sqlite3"
        said = self.publish("--to", self.out, "--rebuild-ledger", "--db", lost)
        self.assertIn("48 of 74", said.output)
        self.assertIn("13 acknowledged; sent 26 records", self.publish("--to", self.out, "--db", lost).output)
        self.assertEqual(len((self.folder / "out.jsonl").read_text().splitlines()), 74)

    def test_ledger_lost_and_not_rebuilt(self) -> None:
        """A file is asked what it holds: nothing is written twice."""
        for name in ("out.jsonl", "out.avro"):
            with self.subTest(name=name):
                out = f"file://{self.folder}/{name}"
                self.publish("--to", out, "--where", "instrument='Cam' AND visit > 4")
                lost = f"sqlite:///{self.folder}/{name}.sqlite3"
                self.assertIn("13 acknowledged", self.publish("--to", out, "--db", lost).output)
                said = self.publish("--to", out, "--verify").output
                self.assertIn("74 of 74 records are there; 0 missing, 0 different, 0 more than once", said)

    def test_verify_finds_differences(self) -> None:
        self.publish("--to", self.out)
        path = self.folder / "out.jsonl"
        lines = path.read_text().splitlines()
        changed = json.loads(lines[5])
        changed["value"]["value"] = 0.0
        path.write_text("\n".join([*lines[:5], json.dumps(changed), *lines[7:], lines[-1]]) + "\n")
        (said,) = json.loads(self.publish("--to", self.out, "--verify", "--json", code=1).output)
        self.assertEqual((said["missing"], said["different"], said["doubled"]), (1, 1, 1))
        self.assertEqual((said["found"], said["records"]), (72, 74))
        self.assertLessEqual(len(said["incomplete"]), 3)

    def test_dry_run(self) -> None:
        said = self.publish("--to", self.out, "--dry-run")
        self.assertIn("would send 74 records of 13 datasets", said.output)
        self.assertFalse((self.folder / "out.jsonl").exists())
        self.publish("--to", self.out)
        (said,) = json.loads(self.publish("--to", self.out, "--dry-run", "--json").output)
        self.assertEqual((said["datasets"], said["done"]), (0, 13))

    def test_dead_and_status(self) -> None:
        run = "u/me/twins/20261122T050000Z"
        self.survey.put_visits(run, [14, 15])
        twins = [*visit_rows(13, 1), *visit_rows(13, 1)]
        self.survey.put(run, "qa_source_metrics", twins, instrument="Cam", visit=13)
        self.assertIn("1 dead", self.publish("--to", self.out, code=1, run=run).output)
        self.assertIn("another row", self.run_command("--dead", "list", code=1).output)
        (status,) = json.loads(self.run_command("--status", "--json").output)
        self.assertEqual((status["counts"]["dead"], status["counts"]["acknowledged"]), (1, 2))
        self.assertIn("another row", status["last_error"])
        self.assertIn("1 datasets will be tried again", self.run_command("--dead", "retry").output)
        self.publish("--to", self.out, code=1, run=run)
        self.run_command("--dead", "drop", "--to", self.out)
        self.assertIn("2 acknowledged, 1 dropped", self.publish("--to", self.out, run=run).output)

    def test_several_targets(self) -> None:
        """One that is down leaves the others alone."""
        with Proxy(token="hush") as proxy:
            said = self.publish("--to", proxy.url, "--to", self.out, code=2)
            self.assertIn("401", said.output)
            self.assertIn("out.jsonl: 13 acknowledged", said.output)
            file = self.folder / "settings.yaml"
            (self.folder / "token").write_text("hush\n")
            known = {"targets": {"usdf": {"url": proxy.url, "token_file": str(self.folder / "token")}}}
            file.write_text(json.dumps(known))
            said = self.publish("--to", "usdf", "--settings", str(file))
            self.assertIn("13 acknowledged", said.output)
            self.assertEqual(sorted(proxy.topics), ["lsst.debug.qa.AM1", "lsst.debug.qa.PA1"])
            self.assertEqual(len(proxy.values()), 74)
        for path in (self.folder, Path(self.url.removeprefix("sqlite:///")).parent):
            for file in path.glob("*.sqlite3*"):
                self.assertNotIn(b"hush", file.read_bytes())

    def test_a_database_that_is_down(self) -> None:
        """It leaves the others alone; what is wrong is found before all."""
        down = "postgresql://me:hush@127.0.0.1:1/qa"
        said = self.publish("--to", down, "--to", self.out, code=2).output
        self.assertIn("127.0.0.1:1/qa: 13 pending", said)
        self.assertIn("out.jsonl: 13 acknowledged", said)
        self.assertNotIn("hush", said)
        with self.assertRaises(InputError):
            self.publish("--to", f"file://{self.folder}/other.jsonl", "--to", "file:///x.csv")
        self.assertFalse((self.folder / "other.jsonl").exists())

    def test_no_file_any_more(self) -> None:
        run = "u/me/short/20261122T050000Z"
        ref = self.survey.put(run, "qa_object_metrics", [row("PA1", 1.0)], skymap="sky", tract=4)
        self.survey.path(ref).write_bytes(b"PAR1 is not enough")
        said = self.publish("--to", self.out, code=1, run=run).output
        self.assertIn("1 dead", said)
        self.assertIn("'lsst-qa publish --dead list' says why", said)
        said = self.run_command("--dead", "list", code=1).output
        self.assertIn(str(ref.id), said)

    def test_gathered_table_cut_short(self) -> None:
        """Nothing says what it held, so somebody must be told."""
        run = "u/me/cut/20261122T050000Z"
        ref = self.survey.put(run, "qa_object_metrics", [row("PA1", 1.0)], skymap="sky", tract=5)
        gathered = self.survey.gather(run, [ref])
        self.survey.path(gathered).write_bytes(b"PAR1 is not enough")
        for arguments, expected in (
            (["--dry-run"], "would send 1 records"),
            ([], "1 acknowledged; sent 1 records"),
            (["--verify"], "1 of 1 records are there"),
        ):
            with self.subTest(arguments=arguments):
                said = self.publish("--to", self.out, *arguments, code=1, run=run).output
                self.assertIn(expected, said)
                self.assertIn(f"qa_gathered_metrics {gathered.id}", said)

    def test_misuse(self) -> None:
        self.run_command("--dry-run", "--verify", code=2)
        self.run_command(self.survey.root, RUN, code=2)
        for arguments, error, expected in (
            (("nowhere", RUN, "--to", self.out), CollectionError, "not a Butler repository"),
            ((self.survey.root, "u/mee/20261122T050000Z", "--to", self.out), CollectionError, "Did you mean"),
            ((self.survey.root, "--to", self.out), InputError, "Name the collections"),
            ((self.survey.root, RUN, "--to", self.out, "--where", "vist = 3"), InputError, "vist = 3"),
        ):
            with self.subTest(expected=expected), self.assertRaises(error) as caught:
                self.run_command(*arguments)
            self.assertIn(expected, str(caught.exception))

    def test_sequence_numbers_of_visits(self) -> None:
        """Where the repository knows a visit's number in its night."""
        record = next(iter(self.survey.butler.query_dimension_records("visit", instrument="Cam", visit=5)))
        changed = {**record.toDict(), "seq_num": 4321}
        self.survey.butler.registry.insertDimensionData("visit", changed, replace=True)
        shelf = self.enterContext(open_shelf(self.survey.root, [RUN]))
        list(shelf.read([planned.dataset for planned in shelf.planned]))
        self.assertEqual(shelf.sequence("Cam", 5), 4321)
        self.assertIsNone(shelf.sequence("Cam", 6))
        with mock.patch.object(repository_source, "_MOST_VISITS", 2):
            other = self.enterContext(open_shelf(self.survey.root, [RUN]))
            list(other.read([planned.dataset for planned in other.planned]))
        self.assertEqual(other.sequence("Cam", 5), 4321)


class SettingsTestCase(unittest.TestCase):
    """Settings by file and environment."""

    def load(self, text: str) -> Settings:
        """Read settings of this text."""
        folder = self.enterContext(tempfile.TemporaryDirectory())
        path = Path(folder, "settings.yaml")
        path.write_text(text)
        return Settings.load(None, {"QA_PUBLISH_SETTINGS": str(path)})

    def test_defaults(self) -> None:
        self.assertEqual(naming_of(Settings.load(None, {}), "kafka://x:1").namespace, "lsst.dm")

    def test_names(self) -> None:
        known = self.load("namespace: a\ntargets: {t: {url: 'influxdb://h:1/d?namespace=b', token: hush}}")
        self.assertEqual(naming_of(known, "t").namespace, "b")
        self.assertEqual(known.of("influxdb://h:1/d?namespace=b").secret(), "hush")
        self.assertNotIn("hush", repr(known) + str(known))

    def test_environment(self) -> None:
        said = {"QA_PUBLISH_TOKEN": "hush", "KAFKA_CLUSTER_CA_PATH": "/ca", "KAFKA_BOOTSTRAP_SERVERS": "b:1"}
        found = Settings().of("kafka://x:1", said)
        self.assertEqual(
            (found.secret(), str(found.ca_path), found.bootstrap_servers), ("hush", "/ca", "b:1")
        )

    def test_all_faults(self) -> None:
        with self.assertRaises(InputError) as caught:
            self.load("namespce: a\nattempts: 0\ntargets: {t: {token: [hush]}}")
        for part in ("namespce", "attempts", "targets.t.token"):
            self.assertIn(part, str(caught.exception))
        self.assertNotIn("hush", str(caught.exception))
        for text in ("- a", "a: [", "\x00"):
            with self.subTest(text=text), self.assertRaises(InputError):
                self.load(text)

    def test_no_such_file(self) -> None:
        with self.assertRaises(InputError):
            Settings.load(os.path.join(os.sep, "nowhere", "x.yaml"))


if __name__ == "__main__":
    unittest.main()
