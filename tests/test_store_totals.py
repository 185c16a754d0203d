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

"""What runs hold in all: kept, forgotten, and the same either way."""

from __future__ import annotations

import math
import threading
import unittest
import unittest.mock

import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support_postgres import new_database
from support_store import OnPostgres, OnSqlite, batch, row

from lsst.qa.store import totals
from lsst.qa.store.database import WRITES, connect, tables, writing
from lsst.qa.store.insertion import write_batch
from lsst.qa.store.query import get_run, history, latest_runs, run_summary
from lsst.qa.store.totals import sum_up
from lsst.qa.store.watch import Watch

OLD, NEW = "u/me/qa/20261101T000000Z", "u/me/qa/20261122T050000Z"

values = st.one_of(st.floats(-1e6, 1e6), st.just(math.nan))
rows = st.lists(
    st.builds(
        lambda metric, band, value, status, visit: row(
            metric,
            value,
            band=band,
            visit=visit,
            error=math.nan if math.isnan(value) else 0.5,
            status="failed" if math.isnan(value) and status != "empty" else status,
            message=None if status == "ok" else status,
        ),
        st.sampled_from(["AM1", "m5", "PA1"]),
        st.sampled_from(["g", "r", None, "clear"]),
        values,
        st.sampled_from(["ok", "empty", "undefined", "failed"]),
        st.integers(1, 9),
    ),
    max_size=30,
)


class TotalsTests:
    """What holds on either kind of database."""

    def write(self, run: str, *datasets: list[dict[str, object]]) -> None:
        write_batch(self.engine, batch(run, *datasets), "/repo", "u/me/qa")

    def kept(self) -> int:
        with self.engine.connect() as connection:
            return connection.execute(sa.select(sa.func.count()).select_from(tables().run_total)).scalar_one()

    def seen(self) -> str:
        """Return all that is asked for, as text in which NaN equals NaN."""
        runs = latest_runs(self.engine)
        metrics = [history(self.engine, name) for name in ("AM1", "m5", "PA1")]
        return repr((runs, [run_summary(self.engine, run.run_id) for run in runs], metrics))

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(rows, rows)
    def test_kept_or_not_all_is_the_same(self, some: list, others: list) -> None:
        with writing(self.engine) as connection:
            for table in ("measurement", "dataset", "run_summary", "run_total", "run_package", "run"):
                connection.execute(sa.delete(getattr(tables(), table)))
        self.write(OLD, some, [])
        self.write(NEW, others)
        anew = self.seen()
        self.assertEqual((sum_up(self.engine), self.kept()), (2, 2))
        self.assertEqual(self.seen(), anew)
        self.write(NEW, some)
        half = self.seen()
        self.assertEqual((self.kept(), sum_up(self.engine)), (1, 1))
        self.assertEqual(self.seen(), half)

    def test_what_is_kept_is_used(self) -> None:
        self.write(NEW, [row("AM1", 10.0, visit=1), row("AM1", 30.0, visit=2), row("AM1", 5.0, detector=3)])
        sum_up(self.engine)
        with unittest.mock.patch.object(totals, "condense", side_effect=AssertionError):
            (point,) = history(self.engine, "AM1")
            self.assertEqual((point.value, point.n_rows), (20.0, 2))
            (one,) = run_summary(self.engine, get_run(self.engine, NEW).run_id)
            self.assertEqual((one.value, one.worst, one.unit), (20.0, 10.0, "mas"))
            self.assertEqual(sum_up(self.engine), 0)

    def test_datasets_that_are_there_forget_nothing(self) -> None:
        again = batch(NEW, [row("AM1", 10.0)])
        write_batch(self.engine, again, "/repo", "u/me/qa")
        sum_up(self.engine)
        write_batch(self.engine, again, "/repo", "u/me/qa")
        self.assertEqual(self.kept(), 1)

    def test_many_sum_up_and_write_at_once(self) -> None:
        faults: list[BaseException] = []

        def work(number: int) -> None:
            try:
                for visit in range(5):
                    self.write(NEW, [row("AM1", float(10 * number + visit), visit=visit)])
                    sum_up(self.engine)
            except BaseException as fault:
                faults.append(fault)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(faults, [])
        sum_up(self.engine)
        (point,) = history(self.engine, "AM1")
        self.assertEqual((point.n_rows, point.value), (20, 17.0))
        self.assertEqual(latest_runs(self.engine)[0].n_datasets, 20)

    def test_watch(self) -> None:
        watch = Watch(self.engine)
        first = watch.state()
        history(self.engine, "AM1")
        self.assertEqual(watch.state(), first)
        self.write(NEW, [row("AM1", 10.0)])
        second = watch.state()
        self.assertNotEqual(second, first)
        sum_up(self.engine)
        third = watch.state()
        self.assertNotEqual(third, second)
        self.engine.dispose()  # which it leaves with, and so has to ask anew
        self.assertNotEqual(watch.state(), third)


class SqliteTotalsTestCase(TotalsTests, OnSqlite, unittest.TestCase):
    pass


class PostgresTotalsTestCase(TotalsTests, OnPostgres, unittest.TestCase):
    """With other databases on the same server."""

    def test_writes_of_other_databases(self) -> None:
        watch = Watch(self.engine)
        first = watch.state()
        other = connect(new_database(), create=True)
        self.addCleanup(other.dispose)
        self.assertEqual(watch.state(), first)

    def test_watch_of_an_earlier_version(self) -> None:
        with self.engine.begin() as connection:
            connection.exec_driver_sql(f"DROP SEQUENCE {WRITES}")
        self.test_watch()


if __name__ == "__main__":
    unittest.main()
