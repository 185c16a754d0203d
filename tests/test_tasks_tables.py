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

"""Each task on the tables that it is for."""

from __future__ import annotations

import datetime
import math
import unittest
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Table
from support_butler import INSTRUMENT, MIDDLE, SKYMAP, made, new_run, of, put, results, run_task
from support_tables import objects, presources, sources, stars, summary

from lsst.pipe.base import AnnotatedPartialOutputsError, NoWorkFound
from lsst.qa.errors import InputError
from lsst.qa.tasks import (
    MatchedStarMetricsTask,
    ObjectMetricsTask,
    VisitSummaryMetricsTask,
    VisitTableMetricsTask,
)

DEVIATION = 4e-3
"""How far a star's first visit is above its mean, and the third below it, in
magnitudes."""


class MatchedStarMetricsTestCase(unittest.TestCase):
    """Stars over visits, joined by an id that no float holds."""

    N_STARS = 40
    VISITS = (11, 12, 13)

    def setUp(self) -> None:
        self.butler = new_run()
        self.means = np.linspace(18.0, 20.0, self.N_STARS)
        self.truth = 1e3 * DEVIATION
        self.fill()

    def fill(self, noise: float = 0.0) -> None:
        random = np.random.default_rng(5)
        for visit, deviation in zip(self.VISITS, (DEVIATION, 0.0, -DEVIATION)):
            magnitudes = self.means + deviation + noise * random.normal(size=self.N_STARS)
            put(self.butler, "source", sources(visit, magnitudes.tolist()), visit=visit)
        put(self.butler, "isolated_star_presources", presources(self.VISITS, self.N_STARS), tract=0)
        put(self.butler, "isolated_star_presource_associations", stars(self.N_STARS), tract=0)

    def repeated(self, visits: tuple[int, ...] = VISITS, **settings: Any) -> list[dict[str, Any]]:
        task = made(MatchedStarMetricsTask, **{"metrics": ["PA1"], **settings})
        run_task(task, self.butler, visits, tract=0)
        return results(self.butler, "qa_matched_star_metrics", tract=0)

    def replace(self, name: str, table: Any, **data_id: Any) -> None:
        ref = self.butler.find_dataset(name, instrument=INSTRUMENT, skymap=SKYMAP, **data_id)
        assert ref is not None
        self.butler.pruneDatasets([ref], purge=True, unstore=True, disassociate=True)
        put(self.butler, name, table, **data_id)

    def test_from_sources(self) -> None:
        with self.assertNoLogs("lsst.matchedStarMetrics", "WARNING"):
            (row,) = self.repeated()
        self.assertAlmostEqual(row["value"], self.truth, places=9)
        self.assertEqual(
            (row["n"], row["band"], row["status"], row["unit"]), (self.N_STARS, "r", "ok", "mmag")
        )
        self.assertEqual((row["instrument"], row["skymap"], row["tract"]), (INSTRUMENT, SKYMAP, 0))
        self.assertIsNone(row["visit"])
        self.assertIsNone(row["obs_time"])

    def test_order_of_visits(self) -> None:
        """Not even the last digits tell, nor what draws visits at random."""
        found = []
        for visits in ((11, 12, 13), (13, 11, 12)):
            self.butler = new_run()
            self.fill(noise=2.0 * DEVIATION)
            metrics = ["PA1", "PA2", "PF1", "PA1.validate_drp", "PF1.validate_drp"]
            found.append(self.repeated(visits, metrics=metrics))
        self.assertEqual({row["status"] for row in found[0]}, {"ok"})
        self.assertEqual(repr(found[0]), repr(found[1]))

    def test_from_their_own_table(self) -> None:
        whole = Table(sources(11, self.means.tolist())[:0], copy=True)
        for visit, deviation in zip(self.VISITS, (DEVIATION, 0.0, -DEVIATION)):
            for row in sources(visit, (self.means + deviation).tolist(), extra=0):
                whole.add_row(row)
        whole["isolated_star_id"] = np.tile(np.arange(self.N_STARS), 3)
        self.replace("isolated_star_presources", whole, tract=0)
        (row,) = self.repeated(measured_in="presources")
        self.assertAlmostEqual(row["value"], self.truth, places=9)
        self.assertEqual(row["n"], self.N_STARS)

    def test_a_variant_under_its_own_name(self) -> None:
        """Its rows carry that name, beside those of the metric."""
        rows = self.repeated(variants={"PA1_population": "PA1(ddof=0)", "PA1_deep": "PA1(snr_min=5000)"})
        self.assertEqual([row["metric"] for row in rows], ["PA1", "PA1_population", "PA1_deep"])
        self.assertAlmostEqual(rows[1]["value"], self.truth * math.sqrt(2.0 / 3.0), places=9)
        self.assertEqual((rows[2]["status"], rows[2]["n"]), ("empty", 0))

    def test_two_bands(self) -> None:
        for visit, name in ((21, "source"),):
            put(self.butler, name, sources(visit, self.means.tolist()), visit=visit)
        self.replace("isolated_star_presources", presources((*self.VISITS, 21), self.N_STARS), tract=0)
        rows = self.repeated((*self.VISITS, 21))
        self.assertEqual({row["band"]: row["status"] for row in rows}, {"r": "ok", "i": "empty"})

    def test_detections_without_sources(self) -> None:
        """A visit whose sources are gone is warned of."""
        with self.assertLogs("lsst.matchedStarMetrics", "WARNING") as logs:
            (row,) = self.repeated((11, 12))
        self.assertEqual(len(logs.output), 1)
        self.assertIn("40 of 120 detections of stars are in no source table", logs.output[0])
        self.assertEqual(row["status"], "empty")

    def test_ids_as_floats(self) -> None:
        table = presources(self.VISITS, self.N_STARS)
        table["sourceId"] = table["sourceId"].astype(float)
        self.replace("isolated_star_presources", table, tract=0)
        with self.assertRaisesRegex(InputError, "'sourceId' of .* holds float64; ids must be integers"):
            self.repeated()

    def test_ids_as_floats_in_a_visit(self) -> None:
        table = sources(12, self.means.tolist())
        table["sourceId"] = table["sourceId"].astype(float)
        self.replace("source", table, visit=12)
        with self.assertRaisesRegex(InputError, "'sourceId' of source_.*12.* holds float64"):
            self.repeated()

    def test_no_star(self) -> None:
        self.replace("isolated_star_presources", presources(self.VISITS, 0), tract=0)
        with self.assertRaisesRegex(NoWorkFound, "has no row"):
            self.repeated()

    def test_one_star(self) -> None:
        self.replace("isolated_star_presources", presources(self.VISITS, 1), tract=0)
        (row,) = self.repeated()
        self.assertAlmostEqual(row["value"], self.truth, places=9)
        self.assertEqual(row["n"], 1)

    def test_one_visit(self) -> None:
        self.replace("isolated_star_presources", presources((11,), self.N_STARS), tract=0)
        (row,) = self.repeated((11,))
        self.assertEqual((row["status"], row["n"]), ("empty", 0))


