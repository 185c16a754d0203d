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

"""Standard plots: what they draw of columns, and in how much of them."""

from __future__ import annotations

import unittest
from typing import Any

import numpy as np

from lsst.qa.errors import DefinitionError, InputError, MissingColumnError, UnknownNameError
from lsst.qa.pieces import Coded
from lsst.qa.plots import draw, find_plot, list_plots, picture
from lsst.qa.plots.catalogue import PLOTS
from lsst.qa.plots.crowd import MOST_MARKS, crowd, running_median, span
from lsst.qa.plots.declared import Plot, Way
from lsst.qa.plots.drawing import KINDS, Drawing, Layer
from lsst.qa.plots.listing import list_rows
from lsst.qa.plots.locus import stellar_locus
from lsst.qa.plots.magnitudes import magnitude_scatter
from lsst.qa.plots.reading import fitting, read_columns
from lsst.qa.plots.repeatability import repeatability
from lsst.qa.plots.rho import rho_statistics
from lsst.qa.plots.sky import sky_sources
from lsst.qa.plots.whiskers import residual_whiskers
from lsst.qa.tables.readable import from_columns


def source_columns(n: int = 400, seed: int = 1) -> dict[str, Any]:
    """Return sources of a visit whose every size and flux is known."""
    drawn = np.random.default_rng(seed)
    flux = 10.0 ** (-0.4 * (drawn.uniform(17.0, 23.0, n) - 31.4))
    return {
        "sourceId": np.arange(n) + 2**60,
        "visit": np.full(n, 7),
        "detector": np.arange(n) % 4,
        "ra": 10.0 + drawn.uniform(-0.2, 0.2, n),
        "dec": 1.0 + drawn.uniform(-0.2, 0.2, n),
        "psfFlux": flux,
        "psfFluxErr": flux / 300.0,
        "ap09Flux": flux * 10.0**0.004,
        "ixx": np.full(n, 4.4),
        "iyy": np.full(n, 4.0),
        "ixy": np.zeros(n),
        "ixxPSF": np.full(n, 4.2),
        "iyyPSF": np.full(n, 4.2),
        "ixyPSF": np.zeros(n),
        "extendedness": (np.arange(n) % 2).astype(float),
        "sky_source": np.arange(n) % 10 == 0,
    }


def layers(drawing: Drawing, kind: str) -> list[Layer]:
    """Return the layers of a kind."""
    return [layer for layer in drawing.layers if layer.kind == kind]


class CrowdTestCase(unittest.TestCase):
    """Few marks look like many points."""

    def test_few_points_are_all_drawn(self) -> None:
        x = np.array([1.0, np.nan, 3.0])
        (drawn,) = crowd(x, x, "a", key=np.array([2**62, 5, 2**62 + 1]))
        self.assertEqual(drawn.columns["x"].tolist(), [1.0, 3.0])
        self.assertEqual(drawn.columns["id"].tolist(), [str(2**62), str(2**62 + 1)])
        self.assertEqual(crowd(x[1:2], x[1:2], "a"), ())

    def test_many_points_are_counted(self) -> None:
        drawn = np.random.default_rng(3)
        for x, y in (
            drawn.normal(size=(2, 100_000)),
            drawn.uniform(size=(2, 100_000)),
            np.zeros((2, 50_000)),
            np.concatenate([np.zeros((2, 50_000)), drawn.uniform(-9, 9, (2, 9000))], axis=1),
        ):
            found = crowd(x, y, "a")
            marks = sum(len(next(iter(layer.columns.values()))) for layer in found)
            self.assertLessEqual(marks, MOST_MARKS)
            self.assertEqual(found[0].kind, "cells")
            shown = sum(int(layer.columns["count"].sum()) for layer in found if layer.kind == "cells")
            shown += sum(len(layer.columns["x"]) for layer in found if layer.kind == "points")
            self.assertGreater(shown, 0.98 * len(x))
            self.assertLessEqual(shown, len(x))

    def test_cells_of_a_logarithm(self) -> None:
        y = 10.0 ** np.random.default_rng(4).uniform(0, 4, 20_000)
        cells = crowd(np.arange(20_000.0), y, "a", log_up=True)[0].columns
        ratio = cells["top"] / cells["bottom"]
        np.testing.assert_allclose(ratio, ratio[0])

    def test_span_and_median(self) -> None:
        self.assertEqual(span(np.zeros(0)), (0.0, 1.0))
        low, high = span(np.append(np.linspace(0, 1, 1000), 1e9))
        self.assertLess(high, 3.0)
        x = np.repeat(np.arange(16.0), 9)
        line, bars = running_median(x, 2.0 * x, "a")
        np.testing.assert_allclose(line.columns["y"], 2.0 * line.columns["x"])
        self.assertTrue(np.all(bars.columns["high"] >= bars.columns["low"]))
        self.assertEqual(running_median(x[:3], x[:3], "a"), ())


