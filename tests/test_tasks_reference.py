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

"""Tasks that match to reference catalogues, run by an executor."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from typing import Any

import numpy as np
from astropy import units as u
from astropy.table import Table
from support_butler import INSTRUMENT, MIDDLE, SKYMAP, AfwFormatter, make_repository, put, results
from support_tables import sources

from lsst.daf.butler import Butler, DatasetRef, DatasetType, FileDataset
from lsst.pipe.base import Pipeline
from lsst.pipe.base.simple_pipeline_executor import SimplePipelineExecutor
from lsst.qa.tasks.reference import ObjectReferenceMetricsTask, SourceReferenceMetricsTask
from lsst.sphgeom import LonLat, UnitVector3d

PIPELINES = "$QA_DIR/pipelines"
N_STARS = 30
OFFSET = (12.0, -7.0)
"""By how much the sources are off, to the east and north, in mas."""
BRIGHT = 0.03
"""By how much they are too bright, in mag."""

FLAGS = ["psfFlux_flag", "pixelFlags_saturatedCenter", "nearest"]


def reference(n: int = N_STARS, shift: tuple[float, float] = (0.0, 0.0), **names: str) -> Table:
    """Make the stars of a shard where `sources` has its first ones."""
    named = {"coord_ra": "coord_ra", "coord_dec": "coord_dec", "flux": "r_flux", **names}
    dec = 0.5 - (OFFSET[1] + shift[1]) / 3.6e6
    ra = 10.5 + 0.001 * np.arange(n) - (OFFSET[0] + shift[0]) / 3.6e6 / np.cos(np.radians(dec))
    flux = 10.0 ** (-0.4 * (np.linspace(18.0, 20.0, n) + BRIGHT - 31.4))
    return Table(
        {
            "id": np.arange(n) + 40,
            named["coord_ra"]: ra * u.deg,
            named["coord_dec"]: np.full(n, dec) * u.deg,
            named["flux"]: flux * u.nJy,
        }
    )


class ReferenceTaskTestCase(unittest.TestCase):
    """Visits and tracts, in a repository of its own."""

    def setUp(self) -> None:
        self.place = self.enterContext(tempfile.TemporaryDirectory())
        self.repository = make_repository(self.place)
        self.addCleanup(self.repository.close)
        self.inputs = Butler.from_config(butler=self.repository, run="in")
        pixels = self.repository.dimensions.skypix_dimensions["htm7"].pixelization
        self.here = pixels.index(UnitVector3d(LonLat.fromDegrees(10.51, 0.5)))
        self.far = pixels.index(UnitVector3d(LonLat.fromDegrees(200.0, 0.5)))
        for visit in (11, 99):
            magnitudes = np.linspace(18.0, 20.0, N_STARS).tolist()
            put(self.inputs, "source", sources(visit, magnitudes), visit=visit)

    def shard(self, table: Table, pixel: int, name: str = "the_monster_20250219", afw: bool = False) -> None:
        """Store a shard, as a table or as an afw catalogue in its file."""
        kind = DatasetType(
            name, ("htm7",), "SimpleCatalog" if afw else "ArrowAstropy", universe=self.inputs.dimensions
        )
        self.inputs.registry.registerDatasetType(kind)
        if not afw:
            self.inputs.put(table, name, htm7=pixel)
            return
        file = Path(self.place) / f"{name}_{pixel}.fits"
        table.write(file)
        ref = DatasetRef(kind, self.inputs.registry.expandDataId(htm7=pixel), run="in")
        self.inputs.ingest(FileDataset(str(file), [ref], formatter=AfwFormatter), transfer="direct")

    def run_task(self, label: str, **settings: Any) -> SimplePipelineExecutor:
        pipeline = Pipeline.from_uri(f"{PIPELINES}/_ingredients/{label}.yaml")
        settings = {"assume_applied": FLAGS, "flux": "{band}_flux", **settings}
        for field, value in settings.items():
            pipeline.addConfigOverride(label, field, value)
        butler = SimplePipelineExecutor.prep_butler(self.place, ["in"], "out", "out/run")
        self.addCleanup(butler.close)
        executor = SimplePipelineExecutor.from_pipeline(pipeline, butler=butler)
        executor.run(register_dataset_types=True)
        return executor

    def rows(self, executor: SimplePipelineExecutor, **data_id: Any) -> dict[Any, dict[str, Any]]:
        name = "qa_source_reference_metrics" if "visit" in data_id else "qa_object_reference_metrics"
        found = results(executor.butler, name, **data_id)
        return {(row["metric"], row["detector"], row["band"]): row for row in found}

    def check_visit(self, executor: SimplePipelineExecutor) -> None:
        found = self.rows(executor, visit=11)
        for metric, value in (
            ("AA1_RA", OFFSET[0]),
            ("AA1_Dec", OFFSET[1]),
            ("AA1", 12.0),
            ("AA1_tot", float(np.hypot(*OFFSET))),
            ("ref_photom_offset", -1e3 * BRIGHT),
        ):
            for detector, n in ((None, N_STARS), (0, N_STARS // 2), (1, N_STARS // 2)):
                row = found[metric, detector, "r"]
                self.assertAlmostEqual(row["value"], value, places=5)
                self.assertEqual((row["n"], row["visit"], row["status"]), (n, 11, "ok"))
        self.assertEqual(found["AA1", None, "r"]["obs_time"], MIDDLE)
        self.assertEqual({row["instrument"] for row in found.values()}, {INSTRUMENT})
        names = {ref.dataId["visit"] for ref in executor.butler.query_datasets("qa_source_reference_metrics")}
        self.assertEqual(names, {11}, "no shard overlaps visit 99")

    def test_visit(self) -> None:
        """In two shards, of which only one overlaps."""
        self.shard(reference(), self.here)
        self.shard(reference(3), self.far)
        self.check_visit(self.run_task("sourceReferenceMetrics"))

    def test_afw_catalogues(self) -> None:
        """Read without afw, from where they lie."""
        self.shard(reference(), self.here, afw=True)
        self.check_visit(self.run_task("sourceReferenceMetrics", stored_as="SimpleCatalog"))

    def test_two_catalogues(self) -> None:
        """The one has no fluxes, the other wrong positions."""
        self.shard(reference(flux="phot_g_mean_flux"), self.here)
        self.shard(reference(shift=(300.0, 0.0)), self.here, "ps1")
        executor = self.run_task(
            "sourceReferenceMetrics", **{"separate_photometry": True, "connections.photometricRefcat": "ps1"}
        )
        self.check_visit(executor)

    def test_one_of_two_catalogues(self) -> None:
        """Fluxes are compared without positions, and a warning says so."""
        self.shard(reference(), self.here, "ps1")
        with self.assertLogs("lsst.sourceReferenceMetrics", "WARNING") as logs:
            executor = self.run_task(
                "sourceReferenceMetrics",
                **{"separate_photometry": True, "connections.photometricRefcat": "ps1"},
            )
        self.assertIn("no shard of the reference catalogue the_monster_20250219, stored", logs.output[0])
        found = self.rows(executor, visit=11)
        self.assertEqual(found["AA1", None, "r"]["status"], "empty")
        self.assertEqual(found["ref_photom_offset", None, "r"]["n"], N_STARS)

    def test_no_catalogue(self) -> None:
        """None in the collections: nothing to do, and no failure."""
        with self.assertLogs("lsst.pipe.base.single_quantum_executor", "INFO") as logs:
            executor = self.run_task("sourceReferenceMetrics")
        self.assertIn(
            "no shard of the reference catalogue the_monster_20250219, stored by htm7", str(logs.output)
        )
        self.assertEqual(executor.butler.query_datasets("qa_source_reference_metrics", explain=False), [])

    def test_matched_already(self) -> None:
        """A match that another package made, of every pair within reach."""
        table, stars = sources(11, np.linspace(18.0, 20.0, N_STARS).tolist(), extra=0), reference()
        match = Table({f"{name}_target": table[name] for name in table.colnames})
        match["ra_ref"], match["dec_ref"] = stars["coord_ra"], stars["coord_dec"]
        match["mag_ref"] = 31.4 - 2.5 * np.log10(stars["r_flux"])
        again = match[:5].copy()
        again["dec_ref"] = again["dec_ref"] + 0.5 / 3600.0 * again["dec_ref"].unit
        both = Table({name: np.concatenate([match[name], again[name]]) for name in match.colnames})
        kind = DatasetType(
            "source_gaia_match_astrom",
            ("instrument", "visit"),
            "ArrowAstropy",
            universe=self.inputs.dimensions,
        )
        self.inputs.registry.registerDatasetType(kind)
        self.inputs.put(both, kind, instrument=INSTRUMENT, visit=11)
        executor = self.run_task(
            "sourceReferenceMetrics",
            **{
                "matched": True,
                "connections.source": "source_gaia_match_astrom",
                "assume_applied": FLAGS[:2],
                "metrics": ["AA1", "AA1_RA", "AA1_tot", "AA1_tot.analysis_tools", "ref_photom_offset"],
            },
        )
        found = self.rows(executor, visit=11)
        self.assertEqual(found["AA1", None, "r"]["n"], N_STARS)
        self.assertAlmostEqual(found["AA1_RA", None, "r"]["value"], OFFSET[0], places=5)
        self.assertEqual(found["AA1_tot.analysis_tools", None, "r"]["n"], N_STARS + 5)

    def test_tract(self) -> None:
        """Objects of two bands; there is no flux of the one."""
        n = N_STARS
        magnitudes = np.linspace(18.0, 20.0, n)
        flux = 10.0 ** (-0.4 * (magnitudes - 31.4))
        table = Table(
            {
                "objectId": np.arange(n) + (1 << 62),
                "patch": np.arange(n) % 3,
                "coord_ra": 10.5 * u.deg + 0.001 * np.arange(n) * u.deg,
                "coord_dec": np.full(n, 0.5) * u.deg,
                "detect_isPrimary": np.ones(n, dtype=bool),
            }
        )
        for band in "ri":
            table[f"{band}_psfFlux"], table[f"{band}_psfFluxErr"] = flux * u.nJy, flux / 1e3 * u.nJy
            table[f"{band}_extendedness"] = np.zeros(n)
        put(self.inputs, "object", table, tract=0)
        self.shard(reference(), self.here)
        metrics = ["coadd_AA1_RA", "coadd_AA1_Dec", "PA6", "PA3"]
        executor = self.run_task("objectReferenceMetrics", metrics=metrics, lacking_columns="undefined")
        found = self.rows(executor, tract=0)
        for band in "ri":
            self.assertAlmostEqual(found["coadd_AA1_RA", None, band]["value"], OFFSET[0], places=5)
            self.assertAlmostEqual(found["coadd_AA1_Dec", None, band]["value"], OFFSET[1], places=5)
        self.assertAlmostEqual(found["PA6", None, "r"]["value"], 1e3 * BRIGHT, places=6)
        self.assertEqual((found["PA3", None, "r"]["n"], found["PA3", None, "r"]["skymap"]), (3, SKYMAP))
        self.assertEqual(found["PA6", None, "i"]["status"], "undefined")
        self.assertEqual(set(found), {(metric, None, band) for metric in metrics for band in "ri"})
        self.assertIn("needs 'i_ref_mag'", found["PA6", None, "i"]["message"])

    def test_connections(self) -> None:
        from lsst.pipe.base.testUtils import lintConnections

        for task in (SourceReferenceMetricsTask, ObjectReferenceMetricsTask):
            lintConnections(task.ConfigClass.ConnectionsClass)


if __name__ == "__main__":
    unittest.main()
