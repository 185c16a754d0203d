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

"""Correlations of PSF residuals, against pairs counted one by one, against
TreeCorr, and against what faro expects.
"""

from __future__ import annotations

import unittest
from unittest import mock

import numpy as np
from support import SHARED, needs_shared
from support_shapes import visit

from lsst.qa import measure
from lsst.qa.catalogue import METRICS
from lsst.qa.metrics.correlation import TE_SPECS, by_detector, residual_correlation
from lsst.qa.metrics.rho import RHO
from lsst.qa.stats import pairsums, separation
from lsst.qa.stats.correlation import Correlation, correlate, log_bins
from lsst.qa.stats.zones import runs_of_partners, zones_of

try:
    import treecorr
except ImportError:
    treecorr = None

ARCMIN = np.radians(1.0 / 60.0)
FIELDS = ((10.0, 0.0, 1.0), (0.0, -30.0, 2.0), (100.0, 75.0, 3.0), (0.0, 89.0, 6.0), (200.0, -88.0, 5.0))
"""Middle and size, in degrees: some go across RA 0, some hold a pole."""


def points(number: int, ra: float, dec: float, size: float, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Scatter points, in radians; those beyond a pole come down behind it."""
    draw = np.random.default_rng(seed)
    up = np.radians(dec) + np.radians(size) * (draw.random(number) - 0.5)
    across = np.radians(ra) + np.radians(size) * (draw.random(number) - 0.5) / np.cos(np.radians(dec))
    over = np.abs(up) > 0.5 * np.pi
    return np.mod(across + np.pi * over, 2.0 * np.pi), np.where(over, np.sign(up) * np.pi - up, up)


def fields(number: int, seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """Make two spin-2 fields with something in common."""
    draw = np.random.default_rng(seed)
    one, other = draw.standard_normal((2, number)) + 1j * draw.standard_normal((2, number)) + 0.3
    return one, other + 0.5 * one


def one_by_one(
    ra: np.ndarray, dec: np.ndarray, one: np.ndarray, other: np.ndarray, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Count pairs as slowly as it gets: bearings from each point to each."""
    i, j = (~np.eye(len(ra), dtype=bool)).nonzero()
    place = np.digitize(separation(ra[i], dec[i], ra[j], dec[j]), edges) - 1

    def bearing(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """From west over north, where a great circle leaves a for b."""
        north = np.cos(dec[a]) * np.sin(dec[b]) - np.sin(dec[a]) * np.cos(dec[b]) * np.cos(ra[b] - ra[a])
        return np.arctan2(north, -np.cos(dec[b]) * np.sin(ra[b] - ra[a]))

    if np.iscomplexobj(one):
        along = one[i] * np.exp(-2j * bearing(i, j)), other[j] * np.exp(-2j * bearing(j, i))
        products = (along[0] * along[1].conj()).real
    else:
        products = one[i] * other[j]
    found = [products[place == k] for k in range(len(edges) - 1)]
    return np.array([len(bin) / 2 for bin in found]), np.array(
        [bin.mean() if len(bin) else np.nan for bin in found]
    )


class CountingTestCase(unittest.TestCase):
    """The sums over pairs."""

    def test_against_pairs_one_by_one(self) -> None:
        edges = np.array([0.0, 1.0, 5.0, 20.0, 100.0]) * ARCMIN
        for ra, dec, size in FIELDS:
            place = points(300, ra, dec, size)
            one, other = fields(300)
            for a, b in ((one, one), (one, other), (one.real, one.real), (one.real, other.real)):
                with self.subTest(ra=ra, dec=dec, spin=np.iscomplexobj(a), same=a is b):
                    counts, values = one_by_one(*place, a, b, edges)
                    (found,) = correlate(*place, [a, b], [(0, 1)], edges)
                    np.testing.assert_array_equal(found.counts, counts)
                    np.testing.assert_allclose(found.values, values, rtol=0.0, atol=1e-12)

    def test_runs_hold_each_pair_once(self) -> None:
        """All over the sky, and with many points in the same place."""
        draw = np.random.default_rng(4)
        ra = np.round(draw.uniform(0.0, 2.0 * np.pi, 400), 1)
        dec = np.round(np.arcsin(draw.uniform(-1.0, 1.0, 400)), 1)
        for low, high in ((0.0, 0.3), (0.2, 1.5), (1.0, 3.0), (0.0, 0.01)):
            zones = zones_of(ra, dec, high)
            found: dict[tuple[int, int], int] = {}
            for runs in runs_of_partners(zones, low, high):
                for point, begin, end in zip(*(part.tolist() for part in runs)):
                    for other in range(begin, end):
                        key = tuple(sorted((point, other)))
                        found[key] = found.get(key, 0) + 1
            self.assertEqual(set(found.values()), {1})
            x, y = zones.ra, zones.dec
            apart = separation(x[:, None], y[:, None], x, y)
            wanted = np.argwhere(np.triu((apart >= low) & (apart < high), 1))
            self.assertEqual({tuple(pair) for pair in wanted.tolist()} - set(found), set())

    def test_order_does_not_matter(self) -> None:
        ra, dec = points(500, 0.0, 60.0, 1.0)
        one, other = fields(500)
        order = np.random.default_rng(3).permutation(500)
        edges = log_bins(1.0, 60.0, 5) * ARCMIN
        a = correlate(ra, dec, [one, other], [(0, 1)], edges)[0]
        b = correlate(ra[order], dec[order], [one[order], other[order]], [(0, 1)], edges)[0]
        np.testing.assert_array_equal(a.values, b.values)
        self.assertEqual(a.error(np.ones(5)), b.error(np.ones(5)))

    def test_what_is_not_finite_is_left_out(self) -> None:
        ra, dec = points(100, 30.0, 10.0, 0.5)
        one, _ = fields(100)
        spoilt = one.copy()
        spoilt[3], ra[5], dec[7] = np.nan, np.inf, np.nan
        kept = np.isfinite(spoilt) & np.isfinite(ra) & np.isfinite(dec)
        edges = np.array([0.0, 30.0]) * ARCMIN
        a = correlate(ra, dec, [spoilt], [(0, 0)], edges)[0]
        b = correlate(ra[kept], dec[kept], [one[kept]], [(0, 0)], edges)[0]
        self.assertEqual(a.values[0], b.values[0])
        self.assertEqual(correlate(ra[:0], dec[:0], [one[:0]], [(0, 0)], edges)[0].counts[0], 0)

    def test_cells(self) -> None:
        """Joined in cells, values stay, and what is counted lies within the
        tolerance of its bin.
        """
        number = 3000
        ra, dec = points(number, 0.0, -50.0, 1.0)
        draw = np.random.default_rng(8)
        field = 0.1 * np.exp(1j * (150.0 * dec + 100.0 * np.sin(ra)))
        field = field + 0.02 * (draw.standard_normal(number) + 1j * draw.standard_normal(number))
        edges = log_bins(15.0, 60.0, 4) * ARCMIN
        exact = correlate(ra, dec, [field], [(0, 0)], edges)[0]
        joined = correlate(ra, dec, [field], [(0, 0)], edges, exact=1)[0]
        np.testing.assert_allclose(joined.counts, exact.counts, rtol=0.02)
        for k in range(4):
            self.assertNotEqual(exact.counts[k], joined.counts[k])
            error = exact.error(np.eye(4)[k])
            self.assertLess(abs(joined.values[k] - exact.values[k]), 0.2 * error)
            self.assertAlmostEqual(joined.error(np.eye(4)[k]) / error, 1.0, delta=0.2)
            for bounds, fewer in (((0.9, 1.1), False), ((1.1, 0.9), True)):
                limits = correlate(ra, dec, [field], [(0, 0)], edges[[k, k + 1]] * bounds)[0].counts[0]
                self.assertEqual(limits <= joined.counts[k], fewer)

    def test_compiled(self) -> None:
        """With Numba and without the sums are the same to rounding."""
        self.assertIsNotNone(pairsums._compiled())
        ra, dec = points(600, 5.0, 85.0, 2.0)
        one, other = fields(600)
        edges = log_bins(2.0, 60.0, 4) * ARCMIN
        asked = (ra, dec, [one, other, one.real, other.real], [(0, 1), (1, 1), (2, 3), (2, 2)], edges)
        plain = correlate(*asked)
        with mock.patch.object(pairsums, "_WORTH_COMPILING", 0):
            compiled = correlate(*asked)
        for a, b in zip(compiled, plain):
            np.testing.assert_array_equal(a.pairs, b.pairs)
            np.testing.assert_allclose(a.values, b.values, rtol=1e-12)

    def test_listed_or_not(self) -> None:
        """Pairs that nearly all count are not listed, and add up to the
        same.
        """
        small = points(400, 0.0, 88.0, 0.4)
        ra, dec = np.random.default_rng(5).uniform(-0.3, 0.3, (2, 30)) * [[10.0], [1.0]]
        opposite = np.concatenate([ra, ra + np.pi]), np.concatenate([dec, -dec])
        for place, edges in (
            (small, np.array([0.0, 1.0, 5.0, 100.0]) * ARCMIN),
            (opposite, np.array([0.0, 4.0])),
        ):
            one, other = fields(len(place[0]))
            asked = [one, other, one.real, other.real], [(0, 1), (1, 1), (2, 3), (2, 2)], edges
            with mock.patch.object(pairsums, "rectangles", wraps=pairsums.rectangles) as covered:
                beside = correlate(*place, *asked)
            self.assertTrue(all(pairsums.rectangles(call.args[0]) for call in covered.call_args_list))
            with mock.patch.object(pairsums, "rectangles", return_value=[]):
                listed = correlate(*place, *asked)
            for a, b in zip(beside, listed):
                np.testing.assert_array_equal(a.pairs, b.pairs)
                np.testing.assert_allclose(a.products, b.products, rtol=0.0, atol=1e-12 * a.counts.max())

    def test_together_and_alone(self) -> None:
        """Fields correlated together have the values that they have alone,
        joined in cells as well.
        """
        ra, dec = points(500, 359.0, 30.0, 1.0)
        one, other = fields(500)
        held, products = [one, other, one.real], [(0, 0), (0, 1), (2, 2)]
        edges = log_bins(2.0, 60.0, 3) * ARCMIN
        for exact in (10_000, 1):
            together = correlate(ra, dec, held, products, edges, exact=exact)
            for found, (a, b) in zip(together, products):
                (alone,) = correlate(ra, dec, [held[a], held[b]], [(0, 1)], edges, exact=exact)
                np.testing.assert_array_equal(found.pairs, alone.pairs)
                np.testing.assert_allclose(found.values, alone.values, rtol=1e-12)

    def test_a_wide_bin_is_divided(self) -> None:
        """Cells grow with separation within a bin too, down to none."""
        ra, dec = points(3000, 40.0, 10.0, 2.0)
        field = np.exp(1j * (30.0 * ra + 20.0 * dec))
        for low in (0.0, 5.0):
            edges = np.array([low, 100.0]) * ARCMIN
            (exact,) = correlate(ra, dec, [field], [(0, 0)], edges)
            (joined,) = correlate(ra, dec, [field], [(0, 0)], edges, exact=1)
            self.assertNotEqual(exact.counts[0], joined.counts[0])
            np.testing.assert_allclose(joined.counts, exact.counts, rtol=0.01)
            self.assertLess(abs(joined.values[0] - exact.values[0]), 0.1 * exact.error(np.ones(1)))

    def test_points_at_one_place(self) -> None:
        ra, dec = np.zeros(50), np.zeros(50)
        (found,) = correlate(ra, dec, [np.ones(50)], [(0, 0)], np.array([0.0, 1.0]) * ARCMIN, exact=1)
        self.assertEqual((found.counts[0], found.values[0]), (1225, 1.0))


@unittest.skipIf(treecorr is None, "TreeCorr is not installed")
class TreeCorrTestCase(unittest.TestCase):
    """The same on the sphere as TreeCorr's pairs, which it adds up in single
    precision.
    """

    def test_shear_and_scalars(self) -> None:
        bins = {"min_sep": 1.0, "max_sep": 100.0, "nbins": 8, "sep_units": "arcmin", "metric": "Arc"}
        edges = log_bins(1.0, 100.0, 8) * ARCMIN
        for ra, dec, size in FIELDS:
            place = points(400, ra, dec, size)
            one, other = fields(400)
            sky = {"ra": place[0], "dec": place[1], "ra_units": "rad", "dec_units": "rad"}
            shears = [treecorr.Catalog(g1=f.real, g2=f.imag, **sky) for f in (one, other)]
            scalars = [treecorr.Catalog(k=f.real, **sky) for f in (one, other)]
            for catalogues, kind in ((shears, treecorr.GGCorrelation), (scalars, treecorr.KKCorrelation)):
                for number in (1, 2):
                    theirs = kind(brute=True, **bins)
                    theirs.process(*catalogues[:number])
                    pair = (one, (one, other)[number - 1])
                    spin = kind is treecorr.GGCorrelation
                    (ours,) = correlate(*place, pair if spin else [f.real for f in pair], [(0, 1)], edges)
                    with self.subTest(ra=ra, dec=dec, kind=kind.__name__, number=number):
                        np.testing.assert_array_equal(ours.counts, theirs.npairs / number)
                        values = theirs.xip if spin else theirs.xi
                        np.testing.assert_allclose(
                            ours.values[ours.counts > 0], values[ours.counts > 0], atol=3e-8
                        )


class ErrorTestCase(unittest.TestCase):
    """The error is the scatter among other stars."""

    def scatter(self, stars: int, coherent: float, edges: np.ndarray, factors: np.ndarray) -> float:
        draw = np.random.default_rng(stars)
        values, errors = [], []
        for _ in range(150):
            x, y = draw.uniform(0.0, 30.0, (2, stars))
            field = coherent * np.exp(1j * (x + 0.5 * y) / 4.0)
            field = field + 0.02 * (draw.standard_normal(stars) + 1j * draw.standard_normal(stars))
            (found,) = correlate(x * ARCMIN, y * ARCMIN, [field], [(0, 0)], edges)
            values.append(float(found.values @ factors))
            errors.append(found.error(factors))
        return float(np.nanmean(errors) / np.std(values, ddof=1))

    def test_calibrated(self) -> None:
        near, far = np.array([0.0, 5.0]) * ARCMIN, np.array([1.0, 5.0, 20.0]) * ARCMIN
        for stars, coherent, edges, factors in (
            (60, 0.0, near, np.ones(1)),
            (300, 0.0, near, np.ones(1)),
            (300, 0.02, near, np.ones(1)),
            (300, 0.0, far, np.array([0.5, -0.5])),
        ):
            with self.subTest(stars=stars, coherent=coherent):
                self.assertAlmostEqual(self.scatter(stars, coherent, edges, factors), 1.0, delta=0.3)

    def test_by_hand(self) -> None:
        """Three stars, each a block: two pairs that share a star."""
        pairs = np.zeros((1, 3, 3))
        pairs[0, 0, 1] = pairs[0, 1, 2] = 1.0
        found = Correlation(np.array([0.0, 1.0]), pairs, pairs * np.array([3.0, 1.0, 0.0])[:, None])
        self.assertEqual(found.values[0], 2.0)
        # Deviations of 1/2 and -1/2, in twice (1/4 + 1/4) less what is shared.
        self.assertAlmostEqual(found.error(np.ones(1)), np.sqrt(0.5 * 1.5))
        lonely = Correlation(found.edges, pairs[:, :2, :2], pairs[:, :2, :2])
        self.assertTrue(np.isnan(lonely.error(np.ones(1))))


class MetricsTestCase(unittest.TestCase):
    """The metrics, on a visit and on real data."""

    def test_scalar_parts_make_the_whole(self) -> None:
        """On a small field xi+ is E1 + E2, as E1 and E2 are their names."""
        rows = {row["metric"]: row for row in measure(visit(), kind="source")}
        for name in ("TE3", "TE4"):
            parts = rows[f"{name}.E1"]["value"] + rows[f"{name}.E2"]["value"]
            self.assertAlmostEqual(rows[name]["value"], parts, delta=1e-3 * rows[name]["error"])
            self.assertEqual(rows[name]["n"], rows[f"{name}.Ex"]["n"])

    def test_by_detector(self) -> None:
        table = visit()
        shapes = [table[f"i{axes}{psf}"] for psf in ("", "PSF") for axes in ("xx", "yy", "xy")]
        xx, yy, xy, pxx, pyy, pxy = shapes
        e = ((xx - yy) / (xx + yy), 2 * xy / (xx + yy), (pxx - pyy) / (pxx + pyy), 2 * pxy / (pxx + pyy))
        place = np.radians(table["ra"]), np.radians(table["dec"])
        each = []
        for detector in range(4):
            own = table["detector"] == detector
            columns = [column[own] for column in (*place, *e)]
            each.append(residual_correlation(*columns, low=5.0, high=20.0, component="Ex").value)
        found = by_detector(*place, *e, table["detector"], low=5.0, high=20.0, component="Ex")
        self.assertEqual(found.value, np.median(each))
        self.assertEqual(found.n, 4)
        (row,) = measure(table, ["TE4.pipe_tasks_ex"], kind="source")
        self.assertAlmostEqual(row["value"], found.value, 15)

    def test_few_stars(self) -> None:
        """The peer wants fifty stars."""
        for number, status in ((49, "undefined"), (50, "ok")):
            (row,) = measure(visit(number), ["TE4.faro"], kind="source")
            self.assertEqual(row["status"], status)

    def test_rho(self) -> None:
        """What each convention makes of the same moments."""
        table = visit()
        rows = measure(table, [m for m in RHO if m.table == "source"], kind="source")
        found = {}
        for row in rows:
            found.setdefault(row["metric"], []).append(row)
        self.assertEqual({len(found[f"rho{k}"]) for k in range(6)}, {10})
        self.assertEqual({len(found[f"rho{k}.analysis_tools"]) for k in range(6)}, {21})
        place = np.radians(table["ra"]), np.radians(table["dec"])
        xx, yy, xy = (table[f"i{axes}"] for axes in ("xx", "yy", "xy"))
        pxx, pyy, pxy = (table[f"i{axes}PSF"] for axes in ("xx", "yy", "xy"))
        star, model = (xx - yy + 2j * xy) / (xx + yy), (pxx - pyy + 2j * pxy) / (pxx + pyy)
        g = (xx - yy + 2j * xy) / (xx + yy + 2 * np.sqrt(xx * yy - xy**2))
        p = (pxx - pyy + 2j * pxy) / (pxx + pyy + 2 * np.sqrt(pxx * pyy - pxy**2))
        t, pt = xx + yy, pxx + pyy
        r, pr = np.sqrt(t / 2), np.sqrt(pt / 2)
        for suffix, e, de, s in (
            ("", p, g - p, (t - pt) / pt),
            (".faro", model, star - model, (t - pt) / (0.5 * (t + pt))),
            (".analysis_tools", star / 2, (star - model) / 2, (r - pr) / r),
        ):
            w = e * s
            for k, pair in enumerate(((s, s), (de, de), (e, de), (w, w), (de, w), (e, w))):
                row = found[f"rho{k}{suffix}"][-3]
                edges = np.array([row["bin_low"], row["bin_high"]]) * ARCMIN
                self.assertAlmostEqual(
                    row["value"], correlate(*place, pair, [(0, 1)], edges)[0].values[0], 15
                )

    def test_thresholds(self) -> None:
        """Signed values are to be small, not negative."""
        (spec,) = [s for s in TE_SPECS["TE2"] if s.level == "design" and s.op == "<="]
        self.assertEqual((spec.value, spec.bands), (1e-7, "ri"))
        below = [s for s in TE_SPECS["TE1"] if s.op == ">="]
        self.assertEqual([s.value for s in below], [-3e-5, -2e-5, -1e-5])
        self.assertFalse(all(s.passes(-1e-3) for s in METRICS["TE3"].specs))
        self.assertEqual({s.op for s in METRICS["TE1.faro"].specs}, {"<="})

    @needs_shared
    def test_golden(self) -> None:
        """What faro expects of one detector, to its last digit."""
        text = (SHARED / "faro" / "expected" / "TE1_expected_0_i.yaml").read_text()
        (expected,) = [float(line.split()[1]) for line in text.splitlines() if line.startswith("value:")]
        (row,) = measure(SHARED / "faro" / "src_HSC_i_903986_31.fits", ["TE1.faro_source"], kind="source")
        self.assertAlmostEqual(row["value"] / expected, 1.0, delta=1e-12)


if __name__ == "__main__":
    unittest.main()
