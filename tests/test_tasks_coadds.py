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

"""The tasks of coadds and of difference images, on tables and on images."""

from __future__ import annotations

import contextlib
import functools
import tempfile
import unittest
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table
from support_butler import INSTRUMENT, SKYMAP, AfwFormatter, made, new_run, of, put, results, run_task

from lsst.daf.butler import DatasetRef, DatasetType, FileDataset
from lsst.pipe.base import NoWorkFound
from lsst.pipe.base.testUtils import lintConnections
from lsst.qa.errors import InputError, NotATableError
from lsst.qa.tables.readable import from_columns
from lsst.qa.tables.stacked import Part, Stacked
from lsst.qa.tasks import (
    CoaddDepthMetricsTask,
    CoaddInputMetricsTask,
    CoaddMaskMetricsTask,
    DiaFakeMetricsTask,
    DiaSourceMetricsTask,
    DiaVisitMetricsTask,
    ObjectParentMetricsTask,
    VisitMaskMetricsTask,
)

TASKS: tuple[Any, ...] = (
    CoaddDepthMetricsTask,
    CoaddInputMetricsTask,
    CoaddMaskMetricsTask,
    DiaFakeMetricsTask,
    DiaSourceMetricsTask,
    DiaVisitMetricsTask,
    ObjectParentMetricsTask,
    VisitMaskMetricsTask,
)


def dia_sources(n: int, good: int) -> Table:
    """Make sources of a difference image, some of them good."""
    flags = ("bad", "saturatedCenter", "interpolatedCenter", "edge", "nodata")
    return Table(
        {
            "diaSourceId": np.arange(n) + 2**62,
            "visit": np.full(n, 11),
            "detector": np.zeros(n, dtype=np.int16),
            "band": np.full(n, "r"),
            "diaObjectId": np.arange(n),
            "ssObjectId": np.zeros(n, dtype=np.int64),
            **{f"pixelFlags_{name}": np.arange(n) >= good for name in flags},
        }
    )


