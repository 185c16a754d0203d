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

"""Harvests of a real run: from files, from a provenance graph, and of broken
files.
"""

from __future__ import annotations

import dataclasses
import json
import tempfile
import unittest
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from click.testing import CliRunner
from support_harvest import AFTER, SHAKY, VISIT_OF, WARNING, ShakyRun, copied, graph_repository
from support_store import OnPostgres, OnSqlite

from lsst.qa.cli.harvest import harvest_command
from lsst.qa.errors import CollectionError, InputError
from lsst.qa.harvest.harvesting import harvest
from lsst.qa.harvest.policy import Policy
from lsst.qa.store.database import tables
from lsst.qa.store.execution import Quantum
from lsst.qa.store.quanta import execution_summary, log_of_quantum, quanta
from lsst.qa.store.search import search_logs, search_quanta

COLLECTION = "u/me/shaky"

N_RUN = 7
"""Quanta that were run: four of the first task, and those of the second that
the failure of one did not block."""


def files(repo: str, dataset_type: str, visit: int) -> Path:
    """Return the file of a quantum's dataset."""
    (found,) = (path for path in Path(repo).rglob(f"{dataset_type}_*.json") if f"_{visit}_" in path.name)
    return found


class HarvestTests(ShakyRun):
    """What holds on either database."""

    url: str
    engine: sa.Engine
    blocked = 0

    def by_visit(self, task: str) -> dict[int, Quantum]:
        return {quantum.visit or 0: quantum for quantum in quanta(self.engine, task=task)}

    def harvest(self, **options: Any) -> Any:
        return harvest(self.repo, [COLLECTION], self.url, **options)

    def test_states(self) -> None:
        report = self.harvest()
        done = {"succeeded": 6, "failed": 1} | ({"blocked": self.blocked} if self.blocked else {})
        self.assertEqual(report.states, done)
        self.assertEqual((report.quanta, report.unchanged), (N_RUN + self.blocked, 0))
        self.assertEqual(report.runs, (self.run_name,))
        self.assertEqual(report.unreadable, ())
        shaky = self.by_visit(SHAKY)
        self.assertEqual(
            {name: shaky[visit].status for name, visit in VISIT_OF.items()},
            {
                "succeeds": "succeeded",
                "fails": "failed",
                "finds_nothing": "succeeded",
                "gives_a_part": "succeeded",
            },
        )
        self.assertIsNone(shaky[VISIT_OF["succeeds"]].caveats)
        self.assertIn("no_work", shaky[VISIT_OF["finds_nothing"]].caveats or "")
        self.assertIn("partial_outputs_error", shaky[VISIT_OF["gives_a_part"]].caveats or "")

    def test_exceptions(self) -> None:
        self.harvest()
        shaky = self.by_visit(SHAKY)
        failed, part = shaky[VISIT_OF["fails"]], shaky[VISIT_OF["gives_a_part"]]
        self.assertEqual(failed.exception_type, "ValueError")
        self.assertEqual(failed.exception_message, "there are too few stars")
        self.assertEqual(part.exception_type, "support_harvest.PartError")
        self.assertIsNone(shaky[VISIT_OF["succeeds"]].exception_type)
        found = search_quanta(self.engine, '"too few"', raised=True)
        self.assertEqual([quantum.visit for quantum in found], [VISIT_OF["fails"]])

    def test_figures(self) -> None:
        self.harvest()
        for quantum in quanta(self.engine):
            if quantum.status == "blocked":
                self.assertIsNone(quantum.wall)
                continue
            self.assertGreater(quantum.memory or 0, 50 << 20)
            self.assertGreaterEqual(quantum.memory_taken or 0, 0)
            self.assertLess(0.0, quantum.wall or 0.0)
            self.assertLess(0.0, quantum.cpu or 0.0)
            assert quantum.started is not None
            assert quantum.finished is not None
            self.assertEqual((quantum.finished - quantum.started).total_seconds(), quantum.wall)
            self.assertTrue(quantum.host)
            self.assertEqual((quantum.instrument, quantum.day_obs), ("Cam", 20240229))
        # One process ran them: only the first had run none before.
        before = sorted(q.n_before for q in quanta(self.engine) if q.n_before is not None)
        self.assertEqual(before, list(range(N_RUN)))

    def test_logs(self) -> None:
        self.harvest()
        failed = self.by_visit(SHAKY)[VISIT_OF["fails"]]
        records = log_of_quantum(self.engine, failed.quantum_id)
        self.assertEqual([r.record_number for r in records], sorted(r.record_number for r in records))
        self.assertEqual([r.message for r in records if r.level_name == "WARNING"], [WARNING])
        self.assertEqual(failed.n_records, len(records))
        hits = search_logs(self.engine, '"psf flux" 0.25 -many', visit=VISIT_OF["fails"])
        self.assertEqual([hit.quantum for hit in hits], [failed])

    def test_again(self) -> None:
        """Nothing is added, nothing is written twice."""
        first = self.harvest()
        held = self.contents()
        again = self.harvest()
        self.assertEqual((again.quanta, again.records, again.unchanged), (0, 0, first.quanta))
        self.assertEqual(self.contents(), held)

    def contents(self) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            both = [
                connection.execute(sa.select(table)).all()
                for table in (tables().quantum, tables().log_record)
            ]
        return sorted(map(tuple, [row for rows in both for row in rows]), key=repr)

    def test_another_policy(self) -> None:
        """Replaces what is held, and says what it left out."""
        self.harvest()
        numbers = {quantum.quantum_id for quantum in quanta(self.engine)}
        report = self.harvest(policy=Policy(level="WARNING"))
        self.assertEqual(report.unchanged, 0)
        self.assertEqual({quantum.quantum_id for quantum in quanta(self.engine)}, numbers)
        for quantum in quanta(self.engine):
            kept = len(log_of_quantum(self.engine, quantum.quantum_id))
            self.assertEqual(kept + quantum.n_below + quantum.n_over, quantum.n_records)
        self.assertEqual(search_logs(self.engine, "preparing"), [])
        self.assertGreater(report.below, 10)

    def test_selection(self) -> None:
        report = self.harvest(where=f"instrument='Cam' AND visit={VISIT_OF['fails']}")
        self.assertEqual((report.quanta, report.states), (1, {"failed": 1}))

    def test_summary(self) -> None:
        self.harvest()
        after, shaky = execution_summary(self.engine, 1)
        self.assertEqual((after.task, shaky.task), (AFTER, SHAKY))
        self.assertEqual((shaky.n_quanta, shaky.n_succeeded, shaky.n_failed), (4, 3, 1))
        self.assertEqual(after.n_blocked, self.blocked)
        self.assertAlmostEqual(shaky.wall, sum(q.wall or 0.0 for q in quanta(self.engine, task=SHAKY)))


