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

"""A simulated survey in a Butler repository, and the command that makes it."""

from __future__ import annotations

import json
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import pyarrow.parquet as pq
from click.testing import CliRunner

from lsst.daf.butler import Butler
from lsst.qa.cli import main
from lsst.qa.errors import SimulationError
from lsst.qa.simulate import Survey, matched_rows, sources, truth, visit_ids, write_matched, write_repository
from lsst.qa.simulate.files import DATASETS, count_files
from lsst.qa.simulate.reference import REFCAT, reference_stars
from lsst.sphgeom import LonLat, UnitVector3d

SURVEY = Survey(stars=300, galaxies=100, visits=2, bands="ri", tracts=2, ra=359.9)
TABLES = count_files(SURVEY)
OPTIONS = "--stars 300 --galaxies 100 --visits 2 --bands ri --tracts 2 --ra 359.9".split()
TRACT = {"instrument": "SimCam", "skymap": "sim_v1", "tract": 0}


class RepositoryTestCase(unittest.TestCase):
    """A repository, written once and read through the Butler."""

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.repo = Path(folder.name) / "a.repo"
        cls.steps: list[tuple[int, int]] = []
        cls.written = write_repository(cls.repo, SURVEY, lambda *step: cls.steps.append(step))
        cls.butler = Butler.from_config(str(cls.repo / "butler.yaml"), collections="SimCam/defaults")
        cls.addClassCleanup(cls.butler.close)

    def test_written(self) -> None:
        self.assertEqual(
            (self.written.status, self.written.visits, self.written.datasets), ("created", 8, TABLES)
        )
        self.assertEqual(self.steps, [(i, TABLES) for i in range(1, TABLES + 1)])
        self.assertEqual(
            self.written.sources, sum(len(sources(SURVEY, v)["visit"]) for v in visit_ids(SURVEY))
        )
        self.assertEqual(list(self.repo.parent.iterdir()), [self.repo])
        found = {name: len(self.butler.query_datasets(name)) for name in DATASETS}
        self.assertEqual(sum(found.values()), count_files(SURVEY))
        self.assertEqual((found["source"], found["object"], found["qa_truth"]), (8, 2, 1))

    def test_dimensions(self) -> None:
        (instrument,) = self.butler.query_dimension_records("instrument")
        self.assertEqual((instrument.name, instrument.class_name), ("SimCam", ""))
        visits = self.butler.query_dimension_records("visit", instrument="SimCam")
        self.assertEqual([visit.id for visit in sorted(visits, key=lambda v: v.id)], visit_ids(SURVEY))
        for visit in visits:
            self.assertLess((visit.timespan.end - visit.timespan.begin).sec, 31.0)
        nights = {
            day.id: day.timespan
            for day in self.butler.query_dimension_records("day_obs", instrument="SimCam")
        }
        self.assertTrue(all(nights[visit.day_obs].contains(visit.timespan) for visit in visits))
        exposures = self.butler.query_dimension_records("exposure", instrument="SimCam")
        self.assertEqual({e.id for e in exposures}, set(visit_ids(SURVEY)))
        # Each visit overlaps its own tract, all its patches, and no other.
        where = "instrument = 'SimCam' AND skymap = 'sim_v1'"
        pairs = self.butler.query_data_ids(["visit", "tract"], where=where)
        self.assertEqual({v["visit"] for v in pairs if v["tract"] == 1}, set(visit_ids(SURVEY, 1)))
        self.assertEqual(len(pairs), 8)
        self.assertEqual(len(self.butler.query_data_ids(["visit", "patch"], where=where)), 8 * 16)

    def test_sources(self) -> None:
        visit = visit_ids(SURVEY)[0]
        table = self.butler.get("source", instrument="SimCam", visit=visit)
        expected = sources(SURVEY, visit)
        self.assertEqual(table.colnames, list(expected))
        for name in table.colnames:
            np.testing.assert_array_equal(np.asarray(table[name]), expected[name], err_msg=name)
        self.assertEqual(str(table["psfFlux"].unit), "nJy")
        self.assertEqual(str(table["ra"].unit), "deg")
        few = self.butler.get(
            "source", instrument="SimCam", visit=visit, parameters={"columns": ["sourceId"]}
        )
        self.assertEqual(few.colnames, ["sourceId"])
        self.assertEqual(self.butler.get("source.rowcount", instrument="SimCam", visit=visit), len(table))

    def test_reference_catalogue(self) -> None:
        """In shards, of stars that were elsewhere at its epoch."""
        refs = self.butler.query_datasets(REFCAT)
        pixels = self.butler.dimensions.skypix_dimensions["htm7"].pixelization
        found = 0
        for ref in refs:
            table = self.butler.get(ref)
            self.assertEqual((str(table["coord_ra"].unit), str(table["pm_ra"].unit)), ("deg", "rad / yr"))
            for ra, dec in zip(table["coord_ra"].tolist(), table["coord_dec"].tolist()):
                self.assertEqual(pixels.index(UnitVector3d(LonLat.fromDegrees(ra, dec))), ref.dataId["htm7"])
            found += len(table)
        stars = {tract: reference_stars(SURVEY, tract) for tract in range(2)}
        self.assertEqual(found, sum(len(columns["id"]) for columns in stars.values()))
        self.assertLess(found, 600)
        self.assertEqual(len(np.unique(np.concatenate([s["id"] for s in stars.values()]))), found)
        self.assertGreater(np.ptp(stars[0]["coord_ra"]), 300.0)  # across RA 0

    def test_isolated_stars(self) -> None:
        """Slices of the keys are stars, and the keys lead to sources."""
        keys = self.butler.get("isolated_star_presources", TRACT)
        stars = self.butler.get("isolated_star_presource_associations", TRACT)
        self.assertGreater(len(stars), 100)
        self.assertNotIn("psfFlux", keys.colnames)
        self.assertEqual(stars["nsource"].sum(), len(keys))
        every = {v: self.butler.get("source", instrument="SimCam", visit=v) for v in visit_ids(SURVEY, 0)}
        joined = {int(row["sourceId"]): row for table in every.values() for row in table}
        self.assertGreater(int(stars["isolated_star_id"].min()), (1 << 62) - 1)
        for number, star in enumerate(stars):
            rows = keys[star["source_cat_index"] : star["source_cat_index"] + star["nsource"]]
            self.assertEqual(set(rows["obj_index"]), {number})
            self.assertEqual(star["nsource"], star["nsource_r"] + star["nsource_i"])
            for band in "ri":
                first = star[f"source_cat_index_{band}"]
                self.assertEqual(set(keys["band"][first : first + star[f"nsource_{band}"]]) - {band}, set())
            for row in rows:
                source = joined[int(row["sourceId"])]
                self.assertEqual(
                    (source["ra"], source["visit"], source["band"]), tuple(row["ra", "visit", "band"])
                )
                self.assertFalse(source["pixelFlags_interpolated"] or source["psfFlux_flag"])
                self.assertTrue(8.0 <= source["psfFlux"] / source["psfFluxErr"] <= 1000.0)
            east = (rows["ra"][rows["band"] == star["primary_band"]] - star["ra"] + 180.0) % 360.0 - 180.0
            self.assertLess(np.abs(east).max() * 3600.0, 1.0)
            self.assertLess(abs(east.mean()), 1e-9)

    def test_other_tables(self) -> None:
        self.assertGreater(len(self.butler.get("object", skymap="sim_v1", tract=1)), 100)
        self.assertEqual(len(self.butler.get("visit_table", instrument="SimCam")), 8)
        self.assertEqual(len(self.butler.get("visit_detector_table", instrument="SimCam")), 72)
        summary = self.butler.get("visit_summary", instrument="SimCam", visit=visit_ids(SURVEY)[3])
        self.assertEqual(list(summary["detector"]), list(range(9)))

    def test_truth(self) -> None:
        table = self.butler.get("qa_truth", instrument="SimCam")
        columns = ["metric", "band", "value", "unit", "visit", "detector", "skymap", "tract"]
        self.assertEqual(table.column_names, columns)
        expected = list(truth(SURVEY))
        self.assertEqual(
            [tuple(map(str, row.values())) for row in table.to_pylist()],
            [tuple(map(str, t)) for t in expected],
        )
        kept = json.loads(table.schema.metadata[b"qa.simulation"])
        self.assertEqual(kept["survey"], SURVEY.parameters())
        # Those who read results as Astropy tables can read truth so.
        self.assertEqual(
            len(self.butler.get("qa_truth", instrument="SimCam", storageClass="ArrowAstropy")), len(expected)
        )

    def test_again(self) -> None:
        before = sorted(path.stat().st_mtime_ns for path in self.repo.rglob("*"))
        again = write_repository(str(self.repo), SURVEY)
        self.assertEqual((again.status, again.sources), ("unchanged", self.written.sources))
        self.assertIn("left as it is", again.sentence())
        self.assertEqual(sorted(path.stat().st_mtime_ns for path in self.repo.rglob("*")), before)

    def test_another_survey(self) -> None:
        other = Survey(**{**SURVEY.parameters(), "seed": 9, "visits": 3})
        with self.assertRaisesRegex(SimulationError, "seed 1 there, 9 asked for, visits 2 there, 3 asked"):
            write_repository(self.repo, other)

    def test_command(self) -> None:
        """The command meets the repository that Python made."""
        found = CliRunner().invoke(main, ["simulate", str(self.repo), *OPTIONS, "--json"])
        self.assertEqual(found.exit_code, 0, found.output)
        told = json.loads(found.stdout)
        self.assertEqual((told["status"], told["visits"], told["datasets"]), ("unchanged", 8, TABLES))
        self.assertEqual(told["survey"]["bands"], "ri")