class ObjectMetricsTestCase(unittest.TestCase):
    """Objects have columns for each band."""

    def setUp(self) -> None:
        self.butler = new_run()

    def measured_objects(self, table: Table, *metrics: str, **settings: Any) -> list[dict[str, Any]]:
        put(self.butler, "object", table, tract=0)
        run_task(made(ObjectMetricsTask, metrics=list(metrics), **settings), self.butler, tract=0)
        return results(self.butler, "qa_object_metrics", tract=0)

    def test_bands(self) -> None:
        table = objects({"g": [True, False, False, False], "y": [True, True, True, False]})
        rows = self.measured_objects(table, "coadd_flag_fraction.psfFlux_flag", "coadd_n_objects")
        flags = of(rows, "coadd_flag_fraction.psfFlux_flag")
        self.assertEqual({row["band"]: row["value"] for row in flags}, {"g": 25.0, "y": 75.0})
        (whole,) = of(rows, "coadd_n_objects")
        self.assertEqual((whole["band"], whole["value"]), (None, 4.0))
        self.assertEqual(
            {(row["skymap"], row["tract"], row["instrument"]) for row in rows}, {(SKYMAP, 0, None)}
        )

    def test_by_patch(self) -> None:
        rows = self.measured_objects(objects({"r": [True, False, False]}), "coadd_n_objects", by=["patch"])
        self.assertEqual({row["patch"]: row["value"] for row in rows}, {None: 3.0, 0: 2.0, 1: 1.0})

    def test_no_band(self) -> None:
        """A metric of each band that finds none is a row, not nothing."""
        bare = objects({"r": [True, False]})["objectId", "patch"]
        with self.assertLogs("lsst.objectMetrics", "WARNING"):
            rows = self.measured_objects(
                bare,
                "coadd_flag_fraction.psfFlux_flag",
                "coadd_n_objects",
                lacking_columns="undefined",
            )
        self.assertEqual([row["metric"] for row in rows if row["status"] == "ok"], ["coadd_n_objects"])
        (lost,) = of(rows, "coadd_flag_fraction.psfFlux_flag")
        self.assertEqual((lost["status"], lost["band"]), ("undefined", None))
        self.assertIn("needs 'psfFlux_flag'", lost["message"])

    def test_a_band_that_was_not_observed(self) -> None:
        """No fault of a table that lacks nothing of the bands that it has."""
        table = objects({"g": [False] * 4, "r": [False] * 4})
        for band in "gr":
            for name in ("psfFlux", "psfFluxErr", "extendedness"):
                table[f"{band}_{name}"] = np.ones(4)
            table[f"{band}_pixelFlags_saturatedCenter"] = np.zeros(4, dtype=bool)
        table["ebv"], table["detect_isPrimary"] = np.zeros(4), np.ones(4, dtype=bool)
        with self.assertLogs("lsst.objectMetrics", "WARNING"):
            rows = self.measured_objects(table, "wPerp", "coadd_n_objects")
        (lost,) = of(rows, "wPerp")
        self.assertEqual(lost["status"], "undefined")
        self.assertIn("needs 'i_extendedness', ", lost["message"])
        table.remove_column("r_extendedness")
        put(self.butler, "object", table, tract=1)
        task = made(ObjectMetricsTask, metrics=["wPerp"])
        with (
            self.assertLogs("lsst.objectMetrics", "WARNING"),
            self.assertRaises(AnnotatedPartialOutputsError),
        ):
            run_task(task, self.butler, tract=1)

    def test_camera(self) -> None:
        """Its own variants stand for metrics that have one."""
        table = objects({"r": [False, False]})
        rows = self.measured_objects(
            table, "wPerp", "coadd_n_objects", camera="HSC", lacking_columns="undefined"
        )
        self.assertEqual([row["metric"] for row in rows], ["coadd_n_objects", "wPerp.HSC"])

    def test_no_band_at_all(self) -> None:
        bare = objects({"r": [True, False]})["objectId", "patch"]
        with (
            self.assertLogs("lsst.objectMetrics", "WARNING"),
            self.assertRaises(AnnotatedPartialOutputsError),
        ):
            self.measured_objects(bare, "coadd_flag_fraction.psfFlux_flag")
        (lost,) = results(self.butler, "qa_object_metrics", tract=0)
        self.assertEqual(lost["status"], "failed")


