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

"""The tasks that measure objects against what is truly there."""

from __future__ import annotations

import math
import unittest
from typing import Any

import numpy as np
from astropy.table import Table
from support_butler import made, new_run, of, put, results, run_task

from lsst.pipe.base import NoWorkFound
from lsst.pipe.base.testUtils import lintConnections
from lsst.qa.errors import InputError
from lsst.qa.tables.readable import from_columns
from lsst.qa.tables.truth import TruthColumns, TruthPairs, renamed
from lsst.qa.tasks.truth import (
    TruthMatchMetricsConnections,
    TruthMatchMetricsTask,
    TruthMetricsConnections,
    TruthMetricsTask,
)

ARCSEC = 1.0 / 3600.0
LARGE = 1 << 62
MATCHES = "matched_injected_deep_coadd_predetection_catalog_tract_injected_object"


def true_sources() -> Table:
    """Forty stars and forty galaxies ten arcsec apart, all of r = 20.5."""
    number = np.arange(80)
    return Table(
        {
            "id": LARGE + number,
            "ra": (359.9 + number * 10.0 * ARCSEC) % 360.0,
            "dec": np.full(80, -30.0),
            "is_pointsource": number % 2 == 0,
            "r_mag": np.full(80, 20.5),
        }
    )


def detected(truth: Table, brighter: float = 0.01) -> Table:
    """All but every fourth of them, a little away and too bright, one twice,
    and five that are not there.
    """
    seen = truth[np.arange(len(truth)) % 4 != 3]
    real = len(seen)
    flux = 10.0 ** (-0.4 * (np.asarray(seen["r_mag"]) - brighter - 31.4))
    again = 6
    nothing = Table({name: seen[name][:again] for name in seen.colnames}, copy=True)
    nothing["ra"] = np.asarray(nothing["ra"]) + 0.3 * ARCSEC  # farther than the first one
    nothing["dec"][1:] = -29.5
    rows = real + again
    return Table(
        {
            "objectId": LARGE + 1000 + np.arange(rows),
            "coord_ra": np.concatenate([np.asarray(seen["ra"]), np.asarray(nothing["ra"])]),
            "coord_dec": np.concatenate([np.asarray(seen["dec"]) + 0.1 * ARCSEC, np.asarray(nothing["dec"])]),
            "detect_isPrimary": np.ones(rows, dtype=bool),
            "r_psfFlux": np.concatenate([flux, flux[:again]]),
            "r_psfFluxErr": np.full(rows, 100.0),
            "r_cModelFlux": np.concatenate([flux, flux[:again]]),
            "r_cModelFluxErr": np.full(rows, 100.0),
            "r_extendedness": np.concatenate([1.0 - np.asarray(seen["is_pointsource"]), np.zeros(again)]),
        }
    )


class PairsTestCase(unittest.TestCase):
    """Objects beside their true sources."""

    COLUMNS = TruthColumns("ra", "dec", "is_pointsource", {"r": "r_mag"}, False)

    def pairs(self, objects: Table, truth: Table, columns: TruthColumns = COLUMNS) -> TruthPairs:
        as_tables = [
            from_columns({name: np.asarray(table[name]) for name in table.colnames})
            for table in (objects, truth)
        ]
        return TruthPairs(*as_tables, columns, 0.5)

    def test_one_to_one(self) -> None:
        """The nearest, across RA 0, and each source once."""
        truth = true_sources()
        pairs = self.pairs(detected(truth), truth)
        names = [
            "objectId",
            "match_distance",
            "ref_ra",
            "ref_star",
            "r_ref_mag",
            "r_psfFlux",
            "ref_isPrimary",
        ]
        parts = list(pairs.pieces(names))
        whole = {name: np.concatenate([part[name] for part in parts]) for name in names}
        matched = np.isfinite(whole["match_distance"])
        self.assertEqual((pairs.n_matched, matched.sum()), (60, 60))
        np.testing.assert_allclose(whole["match_distance"][matched], 0.1, atol=1e-6)
        self.assertEqual(len(whole["ref_ra"]), pairs.n_rows)
        self.assertEqual(pairs.n_rows, 60 + 6 + 20)
        self.assertTrue(np.isnan(whole["r_ref_mag"][60:66]).all())
        self.assertFalse(whole["ref_isPrimary"][60:66].any())
        self.assertTrue(np.isnan(whole["r_psfFlux"][66:]).all())
        self.assertTrue((whole["objectId"][66:] == 0).all())
        self.assertTrue((whole["objectId"][:60] >= LARGE).all(), "ids keep their digits")

    def test_not_primary(self) -> None:
        truth, objects = true_sources(), detected(true_sources())
        objects["detect_isPrimary"][:10] = False
        self.assertEqual(self.pairs(objects, truth).n_matched, 50 + 1, "a second one takes the place of one")

    def test_kinds_in_words(self) -> None:
        truth = true_sources()
        truth["source_type"] = np.where(truth["is_pointsource"], "DeltaFunction", "Sersic")
        pairs = self.pairs(detected(truth), truth, self.COLUMNS._replace(star="source_type"))
        stars = np.concatenate([part["ref_star"] for part in pairs.pieces(["ref_star"])])
        self.assertEqual((np.nansum(stars), np.isnan(stars).sum()), (40.0, 6))

    def test_nothing_there(self) -> None:
        truth = true_sources()
        self.assertEqual(self.pairs(detected(truth)[:0], truth).n_rows, 0)
        pairs = self.pairs(detected(truth), truth[:0])
        self.assertEqual((pairs.n_rows, pairs.n_matched), (66, 0))
        (piece,) = pairs.pieces(["r_ref_mag", "ref_isPrimary"])
        self.assertTrue(np.isnan(piece["r_ref_mag"]).all())

    def test_lacking(self) -> None:
        truth = true_sources()
        with self.assertRaisesRegex(InputError, "has no kind; it has dec, id, is_pointsource, r_mag, ra"):
            self.pairs(detected(truth), truth, self.COLUMNS._replace(star="kind"))
        objects = detected(truth)
        del objects["coord_ra"]
        with self.assertRaisesRegex(InputError, "has no ra: it cannot be matched"):
            self.pairs(objects, truth)

    def test_renamed(self) -> None:
        table = from_columns({"refcat_flux_r": np.ones(2), "word": np.array(["a", "b"])})
        other = renamed(table, {"refcat_flux_r": "r_ref_flux", "absent": "x", "word": "kind"})
        self.assertEqual((set(other.units), set(other.texts)), ({"r_ref_flux", "kind"}, {"kind"}))
        (piece,) = other.pieces(["r_ref_flux"])
        self.assertEqual(list(piece), ["r_ref_flux"])
        self.assertIs(renamed(table, {"absent": "x"}), table)


