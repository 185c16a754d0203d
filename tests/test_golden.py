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

"""Real data: the numbers that other packages have published for them."""

from __future__ import annotations

import datetime
import json
import unittest
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner
from support import SHARED, needs_shared

from lsst.qa import measure
from lsst.qa.catalogue import METRICS
from lsst.qa.cli import main
from lsst.qa.metrics.astrometry import pair_residuals, places_by_visit
from lsst.qa.metrics.astrometry_peers import faro_sample, signed_centred
from lsst.qa.metrics.photometry import FARO
from lsst.qa.variants import parse_variant

EXPECTED = {
    "PA1.faro": 6.8097958,  # eight digits are all that their file has
    "PF1.faro": 11.11111111111111,
    "AM1.faro": 7.142131192256279,
    "AD1.faro": 15.608887687111043,
    "AF1.faro": 6.211180124223603,
}
"""What faro's own tests expect of its matched catalogue in i."""


def stars(band: str) -> Path:
    return SHARED / "faro" / f"matchedCatalogTract_0_{band}.fits.gz"


@needs_shared
class MatchedCatalogueTestCase(unittest.TestCase):
    """HSC stars in three visits, as faro keeps them for its own tests."""

    def measure(self, band: str, *names: Any) -> dict[str, dict[str, Any]]:
        return {row["metric"]: row for row in measure(stars(band), names)}

    def test_faro(self) -> None:
        found = self.measure("i", *EXPECTED)
        for name, expected in EXPECTED.items():
            digits = 5e-9 if name == "PA1.faro" else 1e-9
            with self.subTest(name):
                self.assertAlmostEqual(found[name]["value"] / expected, 1.0, delta=digits)
        self.assertEqual(found["AM1.faro"]["n"], 2775)
        self.assertEqual(found["PF1.faro"]["n"], 72)

    def test_command(self) -> None:
        options = [word for name in EXPECTED for word in ("--metric", name)]
        for band in "ir":
            done = CliRunner().invoke(main, ["measure", str(stars(band)), *options, "--json"])
            self.assertEqual(done.exit_code, 0, done.output)
            rows = {row["metric"]: row for row in json.loads(done.stdout)}
            self.assertEqual(set(rows), set(EXPECTED))
            self.assertEqual({row["status"] for row in rows.values()}, {"ok"})
            self.assertTrue(all(row["error"] > 0 for row in rows.values()))
            if band == "i":
                self.assertAlmostEqual(rows["AM1.faro"]["value"], EXPECTED["AM1.faro"], delta=7e-9)

    def test_definitions_of_the_documents(self) -> None:
        """The requirement's own words, and other peers', on the same stars."""
        same_stars = {
            "rows": None,
            "most_stars": None,
            "most_pairs": None,
            "steps": (faro_sample, places_by_visit, pair_residuals),
        }
        found = self.measure(
            "i",
            METRICS["AD1"].variant(".same", **same_stars),
            METRICS["AF1"].variant(".same", **same_stars),
            METRICS["AD1.analysis_tools"].variant("AD1_at", **same_stars | {"steps": _CENTRED}),
            METRICS["AF1.analysis_tools"].variant("AF1_at", **same_stars | {"steps": _CENTRED}),
            METRICS["PA1"],
            METRICS["PA2"],
            METRICS["PA2"].variant("PA2_same", extended=FARO["extended"], all_compact=True),
            parse_variant("PA2_5", "PA2(outliers=5)"),
            parse_variant("PA2_20", "PA2(outliers=20)"),
            METRICS["photRepeatOutlier.analysis_tools"],
        )
        for name, expected, delta in (
            ("AD1.same", 19.148, 5e-4),
            ("AF1.same", 9.110, 5e-4),
            ("AD1_at", 18.104, 5e-4),
            ("AF1_at", 6.832, 5e-4),
            ("PA1", 8.34, 5e-3),
            ("PA2", 15.8996, 5e-5),
            ("PA2_same", 15.8996, 5e-5),
            ("PA2_5", 19.18, 5e-3),
            ("PA2_20", 11.46, 5e-3),
            ("photRepeatOutlier.analysis_tools", 4.17, 5e-3),
        ):
            with self.subTest(name):
                self.assertAlmostEqual(found[name]["value"], expected, delta=delta)

    def test_mean_of_three_is_unbiased(self) -> None:
        found = self.measure("i", "PA1", "PA1.faro")
        self.assertAlmostEqual(found["PA1"]["value"] / found["PA1.faro"]["value"], 1.5**0.5, places=12)

    def test_everything(self) -> None:
        """Every metric of matched stars runs on both bands."""
        for band in "ir":
            rows = measure(stars(band))
            self.assertGreater(len(rows), 40)
            self.assertLessEqual({row["status"] for row in rows}, {"ok", "empty", "undefined"})
            good = {row["metric"] for row in rows if row["status"] == "ok"}
            self.assertLessEqual({"PA1", "PF1", "PA2", "AM1", "AD1", "AF1", "PA1.analysis_tools"}, good)


