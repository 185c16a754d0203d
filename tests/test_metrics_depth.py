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

"""Depth and image quality over the field."""

from __future__ import annotations

import unittest
from typing import Any

import numpy as np
from support import SHARED, needs_shared

from lsst.qa import measure
from lsst.qa.catalogue import METRICS
from lsst.qa.metrics.depth import FIDUCIAL_DEPTH
from lsst.qa.stats.noise import clipped_stdev, limiting_counts


def sources(number: int = 4000) -> dict[str, Any]:
    """Make a visit of stars with 40 nJy of noise, and sky."""
    draw = np.random.default_rng(1)
    flux = draw.uniform(100.0, 400.0, number)
    table: dict[str, Any] = {
        "sourceId": np.arange(number),
        "visit": np.full(number, 3),
        "band": np.full(number, "r"),
        "psfFlux": flux,
        "psfFluxErr": np.full(number, 40.0),
        "extendedness": np.zeros(number),
        "ap09Flux": 30.0 * draw.standard_normal(number),
    }
    for name in ("detect_isPrimary", "sky_source"):
        table[name] = np.ones(number, dtype=bool)
    for name in ("bad", "cr", "edge", "saturated", "nodata"):
        table[f"pixelFlags_{name}"] = np.zeros(number, dtype=bool)
    return table


def summary(**columns: Any) -> dict[str, Any]:
    """Make a visit of detectors."""
    number = len(next(iter(columns.values())))
    return {
        "visit": np.full(number, 3),
        "detector": np.arange(number),
        "band": np.full(number, "r"),
        "zeroPoint": np.full(number, 32.0),
        "skyNoise": np.full(number, 30.0),
        **columns,
    }


def value(table: Any, name: Any, kind: str = "source") -> Any:
    return measure(table, [name], kind=kind)[0]


class DepthTestCase(unittest.TestCase):
    """How faint a source may be."""

    def test_stars_at_five_sigma(self) -> None:
        table = sources()
        at_five = 31.4 - 2.5 * np.log10(200.0)
        for name in ("five_sigma_depth", "five_sigma_depth_mean"):
            row = value(table, name)
            self.assertAlmostEqual(row["value"], at_five, delta=4.0 * row["error"])
            self.assertLess(row["error"], 0.01)
        table["extendedness"][:] = 1.0
        self.assertEqual(value(table, "five_sigma_depth")["status"], "empty")

    def test_counts_have_their_signal_to_noise(self) -> None:
        background, area = np.array([0.0, 50.0, 4000.0]), np.array([30.0, 60.0, 90.0])
        for gain, read_noise in ((1.0, 8.8), (1.6, 0.0), (0.5, 5.0)):
            counts = limiting_counts(5.0, background, area, gain, read_noise)
            noise = np.sqrt(counts / gain + (background / gain + read_noise**2) * area)
            np.testing.assert_allclose(counts / noise, 5.0, rtol=1e-12)

    def test_bright_sky(self) -> None:
        """Where the sky is all the noise, both ways give the same depth."""
        background = np.full(9, 1e6)
        table = summary(skyBg=background, psfArea=np.full(9, 60.0), skyNoise=np.sqrt(background))
        full, simple = (
            value(table, name, "visit_summary")["value"] for name in ("m5_smtn002", "m5_background")
        )
        self.assertAlmostEqual(full, simple, 3)
        self.assertLess(full, simple)

    def test_effective_time(self) -> None:
        for band, fiducial in FIDUCIAL_DEPTH.items():
            table = summary(magLim=np.full(5, fiducial + 1.25), band=np.full(5, band))
            self.assertAlmostEqual(
                value(table, "effective_time_of_depth", "visit_summary")["value"], 300.0, 9
            )
        strange = summary(magLim=np.full(5, 24.0), band=np.full(5, "w"))
        self.assertNotEqual(value(strange, "effective_time_of_depth", "visit_summary")["status"], "ok")

    def test_surface_brightness(self) -> None:
        """Noise of 1 nJy a pixel, by hand; a bright star does not count."""
        table = sources()
        draw = np.random.default_rng(2)
        table["ap09Flux"] = np.sqrt(81.0 * np.pi) * draw.standard_normal(4000)
        table["ap09Flux"][::100] = 1e6
        row = value(table, "surface_brightness_limit")
        # Clipping at 3 sigma takes 1.3 % off the width.
        self.assertAlmostEqual(
            row["value"], 31.4 - 2.5 * np.log10(0.9866 * 3.0 / 2.0), delta=4.0 * row["error"]
        )

    def test_pixel_scale(self) -> None:
        """That of the instrument: 0.168 arcsec of HSC's, 0.2 of LSSTCam's."""
        table = sources()

        def limit(name: str = "surface_brightness_limit", **data_id: Any) -> Any:
            return measure(table, [name], kind="source", **data_id)[0]

        plain = limit()["value"]
        self.assertEqual(limit(instrument="LSSTCam")["value"], plain)
        hsc = limit(instrument="HSC")["value"]
        self.assertAlmostEqual(hsc - plain, 2.5 * np.log10(0.168 / 0.2), 12)
        self.assertEqual(limit(instrument="a camera of my own")["status"], "undefined")
        coadd = {
            "objectId": np.arange(4000),
            "sky_object": table["sky_source"],
            **{f"r_{name}": table[name] for name in ("ap09Flux", "pixelFlags_edge", "pixelFlags_nodata")},
        }
        named = measure(coadd, ["coadd_surface_brightness_limit.HSC"])[0]
        self.assertAlmostEqual(named["value"], hsc, 12)

    def test_noise_of_a_camera(self) -> None:
        """Gain and read noise are the instrument's, or a variant's own."""
        table = summary(skyBg=np.full(9, 10.0), psfArea=np.full(9, 60.0))
        found = {
            camera: measure(table, ["m5_smtn002"], kind="visit_summary", instrument=camera)[0]["value"]
            for camera in ("LSSTCam", "HSC")
        }
        for camera, gain, read_noise in (("LSSTCam", 1.0, 8.8), ("HSC", 3.0, 1.5)):
            counts = limiting_counts(5.0, np.array([10.0]), np.array([60.0]), gain, read_noise)[0]
            self.assertAlmostEqual(found[camera], 32.0 - 2.5 * np.log10(counts), 12)
        own = METRICS["m5_smtn002"].variant(".own", gain=3.0, read_noise=1.5)
        self.assertEqual(measure(table, [own], kind="visit_summary")[0]["value"], found["HSC"])

    def test_clipping(self) -> None:
        values = np.concatenate([np.random.default_rng(3).standard_normal(2000), np.full(20, 1e3), [np.nan]])
        spread, error, n = clipped_stdev(values, 3.0)
        self.assertAlmostEqual(spread, 0.9866, delta=0.05)
        self.assertTrue(0.01 < error < 0.02)
        self.assertLessEqual(n, 2000)
        self.assertEqual(clipped_stdev(values[:0], 3.0)[2], 0)