class PlaceTestCase(unittest.TestCase):
    """What is in the way is told and left alone."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_taken_places(self) -> None:
        (self.folder / "notes").write_text("mine")
        with self.assertRaisesRegex(SimulationError, "is not empty and holds no simulated survey"):
            write_repository(self.folder, SURVEY)
        with self.assertRaisesRegex(SimulationError, "is a file"):
            write_repository(self.folder / "notes", SURVEY)
        self.assertEqual((self.folder / "notes").read_text(), "mine")

    def test_foreign_repository(self) -> None:
        place = self.folder / "foreign"
        Butler.makeRepo(str(place))
        with self.assertRaisesRegex(SimulationError, "holds no simulated survey"):
            write_repository(place, SURVEY)

    def test_failure_leaves_nothing(self) -> None:
        with mock.patch("lsst.qa.simulate.files.sources", side_effect=KeyboardInterrupt):
            with self.assertRaises(KeyboardInterrupt):
                write_repository(self.folder / "deep" / "repo", SURVEY)
        self.assertEqual(list((self.folder / "deep").iterdir()), [])

    def test_next_to_nothing(self) -> None:
        survey = Survey(stars=0, galaxies=0, visits=1, bands="u", sky_sources=0)
        place = self.folder / "empty"
        place.mkdir()
        self.assertEqual(write_repository(place, survey).sources, 0)
        butler = Butler.from_config(str(place), collections="SimCam/defaults")
        self.addCleanup(butler.close)
        for name in ("isolated_star_presources", "isolated_star_presource_associations"):
            self.assertEqual(len(butler.get(name, TRACT)), 0)

    def test_command_errors(self) -> None:
        run = CliRunner().invoke
        found = run(main, ["simulate", str(self.folder / "r"), "--stars", "-1", "--bands", "x"])
        self.assertEqual(found.exit_code, 2)
        self.assertIn("stars is -1", found.output)
        self.assertIn("bands is 'x'", found.output)
        self.assertEqual(run(main, ["simulate", str(self.folder / "r"), "--visits", "many"]).exit_code, 2)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_dry_run(self) -> None:
        found = CliRunner().invoke(main, ["simulate", str(self.folder / "r"), "--dry-run"])
        self.assertEqual(found.exit_code, 0, found.output)
        self.assertIn(f"would be made: 30 visits, {count_files(Survey())} datasets", found.output)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_write_matched(self) -> None:
        survey = Survey(visits=2, bands="ri")
        path, steps = self.folder / "matched.parquet", []
        stars = write_matched(path, 9000, survey, lambda *step: steps.append(step))
        table = pq.read_table(path)
        self.assertEqual((table.num_rows, steps[-1]), (9000, (9000, 9000)))
        ids = table["isolated_star_id"].to_numpy()
        self.assertTrue((np.diff(ids) >= 0).all())
        self.assertEqual(stars, ids[-1] - (1 << 62) + 1)
        rows = matched_rows(survey, "i", 0, 50)
        chosen = (table["band"].to_numpy() == "i") & (ids < (1 << 62) + 50)
        np.testing.assert_array_equal(table["psfFlux"].to_numpy()[chosen], rows["psfFlux"])
        self.assertEqual(write_matched(path, 0, survey), 0)
        self.assertEqual(pq.read_table(path).column_names, table.column_names)
        with self.assertRaises(SimulationError):
            write_matched(path, -1, survey)


if __name__ == "__main__":
    unittest.main()
