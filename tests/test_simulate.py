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

"""Simulated surveys: refused or reproducible, and their lesser tables."""

from __future__ import annotations

import unittest

import numpy as np

from lsst.qa.errors import SimulationError
from lsst.qa.simulate import (
    Survey,
    matched_rows,
    objects,
    observe,
    sources,
    visit_detector_table,
    visit_ids,
    visit_summary,
    visit_table,
)
from lsst.qa.simulate.camera import Placing, deproject, from_pixels, to_pixels
from lsst.qa.simulate.fields import draw_field, evaluate
from lsst.qa.simulate.populations import BLOCK, sky
from lsst.qa.simulate.sky import FIRST_GALAXY

SMALL = Survey(stars=200, galaxies=200, visits=2, sky_sources=5)


def kinds(columns: dict[str, np.ndarray]) -> dict[str, str]:
    return {name: values.dtype.kind for name, values in columns.items()}


class SimulateTestCase(unittest.TestCase):
    """What the tests of tables share."""

    def assert_same(self, first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> None:
        self.assertEqual(list(first), list(second))
        for name in first:
            np.testing.assert_array_equal(first[name], second[name], err_msg=name)


class SurveyTestCase(SimulateTestCase):
    """Surveys are refused with all their faults, and visits have ids."""

    def test_all_faults_at_once(self) -> None:
        with self.assertRaises(SimulationError) as caught:
            Survey(stars=-1, visits=0, bands="gxg", dec=-95.0, seed=1.5, jitter=np.nan)  # type: ignore[arg-type]
        for part in (
            "stars is -1",
            "visits is 0",
            "bands is 'gxg'",
            "dec is -95.0",
            "seed is 1.5",
            "jitter is nan",
        ):
            self.assertIn(part, str(caught.exception))
        self.assertIsInstance(caught.exception, ValueError)

    def test_limits(self) -> None:
        for wrong in (
            {"stars": True},
            {"galaxies": 1 << 20},
            {"bands": ""},
            {"bands": 7},
            {"tracts": 109},
            {"ra": "53"},
            {"tract_size": 0.7},
        ):
            with self.subTest(wrong), self.assertRaisesRegex(SimulationError, next(iter(wrong))):
                Survey(**wrong)  # type: ignore[arg-type]
        self.assertEqual(Survey(tract_size=3.5, pixel_scale=1.2).tract_size, 3.5)

    def test_bands_have_no_order(self) -> None:
        self.assertEqual(Survey(bands="irg").parameters(), Survey(bands="gri").parameters())
        self.assertEqual(Survey(stars=np.int64(7)).parameters()["stars"], 7)

    def test_visit_ids(self) -> None:
        ids = visit_ids(Survey(bands="ugrizy", visits=9, tracts=40))
        self.assertEqual(len(set(ids)), 6 * 9 * 40)
        self.assertEqual(ids, sorted(ids))
        self.assertEqual(ids[0], 2026010100001)
        # The ninth epoch is of the third cycle; tracts from 36 on have the
        # night
        # after the first ones' turn.
        self.assertEqual(ids[-1], 2026010800078)
        times = [observe(Survey(visits=9), visit_id).mjd for visit_id in visit_ids(Survey(visits=9))]
        self.assertTrue((np.diff(times) > 0).all())

    def test_unknown_visit(self) -> None:
        survey = Survey(visits=2, bands="r")
        (known, _) = visit_ids(survey)
        for wrong in (0, 7, known + 1, known + 6 * 2, known + 6 * 4, known + 100_000, 2026023100003, -known):
            with self.subTest(wrong), self.assertRaisesRegex(SimulationError, "no visit"):
                sources(survey, wrong)


class ReproducibleTestCase(SimulateTestCase):
    """Nothing depends on what else is made."""

    def test_seed(self) -> None:
        visit = visit_ids(SMALL)[0]
        self.assert_same(sources(SMALL, visit), sources(Survey(**SMALL.parameters()), visit))
        other = sources(Survey(**{**SMALL.parameters(), "seed": 2}), visit)
        self.assertNotEqual(sources(SMALL, visit)["psfFlux"][0], other["psfFlux"][0])

    def test_visits_do_not_depend_on_each_other(self) -> None:
        visit = visit_ids(SMALL, band="r")[1]
        expected = sources(SMALL, visit)
        for change in ({"visits": 7}, {"tracts": 3}, {"bands": "ugrizy"}, {"bands": "r"}):
            larger = Survey(**{**SMALL.parameters(), **change})
            with self.subTest(change):
                self.assert_same(expected, sources(larger, visit))
                self.assert_same(visit_summary(SMALL, visit), visit_summary(larger, visit))

    def test_objects_do_not_depend_on_their_number(self) -> None:
        few, many = sky(SMALL, 0), sky(Survey(stars=BLOCK + 9, galaxies=2 * BLOCK, visits=2), 0)
        at = np.searchsorted(many.number, few.number)
        self.assertEqual(len(few.number), len(np.unique(few.number)))
        for name, column in few._asdict().items():
            np.testing.assert_array_equal(column, getattr(many, name)[at], err_msg=name)

    def test_matched_rows_in_pieces(self) -> None:
        survey = Survey(visits=3, bands="r")
        whole = matched_rows(survey, "r", 0, BLOCK + 500)
        cuts = [0, 1, 700, 700, BLOCK - 3, BLOCK + 2, BLOCK + 500]
        pieces = [matched_rows(survey, "r", *cut) for cut in zip(cuts, cuts[1:])]
        self.assert_same(whole, {name: np.concatenate([piece[name] for piece in pieces]) for name in whole})
        self.assertTrue((np.diff(whole["isolated_star_id"]) >= 0).all())
        self.assertEqual(len(np.unique(whole["visit"])), 3)
        self.assertTrue((np.diff(whole["visit"])[np.diff(whole["isolated_star_id"]) == 0] > 0).all())

    def test_matched_rows_refuse(self) -> None:
        for wrong in (("z", 0, 5), ("r", -1, 5), ("r", 5, 2), ("r", 0, 5, 1)):
            with self.subTest(wrong), self.assertRaises(SimulationError):
                matched_rows(SMALL, *wrong)


class GeometryTestCase(unittest.TestCase):
    """Fields and projections against their definitions."""

    def test_structure_function(self) -> None:
        """Fields vary with distance as the survey states."""
        rng = np.random.default_rng(1)
        x = np.array([0.0, 120.0, 400.0, 3000.0])
        drawn = np.stack(
            [
                evaluate(draw_field(rng, 480.0, np.array([6.0]), np.array([0.0])), x, 0.3 * x)[0]
                for _ in range(2500)
            ]
        )
        measured = np.mean((drawn - drawn[:, :1]) ** 2, axis=0)[1:]
        distance = x[1:] * np.hypot(1.0, 0.3)
        expected = 2.0 * 36.0 * (1.0 - np.exp(-(distance**2) / (2.0 * 480.0**2)))
        np.testing.assert_allclose(measured, expected, rtol=0.15)
        np.testing.assert_allclose(drawn.std(axis=0), 6.0, rtol=0.05)

    def test_deproject(self) -> None:
        """The tangent plane, by vectors."""
        rng = np.random.default_rng(2)
        x, y = rng.uniform(-6000.0, 6000.0, (2, 50))
        for ra0, dec0 in ((53.1, -27.8), (0.0, 79.0), (359.99, -80.0), (180.0, 0.0)):
            ra, dec = deproject(ra0, dec0, x, y)
            a, d, a0, d0 = (np.radians(angle) for angle in (ra, dec, ra0, dec0))
            point = np.stack([np.cos(a) * np.cos(d), np.sin(a) * np.cos(d), np.sin(d)])
            centre = np.array([np.cos(a0) * np.cos(d0), np.sin(a0) * np.cos(d0), np.sin(d0)])
            east = np.array([-np.sin(a0), np.cos(a0), 0.0])
            plane = point / (centre @ point)
            arcsec = np.degrees(np.array([east @ plane, np.cross(centre, east) @ plane])) * 3600.0
            np.testing.assert_allclose(arcsec, [x, y], atol=1e-7)
            self.assertTrue(((ra >= 0.0) & (ra < 360.0)).all())

    def test_pixels_and_back(self) -> None:
        placing = Placing(10.0, -20.0, 1.1, 0.2)
        rng = np.random.default_rng(3)
        detector = rng.integers(0, 9, 100)
        px, py = rng.uniform(-0.5, 3999.4, (2, 100))
        found, px2, py2 = to_pixels(*from_pixels(detector, px, py, placing), placing)
        np.testing.assert_array_equal(found, detector)
        np.testing.assert_allclose([px2, py2], [px, py], atol=1e-8)
        self.assertEqual(to_pixels(np.array([1e5]), np.array([0.0]), placing)[0][0], -1)


class TablesTestCase(SimulateTestCase):
    """The other tables, and surveys with next to nothing in them."""

    def test_objects(self) -> None:
        survey = Survey(stars=BLOCK + 100, galaxies=3000, visits=3, bands="ri", sky_sources=10)
        table = objects(survey, 0)
        self.assertEqual(table["objectId"].dtype, np.int64)
        self.assertEqual(len(np.unique(table["objectId"])), len(table["objectId"]))
        self.assertGreaterEqual(table["objectId"].min(), 1 << 62)
        self.assertEqual(table["sky_object"].sum(), 90)
        parents = np.unique(table["parentObjectId"])[1:]
        np.testing.assert_array_equal(parents, table["objectId"][~table["detect_isDeblendedSource"]])
        self.assertGreater(len(parents), 0)
        self.assertTrue((table["patch"] < 16).all())
        whole = sky(survey, 0)
        number = table["objectId"] - (1 << 62)
        star = number < FIRST_GALAXY
        true = 10.0 ** (-0.4 * (whole.mag[np.searchsorted(whole.number, number[star]), 2] - 31.4))
        chi = (table["r_psfFlux"][star] - true) / np.hypot(table["r_psfFluxErr"][star], 0.003 * true)
        chi = chi[np.isfinite(chi) & ~table["r_pixelFlags_saturatedCenter"][star]]
        self.assertAlmostEqual(chi.std(), 1.0, delta=0.1)
        # Deeper than one visit, by the root of the number of visits.
        one = sources(survey, visit_ids(survey, band="r")[0])
        self.assertLess(np.nanmin(table["r_psfFluxErr"]), 0.75 * np.nanmin(one["psfFluxErr"]))
        self.assertEqual(table["r_inputCount"].max(), 3)
        unseen = table["r_inputCount"] == 0
        self.assertTrue(np.isnan(table["r_psfFlux"][unseen]).all() and table["r_psfFlux_flag"][unseen].all())

    def test_visit_tables(self) -> None:
        ids = visit_ids(SMALL)
        table, detectors = visit_table(SMALL), visit_detector_table(SMALL)
        np.testing.assert_array_equal(table["visit"], ids)
        np.testing.assert_array_equal(detectors["visitId"], np.repeat(ids, 9))
        np.testing.assert_allclose(
            detectors["seeing"], 2.355 * detectors["psfSigma"] * detectors["pixelScale"]
        )
        for band, depth in (("g", 24.7), ("r", 24.25), ("i", 23.8)):
            chosen = detectors["band"] == band
            self.assertAlmostEqual(np.median(detectors["magLim"][chosen]), depth, delta=0.6)
            self.assertTrue((np.abs(detectors["seeing"][chosen] - 0.95) < 0.5).all())

    def test_limit_of_a_detector(self) -> None:
        """Noise, PSF and zero point of the summary make its depth."""
        for visit_id in visit_ids(SMALL):
            table = visit_summary(SMALL, visit_id)
            sky_limited = table["zeroPoint"] - 2.5 * np.log10(
                5.0 * table["skyNoise"] * np.sqrt(table["psfArea"])
            )
            np.testing.assert_allclose(sky_limited, table["magLim"], atol=0.08)

    def test_nearly_nothing(self) -> None:
        survey_of_nothing = {"stars", "galaxies", "sky_sources"}
        for empty in (
            {"stars": 0},
            {"stars": 1, "galaxies": 0},
            {"galaxies": 1},
            {"sky_sources": 0},
            {"stars": 0, "galaxies": 0, "sky_sources": 0},
        ):
            survey = Survey(**{**SMALL.parameters(), **empty, "visits": 1, "bands": "y"})
            table = sources(survey, visit_ids(survey)[0])
            with self.subTest(empty):
                self.assertEqual(kinds(table), kinds(sources(SMALL, visit_ids(SMALL)[0])))
                self.assertEqual(bool(len(objects(survey, 0)["objectId"])), empty.keys() != survey_of_nothing)

    def test_across_the_meridian(self) -> None:
        table = sources(Survey(ra=0.0, visits=1, bands="r"), visit_ids(Survey(visits=1, bands="r"))[0])
        west = table["ra"] > 180.0
        self.assertTrue(0.3 < west.mean() < 0.7)
        self.assertLess((table["ra"] - 360.0 * west).max(), 0.5)


if __name__ == "__main__":
    unittest.main()