class TruthMetricsTestCase(unittest.TestCase):
    """Both tasks, on the same objects."""

    METRICS = (
        "completeness",
        "completeness_stars",
        "purity",
        "truth_mag_median_stars",
        "truth_dec_median_stars",
    )

    def setUp(self) -> None:
        self.butler = new_run()

    def check(self, rows: list[dict[str, Any]]) -> None:
        bright = {row["metric"]: row for row in rows if row["bin_low"] == 20.0}
        self.assertEqual((bright["completeness"]["value"], bright["completeness"]["n"]), (75.0, 80))
        self.assertEqual(bright["completeness_stars"]["value"], 100.0)
        self.assertAlmostEqual(bright["purity"]["value"], 100.0 * 60.0 / 66.0)
        self.assertAlmostEqual(bright["truth_mag_median_stars"]["value"], -10.0)
        self.assertAlmostEqual(bright["truth_dec_median_stars"]["value"], 100.0, places=4)
        self.assertEqual({row["band"] for row in rows}, {"r"})
        self.assertEqual({row["status"] for row in of(rows, "completeness")}, {"ok", "empty"})

    def test_matching(self) -> None:
        truth = true_sources()
        put(self.butler, "object", detected(truth), tract=0)
        put(self.butler, "sim_truth", truth, tract=0)
        task = made(TruthMetricsTask, metrics=list(self.METRICS))
        run_task(task, self.butler, tract=0)
        self.check(results(self.butler, "qa_truth_metrics", tract=0))

    def test_matched_already(self) -> None:
        truth = true_sources()
        pairs = PairsTestCase().pairs(detected(truth), truth)
        names = sorted(pairs.units)
        parts = list(pairs.pieces(names))
        table = Table({name: np.concatenate([part[name] for part in parts]) for name in names})
        for old, new in (("r_ref_mag", "refcat_mag_r"), ("ref_star", "refcat_is_pointsource")):
            table.rename_column(old, new)
        for axis in ("ra", "dec"):
            table[f"ref_{axis}"] = np.degrees(table[f"ref_{axis}"])
        put(self.butler, MATCHES, table, tract=0)
        task = made(TruthMatchMetricsTask, metrics=list(self.METRICS))
        run_task(task, self.butler, tract=0)
        self.check(results(self.butler, "qa_truth_match_metrics", tract=0))

    def test_no_objects(self) -> None:
        truth = true_sources()
        put(self.butler, "object", detected(truth)[:0], tract=0)
        put(self.butler, "sim_truth", truth, tract=0)
        with self.assertRaises(NoWorkFound):
            run_task(made(TruthMetricsTask, metrics=["purity"]), self.butler, tract=0)

    def test_connections(self) -> None:
        for connections in (TruthMetricsConnections, TruthMatchMetricsConnections):
            lintConnections(connections)


class CrossingTestCase(unittest.TestCase):
    """Magnitudes of a completeness, by hand."""

    def test_by_hand(self) -> None:
        """Of 100 at 22.25 all are found, at 22.75 60, at 23.25 20."""
        from lsst.qa import measure

        mag = np.repeat([22.25, 22.75, 23.25], 100)
        found = np.concatenate([np.arange(100) < most for most in (100, 60, 20)])
        rows = measure(
            {
                "objectId": np.arange(300),
                "ref_ra": np.zeros(300),
                "match_distance": np.where(found, 0.0, np.nan),
                "r_ref_mag": mag,
                "r_psfFlux": np.ones(300),
                "ref_star": np.ones(300),
                "ref_isPrimary": np.ones(300, dtype=bool),
            },
            ["completeness_mag_50", "completeness_mag_90", "completeness_mag_80_stars"],
            kind="truth_match",
        )
        limits = {row["metric"]: row for row in rows}
        self.assertAlmostEqual(limits["completeness_mag_50"]["value"], 22.75 + 0.5 * 10.0 / 40.0)
        self.assertAlmostEqual(limits["completeness_mag_90"]["value"], 22.25 + 0.5 * 10.0 / 40.0)
        self.assertAlmostEqual(limits["completeness_mag_80_stars"]["value"], 22.5)
        wilson = [math.sqrt(p * (1 - p) / 100 + 0.25 / 1e4) / 1.01 for p in (0.6, 0.2)]
        error = 0.5 / 0.4 * math.hypot(0.75 * wilson[0], 0.25 * wilson[1])
        self.assertAlmostEqual(limits["completeness_mag_50"]["error"], error)


if __name__ == "__main__":
    unittest.main()
