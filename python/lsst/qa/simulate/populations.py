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

"""The stars and galaxies of a tract, drawn block by block: places, colours,
shapes.
"""

from __future__ import annotations

__all__ = ["BLOCK", "galaxy_block", "sky", "star_block", "stars", "within"]

import functools

import numpy as np

from .sky import BLEND, FIRST_BLEND, FIRST_GALAXY, GALAXY, STAR, Sky, joined
from .survey import Stream, Survey, generator

BLOCK = 4096
"""Objects that are drawn together: the unit in which a sky can be cut."""

_BRIGHTEST, _FAINTEST = 16.0, 26.0

_STAR_SLOPE, _GALAXY_SLOPE = 0.16, 0.33
"""Slopes of log10(number) with the r magnitude at high galactic latitude."""

# The stellar locus: nodes in g-i and the colours there. From g-i = 0.2 to 1.45
# the locus of r-i over g-r is the straight line 0.483 (g-r) - 0.042.
_LOCUS_GI = (-0.2, 0.2, 0.5, 0.8, 1.2, 1.45, 2.0, 2.4, 2.8, 3.2)
_LOCUS_UG = (0.90, 0.87, 1.00, 1.36, 1.92, 2.20, 2.48, 2.56, 2.60, 2.62)
_LOCUS_GR = (-0.13, 0.1632, 0.3655, 0.5678, 0.8375, 1.0061, 1.27, 1.36, 1.40, 1.42)
_LOCUS_IZ = (-0.08, -0.01, 0.06, 0.12, 0.20, 0.25, 0.40, 0.55, 0.72, 0.90)
_LOCUS_ZY = (-0.04, -0.01, 0.02, 0.04, 0.08, 0.11, 0.18, 0.26, 0.36, 0.48)
_LOCUS_SCATTER = 0.008

_BLENDED = 0.04  # share of galaxies
_BLEND_SEPARATION = 1.2


def star_block(survey: Survey, tract: int, block: int) -> Sky:
    """Draw a block of stars.

    Parameters
    ----------
    survey : `Survey`
        The survey; its number of stars is not asked here.
    tract, block : `int`
        Tract, and number of the block.

    Returns
    -------
    stars : `Sky`
        `BLOCK` stars, the same whatever else is drawn.
    """
    rng = generator(survey, Stream.STARS, tract, block)
    x, y = _places(rng, survey)
    r = _magnitudes(rng, _STAR_SLOPE)
    red = rng.random(BLOCK) < np.clip(0.25 + 0.06 * (r - 16.0), 0.0, 0.8)
    gi = np.where(red, rng.normal(2.3, 0.45, BLOCK), rng.normal(0.7, 0.25, BLOCK)).clip(-0.2, 3.2)
    off = rng.normal(0.0, _LOCUS_SCATTER, (4, BLOCK))
    gr = np.interp(gi, _LOCUS_GI, _LOCUS_GR)
    ug, ri = np.interp(gi, _LOCUS_GI, _LOCUS_UG), gi - gr + off[1]
    gr = gr + off[0]
    iz, zy = np.interp(gi, _LOCUS_GI, _LOCUS_IZ) + off[2], np.interp(gi, _LOCUS_GI, _LOCUS_ZY) + off[3]
    zero = np.zeros(BLOCK)
    return Sky(
        number=np.arange(BLOCK) + block * BLOCK,
        kind=np.full(BLOCK, STAR),
        parent=np.full(BLOCK, -1),
        x=x,
        y=y,
        mag=_spectrum(r, ug, gr, ri, iz, zy),
        width=zero,
        e1=zero,
        e2=zero,
        deceit=rng.normal(size=BLOCK),
    )