class FunctionsTestCase(unittest.TestCase):
    """Each plot draws what is known."""

    def test_magnitudes(self) -> None:
        flux = np.full(50, 10.0**4)
        drawn = magnitude_scatter(flux, flux * 10.0**0.004)
        (points,) = layers(drawn, "points")
        np.testing.assert_allclose(points.columns["x"], 21.4)
        np.testing.assert_allclose(points.columns["y"], 10.0)  # mmag fainter

    def test_repeatability(self) -> None:
        star = np.tile(np.arange(40), 3)
        mag = np.repeat([20.0, 20.01, 20.02], 40)
        band = Coded(np.zeros(120, dtype=int), ("r",))
        drawn = repeatability(mag, star, band)
        (points,) = layers(drawn, "points")
        np.testing.assert_allclose(points.columns["y"], 10.0)
        self.assertEqual((drawn.n, points.tone), (40, "band:r"))
        self.assertEqual(layers(repeatability(mag[:80], star[:80], band[:80]), "points"), [])

    def test_whiskers(self) -> None:
        east = np.tile(np.linspace(-1e-3, 1e-3, 20), 20)
        north = np.repeat(np.linspace(-1e-3, 1e-3, 20), 20)
        # Along the first axis, then along the second: across and upright.
        for first, flat in ((0.02, True), (-0.02, False)):
            drawn = residual_whiskers(
                0.5 + east, north, np.full(400, first), np.zeros(400), np.zeros(400), np.zeros(400)
            )
            whiskers, key = (layer.columns for layer in layers(drawn, "segments"))
            across, up = np.abs(whiskers["x1"] - whiskers["x0"]), np.abs(whiskers["y1"] - whiskers["y0"])
            long, short = (across, up) if flat else (up, across)
            self.assertLess(short.max(), 1e-9)
            np.testing.assert_allclose(long, np.abs(key["x1"] - key["x0"])[0])

    def test_rho(self) -> None:
        columns = source_columns()
        ra, dec = np.radians(columns["ra"]), np.radians(columns["dec"])
        shapes = [columns[name] for name in ("ixx", "iyy", "ixy", "ixxPSF", "iyyPSF", "ixyPSF")]
        drawn = rho_statistics(ra, dec, *shapes)
        first = layers(drawn, "bars")[0]
        # All stars have one residual, whose square rho 1 is everywhere.
        shear = 0.4 / (8.4 + 2.0 * np.sqrt(4.4 * 4.0))
        np.testing.assert_allclose(first.columns["y"], shear**2)

    def test_locus(self) -> None:
        blue = np.linspace(0.3, 0.9, 60)
        drawn = stellar_locus(20.0 + blue, np.full(60, 20.0), 20.0 - 0.05 - 0.4 * blue)
        (line,) = layers(drawn, "line")
        np.testing.assert_allclose(line.columns["y"], 0.05 + 0.4 * line.columns["x"])

    def test_sky(self) -> None:
        drawn = sky_sources(np.array([0.0, 1.0, np.nan, 50.0]))
        (steps,) = layers(drawn, "steps")
        self.assertEqual((drawn.n, steps.columns["top"].sum()), (3, 2.0))
        self.assertIn("1 lie beyond", drawn.notes[0])

    def test_nothing(self) -> None:
        """Without a row every plot is empty, and a picture all the same."""
        source = from_columns({name: column[:0] for name, column in source_columns().items()})
        for name in ("magnitude_scatter", "size_magnitude", "residual_whiskers", "rho_statistics"):
            drawn = draw(source, name, kind="source")
            with self.subTest(name):
                self.assertEqual((drawn.layers, drawn.n), ((), 0))
                self.assertIn("Nothing to draw", drawn.notes[-1])
                self.assertTrue(picture(drawn).startswith(b"\x89PNG"))


