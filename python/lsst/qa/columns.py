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

"""The input tables: each column's name, kind, unit, and its names in older
releases.

A metric names a column once, by the name it has here; `lsst.qa.resolution`
finds it in a table of whichever release, under another name, in another unit,
or computed from others.
"""

from __future__ import annotations

__all__ = [
    "ANY_BAND",
    "BANDS",
    "BAND_PREFIX",
    "OBS_MJD",
    "TABLES",
    "Column",
    "Table",
]

import dataclasses
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from . import _derived as derived

BANDS = "ugrizy"
BAND_PREFIX = "{band}_"
ANY_BAND = "*"
OBS_MJD = "expMidptMJD"
"""Column of the middle of an exposure, an MJD (TAI) that a visit's rows share.
"""


class Derived(NamedTuple):
    """A way to compute a column from others of the same table."""

    function: Callable[..., np.ndarray]
    inputs: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Column:
    """A column as metrics know it.

    Attributes
    ----------
    name : `str`
        Its name, also the parameter's name in a metric.
    kind : `str`
        "real" (float64), "int" (int64), "flag" (bool) or "text".
    unit : `str`
        Unit that its values are handed over in.
    aliases : `tuple` [`str`, ...]
        Names in other releases, first match wins, after its own name unless
        that stands among them.
    derived : `tuple` [`Derived`, ...]
        Ways to compute it where it is absent.
    applied : `bool` or `None`
        For a quality column, the value of a good row: also what is assumed
        where a caller declares the cut to be applied already.
    stated : `str` or `None`
        Unit of a column that does not state its own, if not ``unit``.
    """

    name: str
    kind: str = "real"
    unit: str = ""
    aliases: tuple[str, ...] = ()
    derived: tuple[Derived, ...] = ()
    applied: bool | None = None
    stated: str | None = None


@dataclasses.dataclass(frozen=True)
class Table:
    """A kind of input table.

    Attributes
    ----------
    name : `str`
        Name of the kind.
    doc : `str`
        What a row is.
    columns : `dict` [`str`, `Column`]
        What metrics may ask for.
    split : `tuple` [`str`, ...]
        Columns whose values are measured apart from each other.
    time : `str`
        Column of the time that rows measured together share, "" for none.
    signature : `tuple` [`str`, ...]
        Columns that tell this kind of table.
    without : `tuple` [`str`, ...]
        Columns that this kind of table does not have.
    group : `str`
        Column that numbers the groups, "" where there are none.
    by_band : `bool`
        Whether columns carry the band as a prefix.
    """

    name: str
    doc: str
    columns: Mapping[str, Column]
    split: tuple[str, ...]
    signature: tuple[str, ...]
    without: tuple[str, ...] = ()
    group: str = ""
    time: str = ""
    by_band: bool = False

    def column(self, name: str) -> tuple[Column, str | None] | None:
        """Look a metric's column up.

        Parameters
        ----------
        name : `str`
            A column's name, without its band where it is any band's, with
            it where it is that band's.

        Returns
        -------
        found : `tuple` [`Column`, `str` or `None`] or `None`
            The column, and its band: `ANY_BAND` for any, `None` for a
            column that has no band; `None` alone for a name that is
            not known.
        """
        if name in self.columns:
            return self.columns[name], None
        if not self.by_band:
            return None
        if found := self.columns.get(BAND_PREFIX + name):
            return found, ANY_BAND
        if name[:1] in BANDS and (found := self.columns.get(BAND_PREFIX + name[2:])) and name[1:2] == "_":
            return found, name[0]
        return None


def _real(name: str, unit: str, *aliases: str, derived: tuple[Derived, ...] = ()) -> Column:
    return Column(name, "real", unit, aliases, derived)


def _flag(name: str, *aliases: str, applied: bool = False) -> Column:
    return Column(name, "flag", "", aliases, applied=applied)


def _pixel_flag(name: str) -> Column:
    return _flag(f"pixelFlags_{name}", f"base_PixelFlags_flag_{name}", f"PixelFlags_{name}")


def _named(*columns: Column) -> dict[str, Column]:
    return {column.name: column for column in columns}