def galaxy_block(survey: Survey, tract: int, block: int) -> Sky:
    """Draw a block of galaxies, and the blends that some pairs of them make.

    Parameters
    ----------
    survey : `Survey`
        The survey; its number of galaxies is not asked here.
    tract, block : `int`
        Tract, and number of the block.

    Returns
    -------
    galaxies : `Sky`
        `BLOCK` galaxies, followed by their blends.
    """
    rng = generator(survey, Stream.GALAXIES, tract, block)
    x, y = _places(rng, survey)
    r = _magnitudes(rng, _GALAXY_SLOPE)
    colours = rng.normal(size=(5, BLOCK)) * np.array([[0.35], [0.25], [0.15], [0.10], [0.08]])
    ug, gr, ri, iz, zy = colours + np.array([[0.9], [0.6], [0.35], [0.2], [0.12]])
    shape = np.clip(rng.normal(0.0, 0.25, (2, BLOCK)), -0.65, 0.65)
    number = np.arange(BLOCK) + block * BLOCK
    paired = rng.random(BLOCK // 2) < _BLENDED
    angle = rng.uniform(0.0, 2.0 * np.pi, BLOCK // 2)
    x[1::2] = np.where(paired, x[0::2] + _BLEND_SEPARATION * np.cos(angle), x[1::2])
    y[1::2] = np.where(paired, y[0::2] + _BLEND_SEPARATION * np.sin(angle), y[1::2])
    galaxies = Sky(
        number=number + FIRST_GALAXY,
        kind=np.full(BLOCK, GALAXY),
        parent=np.where(np.repeat(paired, 2), number // 2 + FIRST_BLEND, -1),
        x=x,
        y=y,
        mag=_spectrum(r, ug, gr, ri, iz, zy),
        width=0.42 * 10.0 ** (-0.07 * (r - 22.0) + rng.normal(0.0, 0.15, BLOCK)),
        e1=shape[0],
        e2=shape[1],
        deceit=rng.normal(size=BLOCK),
    )
    return joined([galaxies, _blends(galaxies.take(np.repeat(paired, 2)))])


@functools.lru_cache(maxsize=2)
def stars(survey: Survey, tract: int) -> Sky:
    """Return the stars of a tract.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.

    Returns
    -------
    stars : `Sky`
        As many as the survey says; the first are the same whatever their
        number.
    """
    blocks = [star_block(survey, tract, block) for block in range(-(-survey.stars // BLOCK))]
    return _frozen(joined(blocks).take(slice(survey.stars)))


@functools.lru_cache(maxsize=2)
def sky(survey: Survey, tract: int) -> Sky:
    """Return the stars, galaxies and blends of a tract.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.

    Returns
    -------
    sky : `Sky`
        Sorted by number.
    """
    blocks = [galaxy_block(survey, tract, block) for block in range(-(-survey.galaxies // BLOCK))]
    galaxies = joined(blocks)
    whole = joined([stars(survey, tract), galaxies.take(within(survey, galaxies))])
    return _frozen(whole.take(np.argsort(whole.number, kind="stable")))


def within(survey: Survey, drawn: Sky) -> np.ndarray:
    """Tell which objects of a block the survey has.

    Parameters
    ----------
    survey : `Survey`
        Says how many stars and galaxies there are.
    drawn : `Sky`
        Objects of any blocks.

    Returns
    -------
    mask : `numpy.ndarray` of `bool`
        Where the object is among them; a blend, where both its galaxies are.
    """
    first = np.choose(drawn.kind, [0, FIRST_GALAXY, FIRST_BLEND])
    number = np.choose(drawn.kind, [survey.stars, survey.galaxies, survey.galaxies // 2])
    return drawn.number - first < number


def _blends(members: Sky) -> Sky:
    """Make one object of each two."""
    flux = 10.0 ** (-0.4 * members.mag)
    half = Sky(*(0.5 * (column[0::2] + column[1::2]) for column in members))
    return half._replace(
        number=members.parent[0::2],
        kind=np.full(len(half.x), BLEND),
        parent=np.full(len(half.x), -1),
        mag=-2.5 * np.log10(flux[0::2] + flux[1::2]),
        width=np.hypot(half.width, 0.5 * _BLEND_SEPARATION),
    )


def _places(rng: np.random.Generator, survey: Survey) -> np.ndarray:
    return rng.uniform(-0.5, 0.5, (2, BLOCK)) * survey.tract_size * 3600.0


def _magnitudes(rng: np.random.Generator, slope: float) -> np.ndarray:
    low, high = 10.0 ** (slope * _BRIGHTEST), 10.0 ** (slope * _FAINTEST)
    return np.log10(rng.uniform(low, high, BLOCK)) / slope


def _spectrum(
    r: np.ndarray, ug: np.ndarray, gr: np.ndarray, ri: np.ndarray, iz: np.ndarray, zy: np.ndarray
) -> np.ndarray:
    return np.stack([r + gr + ug, r + gr, r, r - ri, r - ri - iz, r - ri - iz - zy], axis=1)


def _frozen(objects: Sky) -> Sky:
    for column in objects:
        column.setflags(write=False)
    return objects
