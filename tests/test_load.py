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

"""Loading results: each dataset once, whoever loads it and from wherever."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from support_postgres import new_database
from support_store import (
    CREATED,
    GATHERED,
    LATER,
    N_ROWS,
    N_VISITS,
    RUN,
    OnPostgres,
    OnSqlite,
    SharedSurvey,
    Survey,
    contents,
    row,
    visit_rows,
)

import lsst.qa
from lsst.qa.catalogue import METRICS
from lsst.qa.errors import CollectionError
from lsst.qa.results import SCHEMA
from lsst.qa.store import gathered, reading
from lsst.qa.store.database import connect, tables
from lsst.qa.store.load import load
from lsst.qa.store.query import get_metric, get_run, latest_runs, measurements


class LoadTests(SharedSurvey):
    """What holds on either kind of database."""

    def counts(self) -> list[int]:
        with self.engine.connect() as connection:
            return [
                connection.execute(sa.select(sa.func.count()).select_from(t)).scalar_one() for t in tables()
            ]

    def dump(self) -> list[list[tuple]]:
        with self.engine.connect() as connection:
            return [sorted(map(tuple, connection.execute(sa.select(t))), key=repr) for t in tables()]

    def test_datasets(self) -> None:
        report = load(self.repo, ["u/me/qa"], self.url)
        self.assertEqual(
            (report.datasets, report.rows, report.skipped), (N_VISITS + 1, N_VISITS * N_ROWS + 1, 0)
        )
        self.assertEqual((report.runs, report.unreadable), ((RUN, LATER), ()))
        run = get_run(self.engine, RUN)
        self.assertEqual((run.n_datasets, run.n_measurements), (N_VISITS, N_VISITS * N_ROWS))
        self.assertEqual((run.collection, run.repo), ("u/me/qa", self.repo))
        self.assertEqual((run.packages, run.finished), ({"lsst-qa": "0.1", "numpy": "2.0"}, CREATED))
        found = measurements(self.engine, run_id=run.run_id, detector_rows=True)
        names = [name for name in SCHEMA.names if name not in ("obs_time", "message")]
        got = sorted(tuple(repr(getattr(m, name)) for name in names) for m in found)
        put = [{**dict.fromkeys(names), **r} for v in range(1, N_VISITS + 1) for r in visit_rows(v, 2)]
        self.assertEqual(got, sorted(tuple(repr(r[name]) for name in names) for r in put))
        self.assertEqual({m.dataset_id for m in found}, {str(ref.id) for ref in self.refs})

    def test_repository_named_from_here(self) -> None:
        """Whoever reads the database works in another folder."""
        place = Path(self.repo)
        with contextlib.chdir(place.parent):
            load(place.name, ["u/me/qa"], self.url)
        run = get_run(self.engine, RUN)
        assert run is not None
        self.assertEqual(run.repo, self.repo)

    def test_twice_changes_nothing(self) -> None:
        load(self.repo, ["u/me/qa"], self.url)
        before = self.dump()
        for collections in ([RUN, LATER], ["u/me/*"]):
            report = load(self.repo, collections, self.url)
            self.assertEqual((report.datasets, report.rows, report.skipped), (0, 0, N_VISITS + 1))
        self.assertEqual(self.dump(), before)

    def test_gathered_is_the_same(self) -> None:
        load(self.repo, ["u/me/qa"], self.url)
        one, packages = contents(self.engine), get_run(self.engine, RUN).packages
        other = self.other()
        report = load(self.repo, [GATHERED], self.url)
        self.assertEqual((report.datasets, report.rows), (N_VISITS + 1, N_VISITS * N_ROWS + 1))
        self.assertEqual(contents(other), one)
        self.assertEqual(get_run(other, RUN).packages, packages)
        self.assertEqual([run.name for run in latest_runs(other)], [LATER, RUN])
        found = measurements(other, metric="AM1", detector_rows=True)
        self.assertEqual({m.task for m in found}, {"sourceMetrics", "objectMetrics"})


class SqliteTestCase(LoadTests, OnSqlite, unittest.TestCase):
    """A database in a file."""

    def other(self) -> sa.Engine:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.url = f"{folder.name}/other.sqlite3"
        engine = connect(self.url, create=True)
        self.addCleanup(engine.dispose)
        return engine

    def test_gathered_beside_datasets(self) -> None:
        with mock.patch.object(reading, "read_dataset", side_effect=AssertionError("read twice")):
            report = load(self.repo, ["u/me/all"], self.url)
        self.assertEqual((report.datasets, report.rows), (N_VISITS + 1, N_VISITS * N_ROWS + 1))

    def test_gathered_in_small_pieces(self) -> None:
        """Memory holds a part of the table: the whole is the same."""
        load(self.repo, [GATHERED], self.url)
        one = contents(self.engine)
        for rows in (1, N_ROWS, 2 * N_ROWS + 1):
            other = self.other()
            small = {"_PASS_ROWS": 2 * rows, "_PART_ROWS": 2 * rows, "_PARTS": 2, "_READ_ROWS": 5}
            with mock.patch.multiple(gathered, **small, BATCH_ROWS=rows, BATCH_DATASETS=2):
                load(self.repo, [GATHERED], self.url)
            self.assertEqual(contents(other), one)

    def test_some_of_them(self) -> None:
        steps = []
        for where, new in (("visit = 2", 1), ("visit < 4", 2), ("visit = 5", 1)):
            report = load(self.repo, ["u/me/all"], self.url, where=f"instrument = 'Cam' AND {where}")
            self.assertEqual(report.datasets, new)
        report = load(
            self.repo, ["u/me/qa"], self.url, progress=lambda done, total: steps.append((done, total))
        )
        self.assertEqual((report.datasets, report.skipped), (3, 4))
        self.assertEqual(steps[-1], (7, 7))
        found = [m.visit for m in measurements(self.engine, metric="AM1") if m.visit]
        self.assertEqual(sorted(found), list(range(1, N_VISITS + 1)))

    def test_dry_run(self) -> None:
        before = self.dump()
        report = load(self.repo, ["u/me/qa"], self.url, dry_run=True)
        self.assertEqual((report.datasets, report.rows), (N_VISITS + 1, N_VISITS * N_ROWS + 1))
        self.assertEqual(self.dump(), before)

    def test_definitions(self) -> None:
        """The catalogue goes in whole, and metrics that it lacks stay."""
        with tempfile.TemporaryDirectory() as folder:
            survey = Survey(f"{folder}/repo", self)
            rows = [row("PA99.future", 1.0, skymap="sky", tract=1, unit="mag2")]
            survey.put("u/future", "qa_object_metrics", rows, skymap="sky", tract=1)
            load(survey.root, ["u/future"], self.url)
        self.assertEqual(get_metric(self.engine, "PA99.future")[:3], ("PA99.future", None, "mag2"))
        self.assertEqual(set(get_metric(self.engine, "AM1").specs), set(METRICS["AM1"].specs))
        self.assertEqual(self.counts()[2], len(METRICS) + 1)

    def test_namesake(self) -> None:
        """Two repositories with a run of one name are not mixed."""
        load(self.repo, [RUN], self.url)
        with tempfile.TemporaryDirectory() as folder:
            survey = Survey(f"{folder}/repo", self)
            survey.add_visits([1])
            survey.put_visits(RUN, [1])
            with self.assertRaisesRegex(
                CollectionError, f"already has a run '{RUN}' whose {N_VISITS} datasets"
            ):
                load(survey.root, [RUN], self.url)
        self.assertEqual(self.counts()[4], N_VISITS)

    def test_unreadable(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copytree(self.repo, f"{folder}/repo")
            paths = [
                Path(folder, "repo", os.path.relpath(self.survey.path(ref), self.repo)) for ref in self.refs
            ]
            paths[0].write_bytes(paths[0].read_bytes()[:-100])
            paths[1].unlink()
            pq.write_table(pa.table({"x": [1]}), paths[2])
            report = load(f"{folder}/repo", [RUN], self.url)
            self.assertEqual((report.datasets, len(report.unreadable)), (N_VISITS - 3, 3))
            for ref, text in zip(self.refs, sorted(report.unreadable)):
                self.assertIn(str(ref.id), text)
            self.assertIn("a column metric and status and value; found x", report.unreadable[2])
            again = load(f"{folder}/repo", [RUN], self.url)
            self.assertEqual(
                (again.datasets, again.skipped, again.unreadable), (0, N_VISITS - 3, report.unreadable)
            )
        self.assertEqual(load(self.repo, [RUN], self.url).datasets, 3)

    def test_removed_datasets(self) -> None:
        """What was removed is no fault, and a gathered table has it still."""
        with tempfile.TemporaryDirectory() as folder:
            survey = Survey(f"{folder}/repo", self)
            survey.add_visits([1, 2])
            refs = survey.put_visits(RUN, [1, 2])
            survey.gather(GATHERED, refs)
            survey.butler.pruneDatasets(refs[:1], unstore=True, disassociate=False)
            self.assertEqual(load(survey.root, [RUN], self.url).datasets, 1)
            survey.butler.pruneDatasets(refs[1:], unstore=True, purge=True, disassociate=True)
            report = load(survey.root, [GATHERED], self.url)
            self.assertEqual((report.datasets, report.skipped), (1, 1))


class PostgresTestCase(LoadTests, OnPostgres, unittest.TestCase):
    """A database on a server."""

    def other(self) -> sa.Engine:
        self.url = new_database()
        engine = connect(self.url, create=True)
        self.addCleanup(engine.dispose)
        return engine


class TwoLoadersTestCase(SharedSurvey, unittest.TestCase):
    """Two processes that load at once lose nothing and double nothing."""

    PROGRAM = (
        "import sys; from lsst.qa.store import load, reading; reading.BATCH_DATASETS = 2\n"
        "print('ready', flush=True)\n"
        "for url in sys.stdin.readline().split():\n"
        "    report = load.load(sys.argv[1], ['u/me/qa'], url)\n"
        "    print(report.datasets, report.rows, report.skipped, flush=True)\n"
    )

    def test_two_at_once(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        # The tables are not there yet: both make them.
        urls = [f"{folder.name}/qa.sqlite3"]
        if os.environ.get("QA_SKIP_POSTGRES") != "1":
            urls.append(new_database())
        places = [str(Path(lsst.qa.__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
        options = {
            "env": {**os.environ, "PYTHONPATH": os.pathsep.join(places)},
            "text": True,
            **dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE),
        }
        with contextlib.ExitStack() as stack:
            command = [sys.executable, "-c", self.PROGRAM, self.repo]
            loaders = [stack.enter_context(subprocess.Popen(command, **options)) for _ in range(2)]
            for loader in loaders:
                self.assertEqual(loader.stdout.readline(), "ready\n")
            for loader in loaders:
                loader.stdin.write(" ".join(urls) + "\n")
                loader.stdin.flush()
            ended = [(*loader.communicate(), loader.returncode) for loader in loaders]
        self.assertEqual([code for _, _, code in ended], [0, 0], ended)
        reports = [[tuple(map(int, line.split())) for line in output.splitlines()] for output, _, _ in ended]
        for url, one, other in zip(urls, *reports, strict=True):
            with self.subTest(url=url):
                self.assertEqual(one[0] + other[0], N_VISITS + 1)
                self.assertEqual(one[1] + other[1], N_VISITS * N_ROWS + 1)
                self.assertEqual([one[0] + one[2], other[0] + other[2]], [N_VISITS + 1] * 2)
                engine = connect(url)
                self.addCleanup(engine.dispose)
                found = contents(engine)
                self.assertEqual(len({held[:3] for held in found}), N_VISITS * N_ROWS + 1)
                self.assertEqual(len(found), N_VISITS * N_ROWS + 1)
                self.assertEqual(sum(run.n_datasets for run in latest_runs(engine)), N_VISITS + 1)


if __name__ == "__main__":
    unittest.main()