class DrawTestCase(unittest.TestCase):
    """Plots of tables."""

    def test_every_plot_is_drawn(self) -> None:
        source = from_columns(source_columns())
        able = [name for name in list_plots() if fitting(find_plot(name), source, "source")]
        wanted = ["magnitude_scatter", "size_magnitude", "residual_whiskers", "rho_statistics", "sky_sources"]
        self.assertEqual(able, wanted)
        for name in able:
            drawn = draw(source, name)
            with self.subTest(name):
                self.assertGreater(drawn.n, 0)
                for layer in drawn.layers:
                    self.assertLessEqual(set(KINDS[layer.kind]), set(layer.columns))
                    for column in layer.columns.values():
                        self.assertFalse(
                            np.asarray(column).dtype.kind == "f" and not np.isfinite(column).all()
                        )
                self.assertTrue(picture(drawn, "$a_b <x>", "pdf").startswith(b"%PDF"))
                self.assertEqual(picture(drawn), picture(drawn))
                self.assertEqual(len(drawn.to_dict()["layers"]), len(drawn.layers))

    def test_what_is_left_out_is_told(self) -> None:
        drawn = draw(from_columns(source_columns()), "size_magnitude")
        self.assertIn("detect_isPrimary", drawn.notes[-1])

    def test_names_of_other_releases(self) -> None:
        columns = source_columns()
        new = draw(from_columns(columns), "size_magnitude")
        names = {"psfFlux": "PsFlux", "ixx": "Ixx", "iyy": "Iyy", "ixxPSF": "IxxPsf", "sourceId": "id"}
        old = draw(from_columns({names.get(name, name): v for name, v in columns.items()}), "size_magnitude")
        for one, other in zip(new.layers, old.layers):
            np.testing.assert_array_equal(one.columns["x"], other.columns["x"])

    def test_detector(self) -> None:
        source = from_columns(source_columns())
        self.assertEqual(draw(source, "size_magnitude", detector=2).n, 100)
        with self.assertRaisesRegex(MissingColumnError, "patch"):
            draw(source, "size_magnitude", patch=1)

    def test_misuse(self) -> None:
        source = from_columns(source_columns())
        with self.assertRaisesRegex(UnknownNameError, "size_magnitude"):
            draw(source, "size_magnitud")
        with self.assertRaisesRegex(InputError, "cannot be drawn of"):
            draw(source, "stellar_locus")
        with self.assertRaisesRegex(InputError, "pdf"):
            picture(draw(source, "sky_sources"), form="svg")

    def test_faulty_declarations(self) -> None:
        def function(nothing: np.ndarray, *, known: int = 1) -> Drawing:
            raise NotImplementedError

        with self.assertRaisesRegex(DefinitionError, "no column 'nothing'.*no kind of table 'stars'"):
            Plot("a", "A", "", function, (Way("source"), Way("stars")))
        with self.assertRaisesRegex(DefinitionError, "no constant 'other'"):
            Plot("a", "A", "", function, (Way("source", None, {"nothing": "psfFlux"}, {"other": 1}),))

    def test_every_plot_is_told(self) -> None:
        for plot in PLOTS.values():
            self.assertTrue(plot.doc.endswith("."), plot.name)


class SampleTestCase(unittest.TestCase):
    """Of a large table a sample is held."""

    def test_rows(self) -> None:
        source = from_columns(source_columns(4000))
        (fit,) = fitting(find_plot("size_magnitude"), source, "source")
        chosen = read_columns(fit, source, {}, most=1000)
        self.assertLessEqual(chosen.n, 1000)
        self.assertAlmostEqual(chosen.n / 4000, chosen.share, delta=0.05)
        again = read_columns(fit, source, {}, most=1000)
        np.testing.assert_array_equal(chosen.columns["psf_mag"], again.columns["psf_mag"])

    def test_stars_stay_whole(self) -> None:
        n = 3000
        columns = {
            "isolated_star_id": np.tile(np.arange(n // 3), 3) + 2**61,
            "visit": np.repeat([1, 2, 3], n // 3),
            "band": np.full(n, "r"),
            "ra": np.zeros(n),
            "dec": np.zeros(n),
            "psfFlux": np.full(n, 1e4),
        }
        source = from_columns(columns)
        (fit,) = fitting(find_plot("repeatability"), source, "matched")
        chosen = read_columns(fit, source, {}, most=500)
        self.assertTrue(0 < chosen.n <= 500)
        self.assertEqual(set(np.unique(chosen.columns["star"], return_counts=True)[1]), {3})


class ListingTestCase(unittest.TestCase):
    """The rows behind a number."""

    def test_rows_of_a_metric(self) -> None:
        from lsst.qa.catalogue import find

        source = from_columns(source_columns())
        listing = list_rows(source, "source", find("e1_residual_median"), limit=30)
        self.assertTrue(listing.more)
        place = list(listing.columns).index("extendedness")
        self.assertEqual({row[place] for row in listing.rows}, {0.0})
        self.assertIn("psf_e1", listing.columns)
        self.assertEqual(listing.columns["ra"], "deg")
        last = list_rows(source, "source", find("e1_residual_median"), offset=190, limit=30)
        self.assertEqual((len(last.rows), last.more), (10, False))

    def test_one_source(self) -> None:
        listing = list_rows(from_columns(source_columns()), "source", key=2**60 + 17)
        ((identifier, *_),) = listing.rows
        self.assertEqual(identifier, str(2**60 + 17))
        self.assertIn("ixxPSF", listing.columns)
        self.assertEqual(list_rows(from_columns(source_columns()), "source", key=5).rows, [])

    def test_misuse(self) -> None:
        from lsst.qa.catalogue import find

        with self.assertRaisesRegex(MissingColumnError, "psf_snr"):
            columns = source_columns()
            del columns["psfFluxErr"]
            list_rows(from_columns(columns), "source", find("e1_residual_median"))


if __name__ == "__main__":
    unittest.main()
