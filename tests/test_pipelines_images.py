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

"""Pipelines whose inputs are images or fakes, from graph to results."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.table import Table
from support_butler import INSTRUMENT, SKYMAP, AfwFormatter, make_repository, put, results

from lsst.daf.butler import Butler, DatasetRef, DatasetType, FileDataset
from lsst.pipe.base import Pipeline
from lsst.pipe.base.simple_pipeline_executor import SimplePipelineExecutor

PATCHES = {"skymap": SKYMAP, "tract": 0, "band": "r"}
DETECTORS = {"instrument": INSTRUMENT, "visit": 11}


def masked(bad: int) -> fits.HDUList:
    """Make an image of a hundred pixels, so many of which are bad."""
    mask = fits.ImageHDU((np.arange(100).reshape(10, 10) < bad).astype(np.int32))
    mask.header["HIERARCH MP_BAD"] = 0
    return fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.zeros((10, 10), np.float32)), mask])


class ImagePipelinesTestCase(unittest.TestCase):
    """Each in a repository of its own."""

    def setUp(self) -> None:
        self.place = self.enterContext(tempfile.TemporaryDirectory())
        repository = make_repository(self.place)
        self.addCleanup(repository.close)
        # What a graph asks of each image of a detector, known or not.
        regions = [{**DETECTORS, "detector": detector, "region": None} for detector in range(2)]
        repository.registry.insertDimensionData("visit_detector_region", *regions)
        self.inputs = Butler.from_config(butler=repository, run="in")

    def image(self, name: str, storage: str, hdus: fits.HDUList, **own: Any) -> None:
        """Store an image in the file that production has it in."""
        path = Path(self.place) / f"{name}_{'_'.join(map(str, own.values()))}.fits"
        hdus.writeto(path)
        kind = DatasetType(name, tuple(own), storage, universe=self.inputs.dimensions)
        self.inputs.registry.registerDatasetType(kind)
        ref = DatasetRef(kind, self.inputs.registry.expandDataId(**own), run="in")
        self.inputs.ingest(FileDataset(str(path), [ref], formatter=AfwFormatter), transfer="direct")

    def run_pipeline(self, name: str, **parameters: str) -> Butler:
        pipeline = Pipeline.from_uri(f"$QA_DIR/pipelines/{name}.yaml")
        for key, value in parameters.items():
            pipeline.addConfigOverride("parameters", key, value)
        butler = SimplePipelineExecutor.prep_butler(self.place, ["in"], "out", "out/run")
        self.addCleanup(butler.close)
        executor = SimplePipelineExecutor.from_pipeline(pipeline, butler=butler)
        executor.run(register_dataset_types=True)
        return executor.butler

    def test_masks(self) -> None:
        """Of coadds and of visits in one go."""
        for number in range(2):
            self.image("deep_coadd", "ExposureF", masked(10 + 20 * number), **PATCHES, patch=number)
            self.image("visit_image", "ExposureF", masked(30 + 40 * number), **DETECTORS, detector=number)
        butler = self.run_pipeline("masks")
        coadd = {row["metric"]: row for row in results(butler, "qa_coadd_mask_metrics", tract=0)}
        self.assertEqual((coadd["mask_fraction.BAD"]["value"], coadd["mask_fraction.BAD"]["n"]), (20.0, 2))
        self.assertEqual(coadd["mask_fraction.STREAK"]["status"], "empty")
        rows = results(butler, "qa_visit_mask_metrics", visit=11)
        bad = {row["detector"]: row["value"] for row in rows if row["metric"] == "mask_fraction.BAD"}
        self.assertEqual(bad, {None: 50.0, 0: 30.0, 1: 70.0})

    def test_depth_of_images(self) -> None:
        """As the instruments have it that keep no table; the tasks whose
        inputs are not there are left out.
        """
        for patch in range(2):
            counts = np.full((10, 10), 3 + patch, np.uint16)
            self.image(
                "deepCoadd_nImage", "ImageU", fits.HDUList([fits.PrimaryHDU(counts)]), **PATCHES, patch=patch
            )
        butler = self.run_pipeline("HSC/coadd")
        rows = {row["metric"]: row for row in results(butler, "qa_coadd_depth_metrics", tract=0)}
        self.assertEqual(rows["depth_50_percentile_median"]["value"], 3.5)
        self.assertEqual(rows["depth_above_threshold_3_mean"]["value"], 100.0)
        self.assertEqual(rows["depth_above_threshold_5_mean"]["value"], 0.0)
        self.assertEqual(butler.query_datasets("qa_object_parent_metrics", explain=False), [])

    def test_fakes(self) -> None:
        n = 8
        for detector in range(2):
            table = Table({"injection_id": np.arange(n), "band": np.full(n, "r"), "dist_diaSrc": np.zeros(n)})
            table["mag"], table["snr"] = np.full(n, 20.5), np.full(n, 30.0)
            table["diaSourceId"] = np.where(np.arange(n) < 4 + 2 * detector, np.arange(n) + 2**62, 0)
            for name in ("bad", "interpolated", "edgeCenter"):
                table[f"forced_base_PixelFlags_flag_{name}"] = np.zeros(n, dtype=bool)
            table["forced_base_LocalBackground_flag"] = np.zeros(n, dtype=bool)
            put(
                self.inputs,
                "injected_goodSeeingDiff_matchAssocDiaSrc",
                table,
                visit=11,
                detector=detector,
            )
        butler = self.run_pipeline("fakes", lackingColumns="undefined")
        found = {row["metric"]: row for row in results(butler, "qa_dia_fake_metrics", visit=11)}
        self.assertEqual(found["dia_fake_recovered_fraction"]["value"], 62.5)
        self.assertEqual(found["dia_fake_recovered_fraction"]["n"], 16)


if __name__ == "__main__":
    unittest.main()
