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

"""Tables matched to reference catalogues that come in shards."""

from __future__ import annotations

import contextlib
import gc
import logging
import math
import tracemalloc
import unittest
from typing import Any

import numpy as np
from astropy.io import fits
from support import Columns, Cut, FolderTestCase, same, taken

from lsst.qa.columns import TABLES
from lsst.qa.errors import InputError
from lsst.qa.metrics.astrometry import MAS
from lsst.qa.simulate import Survey, objects, sources, visit_ids
from lsst.qa.simulate.cadence import mid_exposure
from lsst.qa.simulate.reference import FRAME, reference_shards, reference_stars
from lsst.qa.simulate.reference_truth import coadd_reference_values, visit_reference_values
from lsst.qa.stats.motion import moved
from lsst.qa.tables.files import open_table
from lsst.qa.tables.measure import measure_readable
from lsst.qa.tables.nearest import with_nearest
from lsst.qa.tables.readable import from_columns
from lsst.qa.tables.reference import ReferencePairs
from lsst.qa.tables.shards import Catalogue, read_shard

LOG = logging.getLogger(__name__)
R_FLUX = {"": "monster_ComCam_r_flux"}
SURVEY = Survey(stars=600, galaxies=100, visits=2, bands="gr", ra=359.95, dec=-60.0)
VISIT = visit_ids(SURVEY, band="r")[0]


def catalogue(*shards: Columns, fluxes: dict[str, str] = R_FLUX, places: bool = True) -> Catalogue:
    return Catalogue(
        [lambda shard=shard: contextlib.nullcontext(from_columns(shard)) for shard in shards], places, fluxes
    )


def star(**changes: Any) -> Columns:
    """One reference star, at RA 0."""
    plain = {"id": 5, "coord_ra": 0.0, "coord_dec": 10.0, "monster_ComCam_r_flux": 1e5}
    return {name: np.array([value]) for name, value in {**plain, **changes}.items()}


def source(*places: tuple[float, float]) -> Columns:
    """Sources so many mas to the east and north of that star."""
    east, north = (np.array([place[i] for place in places], dtype=float) for i in (0, 1))
    n = len(places)
    return {
        "sourceId": np.arange(n) + (1 << 62),
        "visit": np.full(n, 1),
        "band": np.full(n, "r"),
        "ra": east / 3.6e6 / math.cos(math.radians(10.0)) % 360.0,
        "dec": 10.0 + north / 3.6e6,
    }


def matched(table: Columns, *catalogues: Catalogue, kind: str = "source", mjd: float = math.nan) -> Columns:
    pairs = ReferencePairs(Cut(table, [1, 0, 2]), kind, catalogues, 1.0, mjd, LOG)
    names = sorted(pairs.units)
    parts = list(pairs.pieces(names))
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


class PairsTestCase(unittest.TestCase):
    """What is paired."""

    def test_nearest(self) -> None:
        """All within the radius, and the nearest of them, across RA 0."""
        found = matched(source((300, 0), (-200, 0), (0, 999), (0, 1001)), catalogue(star()))
        np.testing.assert_array_equal(found["sourceId_target"] - (1 << 62), [0, 1, 2])
        np.testing.assert_array_equal(found["nearest"], [False, True, False])
        np.testing.assert_array_equal(found["id_ref"], [5, 5, 5])
        np.testing.assert_allclose(found["flux_ref"], 1e5)

    def test_any_shards(self) -> None:
        """Cut in whatever shards, read in whatever order."""
        stars, table = reference_stars(SURVEY, 0), sources(SURVEY, VISIT)
        whole = matched(table, catalogue(stars), mjd=61041.0)
        self.assertGreater(len(whole["nearest"]), 60)
        rng = np.random.default_rng(1)
        for number in (2, 5):
            shard = rng.integers(0, number, len(stars["id"]))
            parts = [taken(stars, shard == i) for i in range(number)]
            found = matched(table, catalogue(*parts), mjd=61041.0)
            for name, values in whole.items():
                np.testing.assert_array_equal(found[name], values, err_msg=name)

    def test_nothing(self) -> None:
        far = star(coord_dec=50.0)
        for table, shards in ((source(), [star()]), (source((0, 0)), [far]), (source((0, 0)), [])):
            pairs = ReferencePairs(from_columns(table), "source", [catalogue(*shards)], 1.0, 6e4, LOG)
            self.assertEqual(pairs.n_rows, 0)
            self.assertEqual(sum(len(piece["nearest"]) for piece in pairs.pieces(["nearest"])), 0)

    def test_two_catalogues(self) -> None:
        """Positions of the one, fluxes of the other, whose positions are not
        compared: they are not known to be better.
        """
        light = star(id=6, coord_dec=10.0 + 0.5 / 3600.0)
        found = matched(source((0, 0)), catalogue(star(), fluxes={}), catalogue(light, places=False))
        np.testing.assert_array_equal(found["nearest"], [True, True])
        np.testing.assert_array_equal(np.isnan(found["ra_ref"]), [False, True])
        np.testing.assert_array_equal(np.isnan(found["flux_ref"]), [True, False])

    def test_fluxes_that_are_not_there(self) -> None:
        with self.assertLogs(LOG, "WARNING") as told:
            found = matched(source((0, 0)), catalogue(star(), fluxes={"": "u_flux"}))
        self.assertNotIn("flux_ref", found)
        self.assertIn("has no u_flux", told.output[0])

    def test_no_catalogue(self) -> None:
        with self.assertRaisesRegex(InputError, "is no reference catalogue with dec, id, ra: it has x"):
            matched(source((0, 0)), catalogue({"x": np.zeros(1)}))
        with self.assertRaisesRegex(InputError, "has no ra, dec and sourceId, only x"):
            matched({"x": np.zeros(1)}, catalogue(star()))

    def test_memory(self) -> None:
        """Of a shard only stars with a partner are kept."""
        n = 200_000
        rng = np.random.default_rng(2)
        shard = {
            "id": np.arange(n),
            "coord_ra": rng.uniform(0.0, 1.0, n),
            "coord_dec": rng.uniform(0.0, 1.0, n),
            "monster_ComCam_r_flux": np.ones(n),
        }
        many = catalogue(*[{**shard, "id": shard["id"] + i * n} for i in range(6)])
        table = {**source(), **{name: values[:2000] for name, values in shard.items()}}
        table = {"sourceId": table["id"], "ra": table["coord_ra"], "dec": table["coord_dec"]}
        gc.collect()
        tracemalloc.start()
        pairs = ReferencePairs(from_columns(table), "source", [many], 1.0, math.nan, LOG)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        self.assertGreaterEqual(pairs.n_rows, 12_000)
        self.assertLess(peak, 2.5 * n * 15 * 8)


