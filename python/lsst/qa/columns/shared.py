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

"""Columns that several kinds of tables have, and short ways to declare one."""

from __future__ import annotations

__all__ = [
    "BAND",
    "DETECTOR",
    "ELLIPTICITIES",
    "PSF_FLUX",
    "QUALITY",
    "SHAPES",
    "SKY",
    "VISIT",
    "flag",
    "named",
    "pixel_flag",
    "real",
]

import numpy as np

from . import derived
from .kinds import Column, Derived


def real(name: str, unit: str, *aliases: str, derived: tuple[Derived, ...] = ()) -> Column:
    """Declare a column of numbers.

    Parameters
    ----------
    name, unit : `str`
        Its name, and the unit that its values are handed over in.
    *aliases : `str`
        Names in other releases.
    derived : `tuple` [`Derived`, ...], optional
        Ways to compute it where it is absent.

    Returns
    -------
    column : `Column`
        The column.
    """
    return Column(name, "real", unit, aliases, derived)


def flag(name: str, *aliases: str, applied: bool = False) -> Column:
    """Declare a quality column.

    Parameters
    ----------
    name : `str`
        Its name.
    *aliases : `str`
        Names in other releases.
    applied : `bool`, optional
        The value of a good row.

    Returns
    -------
    column : `Column`
        The column.
    """
    return Column(name, "flag", "", aliases, applied=applied)


def pixel_flag(name: str) -> Column:
    """Declare a flag about the pixels under a source.

    Parameters
    ----------
    name : `str`
        What ``pixelFlags_`` is followed by.

    Returns
    -------
    column : `Column`
        The column; true is bad.
    """
    return flag(f"pixelFlags_{name}", f"base_PixelFlags_flag_{name}", f"PixelFlags_{name}")


def named(*columns: Column) -> dict[str, Column]:
    """Key columns by their names.

    Parameters
    ----------
    *columns : `Column`
        The columns.

    Returns
    -------
    by_name : `dict` [`str`, `Column`]
        The same, in their order.
    """
    return {column.name: column for column in columns}


BAND = Column("band", "text")
VISIT = Column("visit", "int", "", ("visitId",))
DETECTOR = Column("detector", "int", "", ("detectorId", "ccd"))
# Radians inside, so that afw's catalogues keep their last digits; Parquet
# tables hold degrees and do not say so.
SKY = (
    Column("ra", "real", "rad", ("coord_ra",), stated="deg"),
    Column("dec", "real", "rad", ("coord_dec", "decl"), stated="deg"),
)
SHAPES = tuple(
    real(f"i{axes}{suffix}", "pixel2", f"I{axes}{old}", slot)
    for suffix, old, slots in (("", "", "slot_Shape"), ("PSF", "Psf", "slot_PsfShape"))
    for axes in ("xx", "yy", "xy")
    for slot in (f"{slots}_{axes}",)
)
ELLIPTICITIES = tuple(
    real(name, "", *aliases, derived=(Derived(function, tuple(f"i{axes}{psf}" for axes in axes_of)),))
    for name, aliases, function, psf, axes_of in (
        ("e1", ("e1",), derived.e1, "", ("xx", "yy")),
        ("e2", ("e2",), derived.e2, "", ("xx", "yy", "xy")),
        ("psf_e1", ("psf_e1",), derived.e1, "PSF", ("xx", "yy")),
        ("psf_e2", ("psf_e2",), derived.e2, "PSF", ("xx", "yy", "xy")),
    )
)
PSF_FLUX = (
    real(
        "psfFlux",
        "nJy",
        "PsFlux",
        derived=(Derived(np.multiply, ("photo_calib", "psf_inst_flux")),),
    ),
    real(
        "psfFluxErr",
        "nJy",
        "PsFluxErr",
        derived=(Derived(np.multiply, ("photo_calib", "psf_inst_flux_err")),),
    ),
    real("photo_calib", "nJy/ct", "base_LocalPhotoCalib", "LocalPhotoCalib", "localPhotoCalib"),
    real("psf_inst_flux", "ct", "base_PsfFlux_instFlux", "slot_PsfFlux_instFlux"),
    real("psf_inst_flux_err", "ct", "base_PsfFlux_instFluxErr", "slot_PsfFlux_instFluxErr"),
    real("psf_mag", "mag", "base_PsfFlux_mag", derived=(Derived(derived.magnitude, ("psfFlux",)),)),
    real("psf_snr", "", "base_PsfFlux_snr", derived=(Derived(derived.ratio, ("psfFlux", "psfFluxErr")),)),
)
QUALITY = (
    Column(
        "clean",
        "flag",
        derived=(
            Derived(
                derived.none_of, tuple(f"pixelFlags_{name}" for name in ("bad", "cr", "edge", "saturated"))
            ),
        ),
        applied=True,
    ),
    Column("extendedness", "real", "", ("base_ClassificationExtendedness_value",)),
    flag("detect_isPrimary", applied=True),
    flag("psfFlux_flag", "base_PsfFlux_flag", "PsfFlux_flag", "slot_PsfFlux_flag"),
    flag("centroid_flag", "slot_Centroid_flag", "base_SdssCentroid_flag", "Centroid_flag"),
    *map(
        pixel_flag,
        (
            "bad",
            "cr",
            "crCenter",
            "edge",
            "interpolated",
            "interpolatedCenter",
            "nodata",
            "saturated",
            "saturatedCenter",
            "suspect",
        ),
    ),
)