class FilesOnSqliteTestCase(OnSqlite, HarvestTests):
    pass


class FilesOnPostgresTestCase(OnPostgres, HarvestTests):
    pass


class GraphTestCase(OnSqlite, HarvestTests):
    """The same from a provenance graph, which knows what was never run."""

    GRAPH = True
    blocked = 1

    def test_no_file_is_left(self) -> None:
        self.assertEqual(list(Path(self.repo).rglob("*_log_*.json")), [])


class GraphOnPostgresTestCase(OnPostgres, HarvestTests):
    GRAPH = True
    blocked = 1


class BothWaysTestCase(OnSqlite, ShakyRun):
    """A run that was harvested before its files became a graph."""

    def test_the_graph_replaces(self) -> None:
        first = harvest(self.repo, [COLLECTION], self.url)
        before = {q.quantum_id: dataclasses.replace(q, n_before=None) for q in quanta(self.engine)}

        report = harvest(graph_repository(), [COLLECTION], self.url)
        self.assertEqual(report.quanta, first.quanta + 1)
        after = {q.quantum_id: dataclasses.replace(q, n_before=None) for q in quanta(self.engine)}
        self.assertEqual({number: after[number] for number in before}, before)


class BrokenTestCase(OnSqlite, ShakyRun):
    """Files that cannot be read, in full or in part."""

    def setUp(self) -> None:
        super().setUp()
        self.repo = copied(self)
        self.visit = VISIT_OF["succeeds"]

    def harvested(self) -> tuple[Any, Quantum]:
        report = harvest(self.repo, [COLLECTION], self.url)
        self.assertEqual(report.quanta, N_RUN)
        (quantum,) = quanta(self.engine, task=SHAKY, visit=self.visit)
        return report, quantum

    def test_metadata_cut_short(self) -> None:
        """The quantum succeeded all the same; its times are the log's."""
        file = files(self.repo, f"{SHAKY}_metadata", self.visit)
        file.write_bytes(file.read_bytes()[:100])
        report, quantum = self.harvested()
        self.assertEqual(len(report.unreadable), 1)
        self.assertIn(f"{SHAKY}_metadata", report.unreadable[0])
        self.assertEqual((quantum.status, quantum.memory), ("succeeded", None))
        self.assertIsNotNone(quantum.started)

    def test_log_cut_short(self) -> None:
        file = files(self.repo, f"{SHAKY}_log", self.visit)
        file.write_bytes(file.read_bytes()[:-10])
        report, quantum = self.harvested()
        self.assertRegex(report.unreadable[0], "it is not JSON")
        self.assertEqual((quantum.status, quantum.n_records), ("succeeded", 0))
        self.assertIsNotNone(quantum.memory)

    def test_other_json(self) -> None:
        for kind, text in (("log", "[1, null]"), ("metadata", "[]"), ("log", "3"), ("log", "\xff\xfe")):
            with self.subTest(kind, text=text):
                files(self.repo, f"{SHAKY}_{kind}", self.visit).write_text(text, encoding="latin-1")
                _, quantum = self.harvested() if kind == "log" and text == "[1, null]" else (None, None)
                if quantum is not None:
                    self.assertEqual((quantum.n_records, quantum.n_over), (2, 2))
                harvest(self.repo, [COLLECTION], self.url)

    def test_gone(self) -> None:
        files(self.repo, f"{SHAKY}_log", self.visit).unlink()
        report, quantum = self.harvested()
        self.assertEqual(len(report.unreadable), 1)
        self.assertEqual(quantum.status, "succeeded")

    def test_text_that_no_database_keeps(self) -> None:
        file = files(self.repo, f"{SHAKY}_log", self.visit)
        log = json.loads(file.read_text())
        log["records"][0]["message"] = "null \0 and half \ud800 a pair"
        file.write_text(json.dumps(log))
        _, quantum = self.harvested()
        self.assertEqual(
            log_of_quantum(self.engine, quantum.quantum_id)[0].message, "null  and half ? a pair"
        )

    def test_another_attempt(self) -> None:
        """Replaces the one before, whose records are kept beside its own."""
        self.harvested()
        file = files(self.repo, f"{SHAKY}_log", VISIT_OF["fails"])
        log = json.loads(file.read_text())
        earlier = {"exception": log["exception"], "metadata": log["metadata"], "logs": log["records"]}
        newer = [{**log["records"][0], "message": "once more"}]
        file.write_text(json.dumps({**log, "records": newer, "previous_attempts": [earlier]}))
        report = harvest(self.repo, [COLLECTION], self.url)
        self.assertEqual((report.quanta, report.unchanged), (1, N_RUN - 1))
        (quantum,) = quanta(self.engine, task=SHAKY, visit=VISIT_OF["fails"])
        records = log_of_quantum(self.engine, quantum.quantum_id)
        self.assertEqual(quantum.attempts, 2)
        self.assertEqual([r.attempt for r in records], [1] * len(log["records"]) + [2])
        self.assertEqual(records[-1].message, "once more")
        with self.engine.connect() as connection:
            # SQLite compares its index with the texts.
            check = "INSERT INTO log_record_text(log_record_text, rank) VALUES ('integrity-check', 1)"
            connection.exec_driver_sql(check)


