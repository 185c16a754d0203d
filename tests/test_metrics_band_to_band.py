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

"""Positions in other bands against those in r, against loops over stars."""

from __future__ import annotations

import itertools
import unittest
from typing import Any

import numpy as np
from astropy.coordinates import angular_separation
from hypothesis import given
from hypothesis import strategies as st
from support import SHARED, Columns, needs_shared, same, shuffled, steady

import lsst.qa
from lsst.qa.catalogue import METRICS
from lsst.qa.metrics import band_to_band
from lsst.qa.metrics.astrometry import MAS
from lsst.qa.simulate import Survey, matched_rows
from lsst.qa.tables.files import open_table
from lsst.qa.tables.readable import from_columns

NAMES = [name for name in METRICS if name.startswith(("AB1", "AB2", "ABF1"))]


def table(
    seed: int, stars: int, visits: dict[int, str], centre: tuple[float, float] = (0.0, 40.0)
) -> Columns:
    """Make stars that are a little elsewhere in each visit, and more so in
    other bands; each misses some visits.
    """
    rng = np.random.default_rng(seed)
    star, visit = (part.ravel() for part in np.meshgrid(np.arange(stars), list(visits)))
    kept = rng.random(len(star)) < 0.8
    star, visit = star[kept], visit[kept]
    band = np.array([visits[v] for v in visit.tolist()], dtype=np.str_)
    east, north = rng.normal(0.0, 10.0, (2, len(star))) + 6.0 * (band != "r")
    dec = centre[1] + rng.uniform(0.0, 0.1, stars)[star]
    ra = centre[0] + rng.uniform(-0.1, 0.1, stars)[star] + east / 3.6e6 / np.cos(np.radians(dec))
    flux = 10.0 ** (-0.4 * (rng.uniform(17.5, 21.0, stars)[star] - 31.4))
    return {
        "star": star + (1 << 60),
        "sourceId": np.arange(len(star)) + (1 << 61),
        "visit": visit,
        "band": band,
        "ra": ra % 360.0,
        "dec": dec + north / 3.6e6,
        "psfFlux": flux,
        "psfFluxErr": flux / 500.0,
        "extendedness": np.zeros(len(star)),
        "clean": np.ones(len(star), dtype=bool),
        "detect_isPrimary": np.ones(len(star), dtype=bool),
    }


def distances(columns: Columns, band: str) -> dict[tuple[int, int], list[float]]:
    """Measure star by star, by pairs of visits in r and in another band."""
    places = {
        (s, b, v): (ra, dec)
        for s, b, v, ra, dec in zip(
            *(columns[name].tolist() for name in ("star", "band", "visit")),
            *(np.radians(columns[name]).tolist() for name in ("ra", "dec")),
        )
    }
    alone = {s for s in columns["star"].tolist() if np.sum(columns["star"] == s) < 2}
    found: dict[tuple[int, int], list[float]] = {}
    for one, other in itertools.product(places, places):
        if one[0] == other[0] and one[0] not in alone and one[1] == "r" and other[1] == band:
            if one[2] != other[2]:
                apart = angular_separation(*places[one], *places[other])
                found.setdefault((one[2], other[2]), []).append(MAS * apart)
    return found


def measured(columns: Columns, name: str) -> dict[Any, dict[str, Any]]:
    return {row["band"]: row for row in lsst.qa.measure(columns, name)}