class MotionTestCase(unittest.TestCase):
    """Where reference stars are at the time of the detections."""

    MOVING = {"pm_ra": 1e-7, "pm_dec": -2e-7, "parallax": 5e-7, "epoch": 57388.0}

    def test_visit(self) -> None:
        found = matched(source((0, 0)), catalogue(star(**self.MOVING)), mjd=60000.0)
        expected = moved(
            *(np.array([v]) for v in (0.0, math.radians(10.0), 1e-7, -2e-7, 5e-7, 57388.0, 60000.0))
        )
        np.testing.assert_allclose([found["ra_ref"], found["dec_ref"]], expected, rtol=0.0, atol=1e-15)
        self.assertGreater(abs(found["dec_ref"][0] - math.radians(10.0)) * MAS, 250.0)

    def test_matched_where_they_are(self) -> None:
        """A star that has left the radius is found where it went."""
        fast = star(**{**self.MOVING, "pm_dec": 2e-6})
        gone = 2e-6 * (60000.0 - 57388.0) / 365.25 * MAS
        self.assertEqual(len(matched(source((0, 0)), catalogue(fast), mjd=60000.0)["nearest"]), 0)
        self.assertEqual(len(matched(source((0, gone)), catalogue(fast), mjd=60000.0)["nearest"]), 1)

    def test_without_a_time(self) -> None:
        """Unknown, or in seconds since 1970: the star stays."""
        for mjd, epoch in ((math.nan, 57388.0), (60000.0, 1.36e9), (60000.0, math.nan)):
            moving = star(**{**self.MOVING, "epoch": epoch})
            found = matched(source((0, 0)), catalogue(moving), mjd=mjd)
            self.assertEqual(found["dec_ref"].tolist(), [math.radians(10.0)])

    def test_objects(self) -> None:
        """Each band at its own epoch."""
        table = source((0, 0), (0, 400))
        table = {"objectId": table["sourceId"], "coord_ra": table["ra"], "coord_dec": table["dec"]}
        table |= {"g_psfFlux": np.ones(2), "r_psfFlux": np.ones(2)}
        table |= {"g_epoch": np.array([59000.0, 59500.0]), "r_epoch": np.array([60000.0, np.nan])}
        fluxes = {"r": "monster_ComCam_r_flux"}
        found = matched(table, catalogue(star(**self.MOVING), fluxes=fluxes), kind="object")
        self.assertEqual(len(found["nearest"]), 2)
        start = [np.full(2, v) for v in (0.0, math.radians(10.0), 1e-7, -2e-7, 5e-7, 57388.0)]
        for band, mjd in (("g", [59000.0, 59500.0]), ("r", [60000.0, 59500.0])):
            ra, dec = moved(*start, np.array(mjd))
            np.testing.assert_allclose(found[f"{band}_ra_ref"], ra, rtol=0.0, atol=1e-15)
            np.testing.assert_allclose(found[f"{band}_dec_ref"], dec, rtol=0.0, atol=1e-15)
        self.assertIn("r_flux_ref", found)