class FieldTestCase(unittest.TestCase):
    """How even depth and PSF are."""

    def test_depth(self) -> None:
        """A tenth of the field half a magnitude brighter."""
        depth = np.concatenate([np.full(90, 24.5), np.full(10, 24.0), [np.nan]])
        table = summary(magLim=depth)
        self.assertEqual(value(table, "DF2", "visit_summary")["value"], 10.0)
        self.assertEqual(value(table, "Z2", "visit_summary")["value"], 0.0)
        worse = METRICS["Z2"].variant("worse", outliers=5.0)
        self.assertAlmostEqual(value(table, worse, "visit_summary")["value"], 0.5)

    def test_seeing(self) -> None:
        table = summary(seeing=np.concatenate([np.full(80, 0.8), np.full(20, 1.0)]))
        self.assertEqual(value(table, "SF1", "visit_summary")["value"], 20.0)
        self.assertAlmostEqual(value(table, "SX", "visit_summary")["value"], 1.25)

    def test_ellipticity(self) -> None:
        table = sources(1000)
        table["psfFlux"][:] = 1e4
        size = np.linspace(0.0, 0.1, 1000)
        angle = np.random.default_rng(4).uniform(0.0, np.pi, 1000)
        # Moments of trace 2 have these ellipticities.
        table |= {"ixxPSF": 1.0 + size * np.cos(2 * angle), "iyyPSF": 1.0 - size * np.cos(2 * angle)}
        table["ixyPSF"] = size * np.sin(2 * angle)
        self.assertAlmostEqual(value(table, "SE1")["value"], 0.05, 9)
        self.assertAlmostEqual(value(table, "EF1")["value"], 30.0, 9)
        self.assertAlmostEqual(value(table, "SE2")["value"], 0.095, 9)

    @needs_shared
    def test_real_visit(self) -> None:
        """Detectors of HSC: some are shallower, none is out of focus."""
        path = SHARED / "visitSummary" / "visitSummary_1176.fits"
        rows = {row["metric"]: row for row in measure(path, ["SX", "SF1", "m5_smtn002"])}
        self.assertTrue(1.0 < rows["SX"]["value"] < 1.3)
        self.assertTrue(0.0 <= rows["SF1"]["value"] <= 20.0)
        self.assertTrue(20.0 < rows["m5_smtn002"]["value"] < 27.0)


if __name__ == "__main__":
    unittest.main()