@needs_shared
class OtherTablesTestCase(unittest.TestCase):
    """Tables of other kinds, shapes and years."""

    def test_source_catalogue(self) -> None:
        """Flags that afw packs into bits, and its aliases, are decoded."""
        rows = measure(SHARED / "faro" / "src_HSC_i_903986_31.fits")
        found = {row["metric"]: row["value"] for row in rows}
        self.assertEqual(found["n_sources"], 771)
        self.assertEqual(found["n_primary"], 609)
        self.assertAlmostEqual(found["flag_fraction.pixelFlags_edge"], 100.0 * 173 / 771)
        self.assertLess(abs(found["e1_residual_median"]), 0.01)

    def test_names_of_2021(self) -> None:
        (table,) = (SHARED / "jointcal").glob("*.parq")
        found = {row["metric"]: row for row in measure(table)}
        self.assertEqual((found["n_sources"]["value"], found["n_sources"]["visit"]), (168, 34690))
        self.assertIn("size_residual_median.pipe_tasks", found)

    def test_two_rows(self) -> None:
        tables = sorted((SHARED / "cfht").glob("*.parq"))
        self.assertEqual(len(tables), 2)
        for table in tables:
            rows = measure(table)
            self.assertEqual({row["n"] for row in rows}, {2})
            self.assertEqual({row["status"] for row in rows}, {"ok"})

    def test_one_detector(self) -> None:
        for table in sorted((SHARED / "cfht").glob("visitSummary*.fits")):
            for row in measure(table):
                self.assertIn(row["status"], ("ok", "empty", "undefined"), row)
                self.assertTrue(row["status"] != "ok" or row["n"] == 1)

    def test_objects(self) -> None:
        (row,) = measure(SHARED / "faro" / "tract9813_patches55to72_gri_filtered.fits.gz", "coadd_n_objects")
        self.assertEqual(row["value"], 209)

    def test_no_rows(self) -> None:
        from lsst.qa.errors import QaError

        for table in sorted((SHARED / "apdb").glob("*59134*.parq")):
            with self.assertRaises(QaError):
                measure(table)


@needs_shared
class VisitsTestCase(unittest.TestCase):
    """Summaries of visits."""

    def test_exposure_catalogues(self) -> None:
        summaries = sorted((SHARED / "visitSummary").glob("*.fits"))
        self.assertEqual(len(summaries), 8)
        for summary in summaries:
            rows = measure(summary)
            found = {row["metric"]: row for row in rows}
            with self.subTest(summary.name):
                visit = int(summary.stem.rpartition("_")[2])
                self.assertEqual({row["visit"] for row in rows}, {visit})
                self.assertEqual({row["physical_filter"] for row in rows}, {"HSC-Z"})
                self.assertEqual({row["band"] for row in rows}, {"z"})
                self.assertEqual({row["status"] for row in rows}, {"ok"})
                self.assertEqual(len(found), len(rows))
                self.assertLessEqual(found["n_detectors"]["value"], 103)
                self.assertTrue(0.4 < found["seeing"]["value"] < 1.3)
                self.assertTrue(23.0 < found["m5_background"]["value"] < 26.0)

    def test_scale_of_the_camera(self) -> None:
        """HSC's pixels are 0.168 arcsec at the centre."""
        rows = {r["metric"]: r["value"] for r in measure(SHARED / "visitSummary" / "visitSummary_1176.fits")}
        self.assertAlmostEqual(rows["seeing"] / rows["psf_sigma"] / 2.355, 0.168, delta=0.01)

    def test_by_detector(self) -> None:
        rows = measure(SHARED / "visitSummary" / "visitSummary_1176.fits", "seeing", by=["detector"])
        detectors = {row["detector"] for row in rows} - {None}
        self.assertEqual(len(rows), 104)
        self.assertEqual(len(detectors), 103)
        self.assertLessEqual(max(detectors), 111)

    def test_rubin(self) -> None:
        """6791 detectors of 755 visits, whose ids are packed in an integer."""
        rows = measure(SHARED / "rubin_visits" / "dp1_ccdvisit_subsampled.parquet")
        seeing = [row for row in rows if row["metric"] == "seeing"]
        self.assertEqual(len(seeing), 755)
        self.assertEqual(len({row["visit"] for row in seeing}), 755)
        self.assertEqual({row["status"] for row in rows}, {"ok"})
        self.assertEqual(sum(row["n"] for row in seeing), 6791)
        for row in seeing:
            # A night keeps the date of its noon, twelve hours behind UTC.
            night = row["obs_time"] - datetime.timedelta(hours=12)
            self.assertEqual(row["visit"] // 100_000, int(night.strftime("%Y%m%d")))
        self.assertLess(np.median([row["value"] for row in seeing]), 1.5)

    def test_time_is_utc(self) -> None:
        import pyarrow.compute as pc
        import pyarrow.parquet as pq
        from astropy.time import Time

        table = pq.read_table(SHARED / "rubin_visits" / "dp1_ccdvisit_subsampled.parquet")
        packed = table["ccdVisitId"][0].as_py()
        self.assertEqual(pc.min(table["expMidptMJD"]).as_py() > 60000, True)
        time = Time(table["expMidptMJD"][0].as_py(), format="mjd", scale="tai").utc.to_datetime()
        times = {row["obs_time"] for row in measure(table, "seeing")}
        self.assertIn(time, times, packed)


_CENTRED = (faro_sample, places_by_visit, pair_residuals, signed_centred)

if __name__ == "__main__":
    unittest.main()
