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

"""The task that finds which images overlap patches and are in their coadds."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from typing import Any

import numpy as np
from astropy.table import Table
from support_butler import SKYMAP, AfwFormatter, make_repository, put, results

from lsst.daf.butler import Butler, DatasetRef, DatasetType, FileDataset
from lsst.pipe.base import Pipeline
from lsst.pipe.base.simple_pipeline_executor import SimplePipelineExecutor
from lsst.pipe.base.testUtils import lintConnections
from lsst.qa.columns.derived import AFW_CORNERS
from lsst.qa.errors import MissingColumnError
from lsst.qa.tables.choices import images_of
from lsst.qa.tables.readable import from_columns
from lsst.qa.tasks.choice import CoaddChoiceMetricsConnections

INGREDIENT = "$QA_DIR/pipelines/_ingredients/coaddChoiceMetrics.yaml"


def summary(*left: float) -> Table:
    """Make the summary of a visit whose detectors are 0.2 deg wide, each
    beginning at a right ascension; NaN for one that was not calibrated.
    """
    ra = np.array(left)
    table = Table({"detector": np.arange(len(ra)), "zeroPoint": np.where(np.isfinite(ra), 31.0, np.nan)})
    for corner, (across, up) in {"ll": (0, 0), "lr": (1, 0), "ur": (1, 1), "ul": (0, 1)}.items():
        table[f"{corner}cra"] = ra + 0.2 * across
        table[f"{corner}cdec"] = np.where(np.isfinite(ra), 0.4 + 0.2 * up, np.nan)
    return table


def inputs(*images: tuple[int, int, int]) -> Table:
    """Make the table of the images, each of a patch, visit and detector."""
    patch, visit, detector = np.array(images).T
    ones = np.ones(len(patch))
    return Table({"patch": patch, "visit": visit, "detector": detector, "weight": ones, "goodpix": ones})


class ChoiceTestCase(unittest.TestCase):
    """Two patches in r, one in i, all between 10 and 11 deg."""

    def setUp(self) -> None:
        self.place = self.enterContext(tempfile.TemporaryDirectory())
        self.repository = make_repository(self.place)
        self.addCleanup(self.repository.close)
        self.butler = Butler.from_config(butler=self.repository, run="in")
        for patch, band in ((0, "r"), (1, "r"), (0, "i")):
            self.coadd(patch, band)

    def coadd(self, patch: int, band: str) -> None:
        """Store what tells that there is a coadd: a file that is not read."""
        kind = DatasetType(
            "deep_coadd_n_image",
            ("skymap", "tract", "patch", "band"),
            "ImageU",
            universe=self.butler.dimensions,
        )
        self.butler.registry.registerDatasetType(kind)
        file = Path(self.place) / f"n_image_{patch}_{band}.fits"
        file.touch()
        data_id = self.butler.registry.expandDataId(skymap=SKYMAP, tract=0, patch=patch, band=band)
        ref = DatasetRef(kind, data_id, run="in")
        self.butler.ingest(FileDataset(str(file), [ref], formatter=AfwFormatter), transfer="direct")

    def fill(self) -> None:
        # Half in, beside, within, not calibrated; two of each visit in i.
        put(self.butler, "visit_summary", summary(9.9, 9.0, 10.4, np.nan), visit=11)
        put(self.butler, "visit_summary", summary(10.2, 10.6), visit=12)
        put(self.butler, "visit_summary", summary(10.2, 10.6), visit=21)
        put(self.butler, "visit_summary", summary(10.2), visit=99)
        chosen = inputs((0, 11, 0), (0, 11, 2), (1, 11, 2), (0, 12, 0))
        put(self.butler, "deep_coadd_input_summary_tract", chosen, tract=0, band="r")
        put(self.butler, "deep_coadd_input_summary_tract", inputs((0, 21, 1)), tract=0, band="i")

    def run_task(self) -> dict[tuple[str, str], dict[str, Any]]:
        pipeline = Pipeline.from_uri(INGREDIENT)
        butler = SimplePipelineExecutor.prep_butler(self.place, ["in"], "out", "out/run")
        self.addCleanup(butler.close)
        executor = SimplePipelineExecutor.from_pipeline(pipeline, butler=butler)
        executor.run(register_dataset_types=True)
        rows = results(butler, "qa_coadd_choice_metrics", tract=0)
        return {(row["metric"], row["band"]): row for row in rows}

    def test_values(self) -> None:
        """Four images in r overlap two patches, and four of eight were
        chosen; the visit that is far from the tract does not count.
        """
        self.fill()
        rows = self.run_task()
        told = {key: (round(row["value"], 9), row["n"], row["tract"]) for key, row in rows.items()}
        self.assertEqual(
            told,
            {
                ("coadd_input_fraction", "r"): (50.0, 8, 0),
                ("coadd_input_fraction", "i"): (50.0, 2, 0),
                ("coadd_calibrated_fraction", "r"): (83.333333333, 6, 0),
                ("coadd_calibrated_fraction", "i"): (100.0, 2, 0),
            },
        )

    def test_connections(self) -> None:
        lintConnections(CoaddChoiceMetricsConnections)

    def test_corners_of_afw(self) -> None:
        """As its catalogues name them."""
        plain = summary(10.0)
        names = [f"{corner}c{axis}" for corner in ("ll", "ul", "ur", "lr") for axis in ("ra", "dec")]
        columns = {new: plain[old] for new, old in zip(AFW_CORNERS, names)}
        table = from_columns({"detector": [3], "zeroPoint": [31.0], **columns})
        (image,) = images_of(table, 11, "r")
        self.assertEqual((image.visit, image.detector, image.band), (11, 3, "r"))
        assert image.region is not None
        self.assertAlmostEqual(image.region.getCentroid()[2], np.sin(np.radians(0.5)), places=7)

    def test_no_corners(self) -> None:
        table = from_columns({"detector": [3], "zeroPoint": [31.0]}, "summary.parq")
        with self.assertRaisesRegex(MissingColumnError, "summary.parq lacks llcra, .*which images overlap"):
            list(images_of(table, 11, "r"))


if __name__ == "__main__":
    unittest.main()