class MisuseTestCase(OnSqlite, ShakyRun):
    """What users type wrong."""

    def test_collections(self) -> None:
        with self.assertRaisesRegex(
            CollectionError, "no collection 'u/me/shakey'.*Did you mean 'u/me/shaky'"
        ):
            harvest(self.repo, ["u/me/shakey"], self.url)
        with self.assertRaisesRegex(CollectionError, "There are no quanta in in"):
            harvest(self.repo, ["in"], self.url)

    def test_expression(self) -> None:
        with self.assertRaisesRegex(InputError, "vsit"):
            harvest(self.repo, [COLLECTION], self.url, where="vsit = 3")

    def test_policy(self) -> None:
        with self.assertRaisesRegex(InputError, "most_records is 0.*no level 'LOUD', only DEBUG"):
            Policy(level="LOUD", most_records=0)

    def test_dry_run(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            url = f"{folder}/none.sqlite3"
            report = harvest(self.repo, [COLLECTION], url, dry_run=True)
            self.assertEqual(report.quanta, N_RUN)
            self.assertFalse(Path(url).exists())

    def test_command(self) -> None:
        arguments = [self.repo, COLLECTION, "--db", self.url, "--level", "warning"]
        done = CliRunner().invoke(harvest_command, [*arguments, "--json"], catch_exceptions=False)
        self.assertEqual(done.exit_code, 0)
        report = json.loads(done.stdout)
        self.assertEqual(report["states"], {"failed": 1, "succeeded": 6})
        done = CliRunner().invoke(harvest_command, arguments, catch_exceptions=False)
        self.assertIn("Harvested 0 quanta", done.stdout)
        self.assertIn(f"{N_RUN} were there", done.stdout)


del HarvestTests  # it is no test by itself


if __name__ == "__main__":
    unittest.main()