_BAND = Column("band", "text")
_VISIT = Column("visit", "int", "", ("visitId",))
_DETECTOR = Column("detector", "int", "", ("detectorId", "ccd"))
# Radians inside, so that afw's catalogues keep their last digits; Parquet
# tables hold degrees and do not say so.
_SKY = (
    Column("ra", "real", "rad", ("coord_ra",), stated="deg"),
    Column("dec", "real", "rad", ("coord_dec", "decl"), stated="deg"),
)
_SHAPES = tuple(
    _real(f"i{axes}{suffix}", "pixel2", f"I{axes}{old}", slot)
    for suffix, old, slots in (("", "", "slot_Shape"), ("PSF", "Psf", "slot_PsfShape"))
    for axes in ("xx", "yy", "xy")
    for slot in (f"{slots}_{axes}",)
)
_ELLIPTICITIES = tuple(
    _real(name, "", *aliases, derived=(Derived(function, tuple(f"i{axes}{psf}" for axes in axes_of)),))
    for name, aliases, function, psf, axes_of in (
        ("e1", ("e1",), derived.e1, "", ("xx", "yy")),
        ("e2", ("e2",), derived.e2, "", ("xx", "yy", "xy")),
        ("psf_e1", ("psf_e1",), derived.e1, "PSF", ("xx", "yy")),
        ("psf_e2", ("psf_e2",), derived.e2, "PSF", ("xx", "yy", "xy")),
    )
)
_PSF_FLUX = (
    _real(
        "psfFlux",
        "nJy",
        "PsFlux",
        derived=(Derived(np.multiply, ("photo_calib", "psf_inst_flux")),),
    ),
    _real(
        "psfFluxErr",
        "nJy",
        "PsFluxErr",
        derived=(Derived(np.multiply, ("photo_calib", "psf_inst_flux_err")),),
    ),
    _real("photo_calib", "nJy/ct", "base_LocalPhotoCalib", "LocalPhotoCalib", "localPhotoCalib"),
    _real("psf_inst_flux", "ct", "base_PsfFlux_instFlux", "slot_PsfFlux_instFlux"),
    _real("psf_inst_flux_err", "ct", "base_PsfFlux_instFluxErr", "slot_PsfFlux_instFluxErr"),
    _real("psf_mag", "mag", "base_PsfFlux_mag", derived=(Derived(derived.magnitude, ("psfFlux",)),)),
    _real("psf_snr", "", "base_PsfFlux_snr", derived=(Derived(derived.ratio, ("psfFlux", "psfFluxErr")),)),
)
_QUALITY = (
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
    _flag("detect_isPrimary", applied=True),
    _flag("psfFlux_flag", "base_PsfFlux_flag", "PsfFlux_flag", "slot_PsfFlux_flag"),
    _flag("centroid_flag", "slot_Centroid_flag", "base_SdssCentroid_flag", "Centroid_flag"),
    *map(
        _pixel_flag,
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

_SOURCE_COLUMNS = _named(
    Column("sourceId", "int", "", ("id",)),
    _VISIT,
    _DETECTOR,
    _BAND,
    *_SKY,
    *_PSF_FLUX,
    _real(
        "gauss_mag", "mag", "base_GaussianFlux_mag", derived=(Derived(derived.magnitude, ("gaussianFlux",)),)
    ),
    _real("gaussianFlux", "nJy"),
    _real("ap09Flux", "nJy"),
    *_SHAPES,
    *_ELLIPTICITIES,
    *_QUALITY,
    _flag("sky_source", applied=True),
    _flag("detect_isDeblendedSource", applied=True),
    _flag("calib_psf_used", "Calib_psf_used", applied=True),
    _flag("calib_psf_reserved", "Calib_psf_reserved"),
    _flag("calib_astrometry_used", "Calib_astrometry_used", applied=True),
    _flag("calib_photometry_used", "Calib_photometry_used", applied=True),
)

_OBJECT_COLUMNS = _named(
    Column("objectId", "int", "", ("id",)),
    Column("tract", "int"),
    Column("patch", "int"),
    *_SKY,
    _flag("sky_object", "merge_peak_sky", applied=True),
    _flag("detect_isPrimary", applied=True),
    _flag("detect_isDeblendedSource", applied=True),
    _real("ebv", "mag"),
    # Matched catalogues of several bands have the band at the end.
    *(
        _real(
            f"{band}_psf_mag",
            "mag",
            f"base_PsfFlux_mag_{band}",
            derived=(Derived(derived.magnitude, (f"{band}_psfFlux",)),),
        )
        for band in BANDS
    ),
    *(
        dataclasses.replace(
            column,
            name=BAND_PREFIX + column.name,
            derived=tuple(
                Derived(way.function, tuple(BAND_PREFIX + name for name in way.inputs))
                for way in column.derived
            ),
            aliases=tuple(BAND_PREFIX + alias for alias in column.aliases),
        )
        for column in (
            _real("psfFlux", "nJy"),
            _real("psfFluxErr", "nJy"),
            _real("cModelFlux", "nJy"),
            _real("cModelFluxErr", "nJy"),
            _real("ap09Flux", "nJy"),
            _real("psf_mag", "mag", derived=(Derived(derived.magnitude, ("psfFlux",)),)),
            _real("cmodel_mag", "mag", derived=(Derived(derived.magnitude, ("cModelFlux",)),)),
            _real("psf_snr", "", derived=(Derived(derived.ratio, ("psfFlux", "psfFluxErr")),)),
            *_SHAPES,
            *_ELLIPTICITIES,
            _real("extendedness", ""),
            _real("inputCount", ""),
            _flag("psfFlux_flag"),
            *map(_pixel_flag, ("bad", "cr", "edge", "interpolatedCenter", "nodata", "saturatedCenter")),
        )
    ),
)

_SUMMARY_COLUMNS = _named(
    dataclasses.replace(_VISIT, derived=(Derived(derived.rubin_visit, ("ccdVisitId",)),)),
    # afw's exposure catalogues have another column of that name, which points
    # into their archive.
    Column(
        "detector",
        "int",
        aliases=("detectorId", "detector"),
        derived=(Derived(derived.rubin_detector, ("ccdVisitId",)),),
    ),
    Column("ccdVisitId", "int"),
    Column("band", "text"),
    Column("physical_filter", "text"),
    _real(OBS_MJD, "d"),
    _real("psfSigma", "pixel"),
    _real("psfArea", "pixel2"),
    _real(
        "pixelScale",
        "arcsec/pixel",
        derived=(
            Derived(derived.pixel_scale, derived.CORNERS),
            Derived(derived.pixel_scale, derived.AFW_CORNERS),
        ),
    ),
    *(Column(name, "real") for name in (*derived.CORNERS, *derived.AFW_CORNERS)),
    _real("seeing", "arcsec", derived=(Derived(derived.seeing, ("psfSigma", "pixelScale")),)),
    _real("skyBg", "adu"),
    _real("skyNoise", "adu"),
    _real("meanVar", "adu2"),
    _real("zeroPoint", "mag"),
    _real("magLim", "mag"),
    _real("effTime", "s"),
    _real("astromOffsetMean", "arcsec"),
    _real("astromOffsetStd", "arcsec"),
    _real("nPsfStar", ""),
    *(
        _real(f"psfStarDelta{what}{statistic}", "pixel" if what == "Size" else "")
        for what in ("E1", "E2", "Size")
        for statistic in ("Median", "Scatter")
    ),
    _real("psfStarScaledDeltaSizeScatter", ""),
)

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        Table(
            "matched",
            "A star's detection in one visit; the rows of a star share an integer key.",
            {
                "star": Column("star", "int", "", ("isolated_star_id", "obj_index", "object")),
                **_SOURCE_COLUMNS,
            },
            split=("band",),
            signature=("star", "visit", "ra", "dec"),
            group="star",
        ),
        Table(
            "source",
            "A detection in one visit.",
            _SOURCE_COLUMNS,
            split=("visit", "band"),
            signature=("sourceId", "ra", "dec"),
            without=("star", "objectId", "zeroPoint"),
        ),
        Table(
            "object",
            "An object of the coadds, with columns in each band.",
            _OBJECT_COLUMNS,
            split=("tract",),
            signature=("objectId",),
            without=("visit", "ccdVisitId", "psfFlux"),
            by_band=True,
        ),
        Table(
            "visit_summary",
            "A detector in a visit.",
            _SUMMARY_COLUMNS,
            split=("visit", "band", "physical_filter"),
            time=OBS_MJD,
            signature=("detector", "zeroPoint", "skyNoise"),
        ),
    )
}
"""The kinds of input tables, by name."""
