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

"""The tables of isolated stars: which sources of which visits are the same
star.
"""

from __future__ import annotations

__all__ = ["KEY", "isolated_pieces", "presources"]

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from .cadence import epoch_of
from .sky import FIRST_GALAXY, object_id
from .survey import Survey

_SNR = (8.0, 1000.0)
_PRIORITY = "irzygu"
_ROWS = 1 << 20

_EXCLUDING = (
    *(f"pixelFlags_{name}" for name in ("bad", "edge", "interpolated", "interpolatedCenter")),
    *(f"pixelFlags_{name}" for name in ("saturated", "saturatedCenter", "crCenter")),
    "centroid_flag",
    "psfFlux_flag",
)

KEY = [("index", "i4"), ("sourceId", "i8"), ("detector", "i2"), ("ra", "f8"), ("dec", "f8")]
"""What is kept of a source until its star is put together."""


def presources(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Select the sources of a visit that may be isolated stars.

    Parameters
    ----------
    columns : `~collections.abc.Mapping` [`str`, `numpy.ndarray`]
        Table of sources.

    Returns
    -------
    keys : `numpy.ndarray`, (n,)
        Structured: index of the star, sourceId, detector, ra and dec; sorted
        by index. Stars only, unresolved, primary, without a flag and with an
        S/N from 8 to 1000. Sources do not blend with stars here, so each one
        is isolated, however close another is.
    """
    with np.errstate(invalid="ignore"):
        snr = columns["psfFlux"] / columns["psfFluxErr"]
        good = (snr >= _SNR[0]) & (snr <= _SNR[1]) & (columns["sizeExtendedness"] < 0.5)
    index = columns["sourceId"] & (2 * FIRST_GALAXY - 1)
    good &= columns["detect_isPrimary"] & (index < FIRST_GALAXY)
    for name in _EXCLUDING:
        good &= ~columns[name]
    keys = np.zeros(int(good.sum()), dtype=KEY)
    keys["index"] = index[good]
    for name, _ in KEY[1:]:
        keys[name] = columns[name][good]
    return np.sort(keys, order="index")


def isolated_pieces(
    survey: Survey, tract: int, kept: Mapping[int, np.ndarray]
) -> Iterator[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """Associate the sources of a tract's visits, piece by piece.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.
    kept : `~collections.abc.Mapping` [`int`, `numpy.ndarray`]
        What `presources` returned of each visit of the tract, by visit id;
        on disk if need be, for only slices of it are looked at.

    Yields
    ------
    sources : `dict` [`str`, `numpy.ndarray`]
        Rows of ``isolated_star_presources``, ordered by star, band and
        visit; ``obj_index`` is the star's row among all stars.
    stars : `dict` [`str`, `numpy.ndarray`]
        Rows of ``isolated_star_presource_associations``: those stars that
        have a source. At least one piece comes, perhaps empty.
    """
    bands = survey.filters
    visits = sorted(kept, key=lambda visit_id: (bands.index(epoch_of(visit_id)[2]), visit_id))
    step = max(_ROWS // max(len(visits), 1), 1)
    first_star = first_row = 0
    for start in range(0, max(survey.stars, 1), step):
        sources, band = _gathered(bands, visits, kept, start, start + step)
        order = np.lexsort((band, sources["index"]))
        sources, band = sources[order], band[order]
        index, star = np.unique(sources["index"], return_inverse=True)
        columns = {
            "sourceId": sources["sourceId"],
            "obj_index": (star + first_star).astype(np.int32),
            "visit": sources["visit"],
            "detector": sources["detector"],
            "band": np.array([*bands])[band],
            "ra": sources["ra"],
            "dec": sources["dec"],
        }
        yield columns, _stars(tract, bands, index, star, band, columns, first_row)
        first_star += len(index)
        first_row += len(star)


def _gathered(
    bands: str, visits: Sequence[int], kept: Mapping[int, np.ndarray], start: int, stop: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sources of some stars, and the number of their band."""
    dtype = np.dtype([*KEY, ("visit", "i8")])
    found, number = [np.zeros(0, dtype)], [np.zeros(0, np.int64)]
    for visit_id in visits:
        at = slice(*np.searchsorted(kept[visit_id]["index"], [start, stop]))
        part = np.zeros(at.stop - at.start, dtype)
        for name, _ in KEY:
            part[name] = kept[visit_id][name][at]
        part["visit"] = visit_id
        found.append(part)
        number.append(np.full(len(part), bands.index(epoch_of(visit_id)[2])))
    return np.concatenate(found), np.concatenate(number)


def _stars(
    tract: int,
    bands: str,
    index: np.ndarray,
    star: np.ndarray,
    band: np.ndarray,
    sources: Mapping[str, np.ndarray],
    first_row: int,
) -> dict[str, np.ndarray]:
    """Describe stars, whose sources come ordered by star and band."""
    count = np.bincount(star * len(bands) + band, minlength=len(index) * len(bands)).reshape(-1, len(bands))
    # Where a band has no source, the place where one would be: an empty slice
    # either way.
    begin = first_row + np.cumsum(count.ravel()).reshape(count.shape) - count
    order = [bands.index(name) for name in _PRIORITY if name in bands]
    primary = np.array(order)[np.argmax(count[:, order] > 0, axis=1)] if len(index) else np.zeros(0, np.int64)
    of_primary = band == primary[star]
    number = np.bincount(star[of_primary], minlength=len(index))
    # Relative to the first source, lest a star at 0 and 360 degrees be put on
    # the other side of the sky.
    origin = sources["ra"][begin[:, 0] - first_row]
    east = (sources["ra"] - origin[star] + 180.0) % 360.0 - 180.0
    mean_east = np.bincount(star[of_primary], east[of_primary], minlength=len(index)) / number
    dec = np.bincount(star[of_primary], sources["dec"][of_primary], minlength=len(index)) / number
    columns = {
        "isolated_star_id": object_id(tract, index),
        "ra": (origin + mean_east) % 360.0,
        "dec": dec,
        "primary_band": np.array([*bands])[primary],
        "source_cat_index": begin[:, 0].astype(np.int32),
        "nsource": count.sum(axis=1).astype(np.int32),
    }
    for i, name in enumerate(bands):
        columns[f"source_cat_index_{name}"] = begin[:, i].astype(np.int32)
        columns[f"nsource_{name}"] = count[:, i].astype(np.int32)
    return columns
