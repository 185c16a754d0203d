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

"""The correlations of stars' shapes with TreeCorr."""

from __future__ import annotations

__all__ = ["correlations"]

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import treecorr

from . import plainly

_SHAPES = ("ixx", "iyy", "ixy")


def correlations(path: str, slop: float = 0.1) -> Callable[[], dict[str, Any]]:
    """Measure rho0 to rho5, TE3 and TE4.

    ``slop`` is what a pair's separation may be off by, relative to itself.
    """

    def work() -> dict[str, Any]:
        columns = ["ra", "dec", "visit", "band", *_SHAPES, *(f"{name}PSF" for name in _SHAPES)]
        table = pq.read_table(path, columns=columns)
        held = {name: table[name].to_numpy() for name in columns if name not in ("visit", "band")}
        visit, band = table["visit"][0].as_py(), table["band"][0].as_py()
        sky = {"ra": held["ra"], "dec": held["dec"], "ra_units": "deg", "dec_units": "deg"}
        (shear, own), (model_shear, model) = (_shapes(held, suffix) for suffix in ("", "PSF"))
        trace, model_trace = held["ixx"] + held["iyy"], held["ixxPSF"] + held["iyyPSF"]
        size = (trace - model_trace) / model_trace
        fields = {"e": model_shear, "de": shear - model_shear, "es": model_shear * size, "d": own - model}
        made = {name: treecorr.Catalog(g1=field.real, g2=field.imag, **sky) for name, field in fields.items()}
        sizes = treecorr.Catalog(k=size, **sky)
        values: dict[str, float] = {}
        rho = {"min_sep": 1.0, "max_sep": 100.0, "nbins": 10, "sep_units": "arcmin"}
        rho["bin_slop"] = slop / (np.log(100.0) / 10)
        found = treecorr.KKCorrelation(rho)
        found.process(sizes)
        _add(values, plainly.key("rho0", band, visit), found.left_edges, found.xi)
        for number, (one, other) in enumerate(
            (("de", "de"), ("e", "de"), ("es", "es"), ("de", "es"), ("e", "es")), start=1
        ):
            found = treecorr.GGCorrelation(rho)
            found.process(*(made[name] for name in ((one,) if one == other else (one, other))))
            _add(values, plainly.key(f"rho{number}", band, visit), found.left_edges, found.xip)
        for name, low, high in (("TE3", 1e-4, 1.0), ("TE4", 5.0, 100.0)):
            config = {"min_sep": low, "max_sep": high, "nbins": 1, "sep_units": "arcmin"}
            found = treecorr.GGCorrelation(config, bin_slop=slop / np.log(high / low))
            found.process(made["d"])
            values[plainly.key(name, band, visit)] = float(found.xip[0])
        return {"values": values}

    return work


def _shapes(held: dict[str, np.ndarray], suffix: str) -> tuple[np.ndarray, np.ndarray]:
    """Return ellipticities, as shear and as distortion."""
    xx, yy, xy = (held[f"{name}{suffix}"] for name in _SHAPES)
    complex_part = xx - yy + 2j * xy
    return complex_part / (xx + yy + 2.0 * np.sqrt(xx * yy - xy**2)), complex_part / (xx + yy)


def _add(values: dict[str, float], name: str, edges: np.ndarray, found: np.ndarray) -> None:
    values.update({f"{name} from {low:.4g}": float(value) for low, value in zip(edges, found)})