class ShardTestCase(FolderTestCase):
    """Files of shards."""

    def test_afw(self) -> None:
        """Radians, whether it says so or not, and a year's motion in rad."""
        columns = [
            fits.Column("id", "K", array=[1 << 60]),
            fits.Column("coord_ra", "D", array=[6.28]),
            fits.Column("coord_dec", "D", array=[-0.01]),
            fits.Column("pm_ra", "D", unit="rad", array=[1e-7]),
            fits.Column("pm_dec", "D", unit="mas / yr", array=[MAS * 2e-7]),
            fits.Column("parallax", "D", array=[np.nan]),
            fits.Column("epoch", "D", unit="day", array=[57205.875]),
            fits.Column("r_flux", "D", unit="Jy", array=[1e-5]),
        ]
        table = fits.BinTableHDU.from_columns(columns)
        table.header["AFW_TYPE"] = "SIMPLE"
        table.writeto(self.folder / "shard.fits")
        stars = read_shard(open_table(self.folder / "shard.fits"), {"": "r_flux"}, math.nan)
        self.assertEqual(stars.number.tolist(), [1 << 60])
        np.testing.assert_allclose(
            stars.listed[:, 0], [6.28, -0.01, 1e-7, 2e-7, np.nan, 57205.875], rtol=1e-12
        )
        np.testing.assert_allclose(stars.flux[""], [1e4])

    def test_unit_that_does_not_convert(self) -> None:
        shard = open_table(self.parquet(star(pm_ra=1.0)))
        shard.units["pm_ra"] = "mag"
        with self.assertRaisesRegex(InputError, "'pm_ra' of table.parq is in 'mag'"):
            read_shard(shard, {}, 6e4)


class NearestTestCase(unittest.TestCase):
    """A table of pairs that does not say which are nearest."""

    def test_told(self) -> None:
        found = matched(source((300, 0), (-200, 0), (0, 999)), catalogue(star()))
        flag = found.pop("nearest")
        for sizes in ([], [1, 1], [0, 3]):
            table = with_nearest(Cut(found, sizes), TABLES["source_reference"])
            for names in (["nearest"], ["nearest", "id_ref"]):
                pieces = list(table.pieces(names))
                np.testing.assert_array_equal(np.concatenate([p["nearest"] for p in pieces]), flag)

    def test_left_alone(self) -> None:
        for table, kind in ((source((0, 0)), "source"), (source((0, 0)), "source_reference")):
            readable = from_columns(table)
            self.assertIs(with_nearest(readable, TABLES[kind]), readable)


class TruthTestCase(unittest.TestCase):
    """What the simulator says is true, and what is measured."""

    SURVEY = Survey(stars=2500, galaxies=200, visits=3, bands="ri", ra=0.05, dec=-60.0)

    def rows(self, table: Columns, kind: str, fluxes: dict[str, str], mjd: float) -> list[dict[str, Any]]:
        shards = catalogue(*reference_shards(self.SURVEY).values(), fluxes=fluxes)
        pairs = ReferencePairs(from_columns(table), kind, [shards], 1.0, mjd, LOG)
        return list(measure_readable(pairs, None, kind=f"{kind}_reference", data_id={}))

    def check(self, rows: list[dict[str, Any]], values: dict[str, tuple[float, str]]) -> None:
        found = {row["metric"]: row for row in rows}
        for name, (value, unit) in values.items():
            with self.subTest(name):
                row = found[name]
                self.assertEqual(row["unit"], unit)
                self.assertLess(abs(row["value"] - value), 4.0 * row["error"])

    def test_visits(self) -> None:
        for visit, band in [(visit_ids(self.SURVEY, band=band)[1], band) for band in "ri"]:
            rows = self.rows(
                sources(self.SURVEY, visit),
                "source",
                {"": f"monster_ComCam_{band}_flux"},
                mid_exposure(visit),
            )
            self.check(rows, visit_reference_values(self.SURVEY, visit))

    def test_coadds(self) -> None:
        fluxes = {band: f"monster_ComCam_{band}_flux" for band in "ri"}
        rows = self.rows(objects(self.SURVEY, 0), "object", fluxes, math.nan)
        values = coadd_reference_values(self.SURVEY, 0)
        for band in "ri":
            self.check([row for row in rows if row["band"] == band], values[band])
        self.assertEqual(values["r"]["coadd_AA1_RA"][0], -FRAME[0])
        self.assertLessEqual({"PA3", "PA5", "PA6"}, set(values["i"]))
        self.assertNotIn("PA5", values["r"])

    def test_without_motion(self) -> None:
        """Ten years of proper motion widen what is not moved."""
        visit = visit_ids(self.SURVEY, band="r")[1]
        table = sources(self.SURVEY, visit)
        scatter = {
            mjd: {row["metric"]: row["value"] for row in self.rows(table, "source", R_FLUX, mjd)}
            for mjd in (mid_exposure(visit), math.nan)
        }
        moving, still = (found["AA1_RA_scatter"] for found in scatter.values())
        self.assertGreater(still, 4.0 * moving)

    def test_same_in_pieces(self) -> None:
        visit = visit_ids(self.SURVEY, band="r")[1]
        table = sources(self.SURVEY, visit)
        whole = self.rows(table, "source", R_FLUX, 61041.0)
        order = np.random.default_rng(4).permutation(len(table["visit"]))
        self.assertEqual(same(whole, self.rows(taken(table, order), "source", R_FLUX, 61041.0), 1e-12), [])


if __name__ == "__main__":
    unittest.main()