class VisitMetricsTestCase(unittest.TestCase):
    """Summaries: of one visit, and of many."""

    ZERO_POINTS = (31.0, 32.0, 34.0)

    def setUp(self) -> None:
        self.butler = new_run()

    def test_one_visit(self) -> None:
        put(self.butler, "visit_summary", summary([11], self.ZERO_POINTS), visit=11)
        task = made(VisitSummaryMetricsTask, metrics=["zero_point", "n_detectors"], by=["detector"])
        run_task(task, self.butler, visit=11)
        rows = results(self.butler, "qa_visit_summary_metrics", visit=11)
        points = {row["detector"]: row["value"] for row in of(rows, "zero_point")}
        self.assertEqual(points, {None: 32.0, 0: 31.0, 1: 32.0, 2: 34.0})
        self.assertEqual(next(row["value"] for row in of(rows, "n_detectors")), 3.0)
        self.assertEqual({(row["visit"], row["band"], row["obs_time"]) for row in rows}, {(11, "r", MIDDLE)})

    def test_many_visits(self) -> None:
        table = summary([11, 21], self.ZERO_POINTS)
        put(self.butler, "visit_detector_table", table)
        run_task(made(VisitTableMetricsTask, metrics=["zero_point"]), self.butler)
        rows = results(self.butler, "qa_visit_table_metrics")
        told = [(row["visit"], row["band"], row["physical_filter"], row["value"]) for row in rows]
        self.assertEqual(told, [(11, "r", "r_01", 32.0), (21, "i", "i_01", 32.0)])
        self.assertEqual([row["obs_time"] for row in rows], [None, None])

    def test_times_of_many_visits(self) -> None:
        """The table's middle of the exposure is TAI, the rows' is UTC."""
        table = summary([11, 12], [31.0, 32.0])
        table["expMidptMJD"] = np.repeat([60370.0 + 15.0 / 86400.0, np.nan], 2)
        put(self.butler, "visit_detector_table", table)
        run_task(made(VisitTableMetricsTask, metrics=["zero_point"]), self.butler)
        first, second = results(self.butler, "qa_visit_table_metrics")
        self.assertLess(abs(first["obs_time"] - MIDDLE), datetime.timedelta(milliseconds=1))
        self.assertIsNone(second["obs_time"])

    def test_no_visit(self) -> None:
        put(self.butler, "visit_detector_table", summary([11], [31.0])[:0])
        with self.assertRaisesRegex(NoWorkFound, "has no row"):
            run_task(made(VisitTableMetricsTask, metrics=["zero_point"]), self.butler)

    def test_units(self) -> None:
        table = summary([11], [31.0])
        table["seeing"] = np.array([1.0]) * u.arcmin
        put(self.butler, "visit_detector_table", table)
        run_task(made(VisitTableMetricsTask, metrics=["seeing"]), self.butler)
        (row,) = results(self.butler, "qa_visit_table_metrics")
        self.assertAlmostEqual(row["value"], 60.0)


if __name__ == "__main__":
    unittest.main()
