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

"""Masks and numbers of inputs, counted from images that are read in pieces."""

from __future__ import annotations

__all__ = ["Tally", "depth_tally", "mask_of", "mask_tally", "tally_table"]

import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..columns.coadds import PERCENTILES, PLANES, THRESHOLDS
from ..errors import InputError, NotATableError
from .readable import InMemory, from_columns

_PIXELS = 1 << 20
"""Pixels read at a time: some MB, whatever the size of the image."""

NO_DATA = "NO_DATA"
Tally = dict[str, float]


@contextlib.contextmanager
def _hdus(path: Path | str) -> Iterator[Any]:
    from astropy.io import fits  # only for images

    try:
        with fits.open(path) as hdus:
            yield hdus
    except (OSError, ValueError, TypeError) as error:
        if isinstance(error, NotATableError | InputError):
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise NotATableError(f"{path} cannot be read as an image, it may be cut short: {reason}") from error


def _bands(hdu: Any) -> Iterator[np.ndarray]:
    """Read the rows of an image, as many at a time as are few pixels."""
    height, width = hdu.shape
    step = max(_PIXELS // max(width, 1), 1)
    for low in range(0, height, step):
        yield hdu.section[low : min(low + step, height), :]


def mask_of(hdus: Any) -> Any:
    """Find the mask among the parts of a file.

    Parameters
    ----------
    hdus : `astropy.io.fits.HDUList`
        An image with its mask and its variance, as afw writes it.

    Returns
    -------
    hdu : `astropy.io.fits.ImageHDU` or `None`
        The part whose header names the planes, `None` if there is none.
    """
    for hdu in hdus:
        if hdu.is_image and len(hdu.shape) == 2 and any(key.startswith("MP_") for key in hdu.header):
            return hdu
    return None


def mask_tally(path: Path | str) -> Tally:
    """Count the pixels of an image that have each mask plane.

    Parameters
    ----------
    path : `~pathlib.Path` or `str`
        FITS file, compressed by tiles or not.

    Returns
    -------
    tally : `dict` [`str`, `float`]
        ``n_pixels``; ``n_valid``, those with data; ``n_PLANE``, those of
        these with that plane, or all of them for NO_DATA; NaN for a plane
        that the mask does not have.

    Raises
    ------
    NotATableError
        Raised if there is no mask in the file, or the file is damaged.
    """
    with _hdus(path) as hdus:
        hdu = mask_of(hdus)
        if hdu is None:
            raise NotATableError(f"{path} has no mask: no part of it names mask planes (MP_...).")
        bits = {key[3:]: np.uint32(1 << int(hdu.header[key])) for key in hdu.header if key.startswith("MP_")}
        empty = bits.get(NO_DATA, np.uint32(0))
        counts = dict.fromkeys(("n_pixels", "n_valid", *(f"n_{plane}" for plane in PLANES)), 0.0)
        for rows in _bands(hdu):
            values = rows.astype(np.int64).astype(np.uint32)
            counts["n_pixels"] += values.size
            counts["n_valid"] += values.size - np.count_nonzero(values & empty)
            for plane in PLANES:
                bit = bits.get(plane)
                if bit is None:
                    counts[f"n_{plane}"] = math.nan
                elif plane == NO_DATA:
                    counts[f"n_{plane}"] += np.count_nonzero(values & bit)
                else:
                    counts[f"n_{plane}"] += np.count_nonzero((values & (bit | empty)) == bit)
    return {name: float(number) for name, number in counts.items()}


def depth_tally(path: Path | str) -> Tally:
    """Say how many images went into the pixels of a coadd.

    Parameters
    ----------
    path : `~pathlib.Path` or `str`
        FITS file whose pixels are numbers of images.

    Returns
    -------
    tally : `dict` [`str`, `float`]
        ``depth_above_threshold_N``, the percentage of pixels with N images
        or more; ``depth_P_percentile``, interpolated linearly; ``mean``.

    Raises
    ------
    NotATableError
        Raised if there is no image in the file, or the file is damaged.
    InputError
        Raised if pixels are no numbers of images.
    """
    with _hdus(path) as hdus:
        hdu = next((hdu for hdu in hdus if hdu.is_image and len(hdu.shape) == 2), None)
        if hdu is None:
            raise NotATableError(f"{path} is a FITS file without an image.")
        histogram = np.zeros(1, dtype=np.int64)
        for rows in _bands(hdu):
            whole = np.asarray(rows).ravel()
            if whole.size and not (np.all(whole >= 0) and np.all(whole < 1 << 20) and np.all(whole % 1 == 0)):
                raise InputError(f"{path} holds pixels that are no numbers of images (0, 1, 2 ...).")
            found = np.bincount(whole.astype(np.int64), minlength=len(histogram))
            found[: len(histogram)] += histogram
            histogram = found
    return _described(histogram)


def _described(histogram: np.ndarray) -> Tally:
    """Describe the pixels of a histogram of numbers of images."""
    below = np.cumsum(histogram)
    pixels = int(below[-1])
    if not pixels:
        return {"mean": math.nan}
    tally = {"mean": float(np.sum(np.arange(len(histogram)) * histogram)) / pixels}
    for threshold in THRESHOLDS:
        tally[f"depth_above_threshold_{threshold}"] = 100.0 * float(histogram[threshold:].sum()) / pixels
    for percent in PERCENTILES:
        place = percent / 100.0 * (pixels - 1)
        low, high = (int(np.searchsorted(below, math.floor(at), side="right")) for at in (place, place + 1.0))
        tally[f"depth_{percent}_percentile"] = low + (place - math.floor(place)) * (high - low)
    return tally


def tally_table(tallies: Sequence[tuple[Mapping[str, int | str], Tally]], name: str) -> InMemory:
    """Make a table of what was counted in images.

    Parameters
    ----------
    tallies : `~collections.abc.Sequence` [`tuple` [`dict`, `dict`]]
        What each image is of, and its tally.
    name : `str`
        What to call it in messages.

    Returns
    -------
    table : `InMemory`
        A row for each image.
    """
    rows = [{**place, **tally} for place, tally in tallies]
    return from_columns({key: np.array([row[key] for row in rows]) for key in rows[0]} if rows else {}, name)