class TablesTestCase(unittest.TestCase):
    """Inputs that are tables."""

    def setUp(self) -> None:
        self.butler = new_run()

    def test_connections(self) -> None:
        for kind in TASKS:
            lintConnections(kind.ConfigClass.ConnectionsClass)

    def test_parents(self) -> None:
        n = 10
        table = Table({"objectId": np.arange(n), "parentObjectId": np.zeros(n, dtype=int)})
        table["sky_object"] = np.arange(n) == 9
        table["deblend_failed"] = np.arange(n) < 2
        put(self.butler, "object_parent", table, tract=0)
        run_task(made(ObjectParentMetricsTask, metrics=["deblend_failed_fraction"]), self.butler, tract=0)
        (row,) = results(self.butler, "qa_object_parent_metrics", tract=0)
        self.assertAlmostEqual(row["value"], 200.0 / 9.0, places=9)
        self.assertEqual((row["skymap"], row["tract"], row["band"]), (SKYMAP, 0, None))

    def test_depth(self) -> None:
        table = Table({"patch": np.arange(4), "band": np.array(["r", "r", "r", "i"])})
        table["depth_above_threshold_1"] = [100.0, 90.0, 50.0, 10.0]
        put(self.butler, "deep_coadd_depth_table", table, tract=0)
        run_task(
            made(CoaddDepthMetricsTask, metrics=["depth_above_threshold_1_median"]), self.butler, tract=0
        )
        rows = results(self.butler, "qa_coadd_depth_metrics", tract=0)
        self.assertEqual({row["band"]: row["value"] for row in rows}, {"r": 90.0, "i": 10.0})

    def test_inputs(self) -> None:
        """The tables of two bands are one."""
        for band, visits in (("r", 3), ("i", 2)):
            table = Table({"tract": np.zeros(6, dtype=int), "patch": np.arange(6) % 2})
            table["visit"], table["detector"] = np.arange(6) % visits, np.zeros(6, dtype=int)
            table["weight"], table["goodpix"] = np.ones(6), np.full(6, 100)
            put(self.butler, "deep_coadd_input_summary_tract", table, tract=0, band=band)
        task = made(CoaddInputMetricsTask, metrics=["coadd_n_visits"])
        run_task(task, self.butler, each=[{"band": band} for band in "ri"], tract=0)
        rows = results(self.butler, "qa_coadd_input_metrics", tract=0)
        self.assertEqual({row["band"]: row["value"] for row in rows}, {"r": 3.0, "i": 2.0})

    def test_difference_of_a_tract(self) -> None:
        put(self.butler, "dia_source", dia_sources(10, 8), tract=0)
        task = made(DiaSourceMetricsTask, metrics=["dia_good_fraction", "n_dia_associated"], by=["visit"])
        run_task(task, self.butler, tract=0)
        rows = results(self.butler, "qa_dia_source_metrics", tract=0)
        found = {(row["metric"], row["visit"]): row["value"] for row in rows}
        self.assertEqual(
            found,
            {
                ("dia_good_fraction", None): 80.0,
                ("dia_good_fraction", 11): 80.0,
                ("n_dia_associated", None): 9.0,
                ("n_dia_associated", 11): 9.0,
            },
        )

    def test_difference_of_a_visit(self) -> None:
        """By detector, and all together; a detector may be empty."""
        for detector, n in enumerate((10, 0, 30)):
            put(self.butler, "dia_source_detector", dia_sources(n, n // 2), visit=11, detector=detector)
        task = made(DiaVisitMetricsTask, metrics=["n_dia_good"], by=["detector"])
        run_task(task, self.butler, each=[{"detector": d} for d in range(3)], visit=11)
        rows = results(self.butler, "qa_dia_visit_metrics", visit=11)
        # The table says 0 for all of them, and is believed.
        self.assertEqual({row["detector"]: row["value"] for row in rows}, {None: 20.0, 0: 20.0})
        self.assertEqual({(row["visit"], row["instrument"]) for row in rows}, {(11, INSTRUMENT)})

    def test_tables_without_their_detector(self) -> None:
        """Their data ID tells."""
        for detector, n in enumerate((10, 30)):
            table = dia_sources(n, n)
            table.remove_column("detector")
            put(self.butler, "dia_source_detector", table, visit=11, detector=detector)
        task = made(DiaVisitMetricsTask, metrics=["n_dia_sources"], by=["detector"])
        run_task(task, self.butler, each=[{"detector": d} for d in range(2)], visit=11)
        rows = results(self.butler, "qa_dia_visit_metrics", visit=11)
        self.assertEqual({row["detector"]: row["value"] for row in rows}, {None: 40.0, 0: 10.0, 1: 30.0})

    def test_no_source_at_all(self) -> None:
        put(self.butler, "dia_source_detector", dia_sources(0, 0), visit=11, detector=0)
        task = made(DiaVisitMetricsTask, metrics=["n_dia_sources"])
        with self.assertRaisesRegex(NoWorkFound, "has no row"):
            run_task(task, self.butler, each=[{"detector": 0}], visit=11)

    def test_tables_that_differ(self) -> None:
        first, second = dia_sources(3, 3), dia_sources(3, 3)
        second.remove_column("diaObjectId")
        for detector, table in enumerate((first, second)):
            put(self.butler, "dia_source_detector", table, visit=11, detector=detector)
        task = made(DiaVisitMetricsTask, metrics=["n_dia_sources"])
        with self.assertRaisesRegex(InputError, "has no column diaObjectId, as other tables have"):
            run_task(task, self.butler, each=[{"detector": d} for d in range(2)], visit=11)

    def test_fakes(self) -> None:
        n = 8
        table = Table({"injection_id": np.arange(n), "band": np.full(n, "r"), "dist_diaSrc": np.zeros(n)})
        table["diaSourceId"] = np.where(np.arange(n) < 6, np.arange(n) + 2**62, 0)
        for name in ("bad", "interpolated", "edgeCenter"):
            table[f"forced_base_PixelFlags_flag_{name}"] = np.zeros(n, dtype=bool)
        table["forced_base_LocalBackground_flag"] = np.zeros(n, dtype=bool)
        put(self.butler, "injected_goodSeeingDiff_matchAssocDiaSrc", table, visit=11, detector=1)
        task = made(DiaFakeMetricsTask, metrics=["dia_fake_recovered_fraction"])
        run_task(task, self.butler, each=[{"detector": 1}], visit=11)
        (row,) = results(self.butler, "qa_dia_fake_metrics", visit=11)
        self.assertEqual((row["value"], row["n"]), (75.0, 8))


class StackedTestCase(unittest.TestCase):
    """Several tables as one."""

    def test_rows(self) -> None:
        tables = [{"x": np.arange(n), "band": np.full(n, "g")} for n in (2, 0, 3)]
        tables[0].pop("band")
        parts = [
            Part(functools.partial(contextlib.nullcontext, from_columns(table)), {"band": "r", "patch": p})
            for p, table in enumerate(tables)
        ]
        stacked = Stacked(parts)
        self.assertEqual((stacked.n_rows, stacked.texts), (5, {"band"}))
        found = list(stacked.pieces(["band", "patch"]))
        self.assertEqual([piece["band"].tolist() for piece in found], [["r"] * 2, ["g"] * 3])
        self.assertEqual([piece["patch"].tolist() for piece in found], [[0, 0], [2, 2, 2]])
        self.assertEqual([piece["x"].tolist() for piece in stacked.pieces(["x"])], [[0, 1], [0, 1, 2]])


class ImagesTestCase(unittest.TestCase):
    """Inputs that are images, read in pieces from their files."""

    def setUp(self) -> None:
        self.butler = new_run()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def add(
        self, name: str, dimensions: tuple[str, ...], storage: str, hdus: fits.HDUList, **own: Any
    ) -> None:
        """Ingest an image as production stores it."""
        path = self.folder / f"{name}_{'_'.join(map(str, own.values()))}.fits"
        hdus.writeto(path)
        kind = DatasetType(name, dimensions, storage, universe=self.butler.dimensions)
        self.butler.registry.registerDatasetType(kind)
        expanded = self.butler.registry.expandDataId(**own)
        ref = DatasetRef(kind, expanded, run=str(self.butler.run))
        self.butler.ingest(FileDataset(str(path), [ref], formatter=AfwFormatter), transfer="copy")

    def mask(self, values: np.ndarray, packed: bool = False) -> fits.HDUList:
        """Write a mask as afw does, after the image."""
        mask = fits.ImageHDU(values.astype(np.int32))
        if packed:
            mask = fits.CompImageHDU(values.astype(np.int32), compression_type="GZIP_2")
        mask.header["EXTNAME"] = "MASK"
        for name, bit in (("BAD", 0), ("SAT", 1), ("NO_DATA", 8), ("DETECTED_NEGATIVE", 6)):
            mask.header[f"HIERARCH MP_{name}"] = bit
        return fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros(values.shape, np.float32)), mask])

    def test_masks_of_coadds(self) -> None:
        """Weighted by the pixels with data, as they are counted by hand."""
        draw = np.random.default_rng(4)
        images = [draw.choice([0, 1, 2, 3, 256, 257], (40 + 10 * p, 50)) for p in range(3)]
        for patch, values in enumerate(images):
            self.add(
                "deep_coadd",
                ("skymap", "tract", "patch", "band"),
                "ExposureF",
                self.mask(values, packed=patch > 0),
                skymap=SKYMAP,
                tract=0,
                patch=patch,
                band="r",
            )
        names = ["BAD", "NO_DATA", "STREAK"]
        task = made(CoaddMaskMetricsTask, metrics=[f"mask_fraction.{name}" for name in names])
        run_task(task, self.butler, each=[{"patch": p, "band": "r"} for p in range(3)], tract=0)
        bad, lacking, streak = results(self.butler, "qa_coadd_mask_metrics", tract=0)
        whole = np.concatenate([values.ravel() for values in images])
        valid = whole[whole < 256]
        self.assertAlmostEqual(bad["value"], 100.0 * np.mean(valid & 1), 9)
        self.assertAlmostEqual(lacking["value"], 100.0 * np.mean(whole >= 256), 9)
        self.assertEqual((bad["band"], bad["n"], streak["status"]), ("r", 3, "empty"))
        self.assertGreater(bad["error"], 0.0)

    def test_masks_of_visits(self) -> None:
        for detector in range(2):
            self.add(
                "visit_image",
                ("instrument", "visit", "detector"),
                "ExposureF",
                self.mask(np.arange(100).reshape(10, 10) < 10 * (1 + detector)),
                instrument=INSTRUMENT,
                visit=11,
                detector=detector,
            )
        task = made(VisitMaskMetricsTask, metrics=["mask_fraction.BAD"], by=["detector"])
        run_task(task, self.butler, each=[{"detector": d} for d in range(2)], visit=11)
        rows = results(self.butler, "qa_visit_mask_metrics", visit=11)
        self.assertEqual({row["detector"]: row["value"] for row in rows}, {None: 15.0, 0: 10.0, 1: 20.0})
        self.assertEqual({row["band"] for row in rows}, {"r"})

    def depths(self, image: np.ndarray) -> list[dict[str, Any]]:
        self.add(
            "deep_coadd_n_image",
            ("skymap", "tract", "patch", "band"),
            "ImageU",
            fits.HDUList([fits.PrimaryHDU(), fits.CompImageHDU(image)]),
            skymap=SKYMAP,
            tract=0,
            patch=0,
            band="r",
        )
        metrics = [
            f"depth_{what}_mean" for what in ("above_threshold_1", "above_threshold_5", "5_percentile")
        ]
        task = made(CoaddDepthMetricsTask, metrics=metrics, measured_in="n_image")
        run_task(task, self.butler, each=[{"patch": 0, "band": "r"}], tract=0)
        return results(self.butler, "qa_coadd_depth_metrics", tract=0)

    def test_depth(self) -> None:
        """As NumPy has it of all the pixels at once."""
        image = np.random.default_rng(5).poisson(4.0, (301, 203)).astype(np.uint16)
        rows = self.depths(image)
        expected = [100.0 * np.mean(image >= 1), 100.0 * np.mean(image >= 5), np.percentile(image, 5)]
        for row, value in zip(rows, expected):
            self.assertAlmostEqual(row["value"], value, 9)
        self.assertEqual({row["band"] for row in rows}, {"r"})

    def test_percentiles(self) -> None:
        """Between pixels as well."""
        (*_, low) = self.depths(np.array([[0, 3, 7, 9]], dtype=np.uint16))
        self.assertAlmostEqual(low["value"], np.percentile([0, 3, 7, 9], 5), 9)

    def test_pixels_that_are_no_numbers(self) -> None:
        with self.assertRaisesRegex(InputError, "no numbers of images"):
            self.depths(np.full((3, 3), 0.5, dtype=np.float32))

    def test_image_without_mask(self) -> None:
        alone = fits.HDUList([fits.PrimaryHDU(np.zeros((4, 4), np.float32))])
        self.add(
            "visit_image",
            ("instrument", "visit", "detector"),
            "ExposureF",
            alone,
            instrument=INSTRUMENT,
            visit=12,
            detector=0,
        )
        task = made(VisitMaskMetricsTask, metrics=["mask_fraction.BAD"])
        with self.assertRaisesRegex(NotATableError, "has no mask"):
            run_task(task, self.butler, each=[{"detector": 0}], visit=12)

    def test_file(self) -> None:
        """A user's own image is measured as it is."""
        from lsst.qa import measure

        path = self.folder / "image.fits"
        self.mask(np.arange(100).reshape(10, 10) < 25).writeto(path)
        (row,) = of(list(measure(path)), "mask_fraction.BAD")
        self.assertEqual(row["value"], 25.0)


if __name__ == "__main__":
    unittest.main()