class BandToBandTestCase(unittest.TestCase):
    """AB1, AB2, ABF1 and their variants."""

    @steady
    @given(
        st.integers(0, 99),
        st.integers(1, 8),
        st.dictionaries(st.integers(1, 9), st.sampled_from("rrig"), min_size=1, max_size=5),
        st.sampled_from([(0.0, 40.0), (150.0, -89.95)]),
    )
    def test_against_loops(
        self, seed: int, stars: int, visits: dict[int, str], centre: tuple[float, float]
    ) -> None:
        columns = table(seed, stars, visits, centre)
        if not len(columns["star"]):
            return
        for band in {*visits.values()} - {"r"}:
            by_pair = distances(columns, band)
            every = np.concatenate([np.zeros(0), *by_pair.values()])
            found = {name: measured(columns, name).get(band) for name in ("AB1", "AB2", "ABF1", "AB1.faro")}
            if not len(every):
                self.assertEqual(set(found.values()), {None})
                continue
            away = np.abs(every - every.mean())
            scatter = [np.std(own, ddof=1) for own in by_pair.values() if len(own) > 1]
            for name, value in (
                ("AB1", np.std(every, ddof=1) if len(every) > 1 else np.nan),
                ("AB2", np.quantile(away, 0.9)),
                ("ABF1", 100.0 * np.mean(away > 20.0)),
                ("AB1.faro", np.mean(scatter) if scatter else np.nan),
            ):
                np.testing.assert_allclose(found[name]["value"], value, rtol=1e-7, atol=1e-6)

    def test_nothing_in_r(self) -> None:
        columns = table(1, 9, {1: "g", 2: "i"})
        for name in NAMES:
            (row,) = lsst.qa.measure(columns, name)
            self.assertEqual((row["status"], row["n"], row["band"]), ("empty", 0, None))

    def test_bands(self) -> None:
        """A row for each other band; of r itself with faro only."""
        columns = table(2, 60, {1: "r", 2: "i", 3: "g", 4: "r"})
        for name in NAMES:
            expected = {"g", "i", "r"} if name == "AB1.faro" else {"g", "i"}
            self.assertEqual(set(measured(columns, name)), expected, name)

    def test_offsets_from_the_mean_place(self) -> None:
        """Ten mas to the east and five to the north."""
        n = 40
        star = np.repeat(np.arange(n), 3)
        shift = np.tile([-1.0, 1.0, 0.0], n)
        other = np.tile([0.0, 0.0, 1.0], n)
        columns = {name: values[: 3 * n] for name, values in table(3, 200, {1: "r"}).items()}
        columns |= {
            "star": star,
            "visit": np.tile([1, 2, 3], n),
            "band": np.tile(["r", "r", "i"], n),
            "dec": 60.0 + (shift + 5.0 * other) / 3.6e6,
            "ra": (20.0 * other + 2.0 * shift) / 3.6e6 % 360.0,
        }
        for name, value in (
            ("AB1_RA.analysis_tools", 10.0),
            ("AB1_Dec.analysis_tools", 5.0),
            ("AB1_tot.analysis_tools", np.hypot(10.0, 5.0)),
            ("ABF1_tot.analysis_tools", 0.0),
        ):
            self.assertAlmostEqual(measured(columns, name)["i"]["value"], value, places=4)

    def test_any_order(self) -> None:
        columns = table(4, 50, {1: "r", 2: "i", 3: "r", 4: "i"})
        again = shuffled(columns, 1)
        for name in NAMES:
            self.assertEqual(
                same(list(lsst.qa.measure(columns, name)), list(lsst.qa.measure(again, name)), 1e-9), []
            )

    def test_many_visits(self) -> None:
        """A long series is bounded, whatever order its rows are in."""
        columns = table(5, 12, {v: "ri"[v % 2] for v in range(40)})
        step = band_to_band.distances_from_r
        rows = columns["star"], columns["visit"], np.radians(columns["ra"]), np.radians(columns["dec"])
        numbers = np.where(columns["band"] == "r", 2, 3)
        whole = step(*rows, columns["sourceId"], numbers, most_distances=None)
        some = step(*rows, columns["sourceId"], numbers, most_distances=500)
        self.assertGreater(len(whole["distances"]), 2000)
        self.assertLess(len(some["distances"]), 700)
        self.assertGreater(len(some["distances"]), 300)
        self.assertLessEqual(set(some["distances"].tolist()), set(whole["distances"].tolist()))

    def test_errors(self) -> None:
        """Of many skies as many truths lie within an error as should."""
        truth = np.std([value for seed in range(6) for value in self.every(seed)], ddof=1)
        rows = [measured(self.sky(seed), "AB1")["i"] for seed in range(100, 200)]
        inside = np.mean([abs(row["value"] - truth) < row["error"] for row in rows])
        self.assertGreater(inside, 0.55)
        self.assertLess(inside, 0.92)

    def sky(self, seed: int) -> Columns:
        return table(seed, 80, {1: "r", 2: "i", 3: "r", 4: "i", 5: "r", 6: "i"})

    def every(self, seed: int) -> list[float]:
        return [value for own in distances(self.sky(seed), "i").values() for value in own]

    def test_simulated(self) -> None:
        """Bands of a simulated survey, in pieces as a file hands them out."""
        survey = Survey(stars=500, visits=3, bands="ri")
        parts = [matched_rows(survey, band, 0, 500) for band in "ri"]
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        (row,) = lsst.qa.measure(from_columns(columns)._columns, "AB1")
        self.assertEqual((row["band"], row["status"]), ("i", "ok"))
        self.assertLess(abs(row["value"] - 6.0), 4.0)

    @needs_shared
    def test_real_stars(self) -> None:
        """HSC's in r and i, six visits."""
        path = SHARED / "faro/matchedCatalogMulti_0_70.fits.gz"
        source = open_table(path)
        names = (
            "object filt visit coord_ra coord_dec base_PsfFlux_mag base_PsfFlux_snr detect_isPrimary"
            " base_ClassificationExtendedness_value"
        ).split()
        flags = [f"base_PixelFlags_flag_{name}" for name in ("saturated", "cr", "bad", "edge")]
        (columns,) = source.pieces([*names, *flags])
        bad = np.any([columns[name] for name in flags], axis=0)
        good = ~bad & columns["detect_isPrimary"] & np.isfinite(columns["base_PsfFlux_mag"])
        good &= columns["base_ClassificationExtendedness_value"] < 0.9
        kept = []
        for star in np.unique(columns["object"]).tolist():
            rows = np.flatnonzero(columns["object"] == star)
            mag, snr = (
                np.median(columns["base_PsfFlux_mag"][rows]),
                np.median(columns["base_PsfFlux_snr"][rows]),
            )
            if len(rows) > 1 and good[rows].all() and snr >= 50.0 and 17.0 <= mag < 21.5:
                kept.append(rows)
        chosen = np.concatenate(kept)
        plain = {
            "star": columns["object"][chosen],
            "visit": columns["visit"][chosen],
            "band": np.where(columns["filt"][chosen] == 3, "r", "i"),
            "ra": np.degrees(columns["coord_ra"][chosen]),
            "dec": np.degrees(columns["coord_dec"][chosen]),
        }
        expected = np.mean([np.std(own, ddof=1) for own in distances(plain, "i").values()])
        found = measured(str(path), "AB1.faro")["i"]
        np.testing.assert_allclose(found["value"], expected, rtol=1e-7)
        self.assertEqual(found["n"], 9)


if __name__ == "__main__":
    unittest.main()
