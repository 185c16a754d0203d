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
"""True values of completeness, purity and residuals, in closed form or by
quadrature over magnitudes and noise.
"""

from __future__ import annotations

__all__ = ["colour_truths", "limit_truths", "truths_in_r"]

import functools
from collections.abc import Callable

import numpy as np

from .match_story import (
    BANDS,
    BRIGHT,
    COLOUR,
    CONFUSED,
    DEPTH,
    FAINT,
    FALSE,
    NOISE,
    ROWS,
    SHIFT,
    STEEPNESS,
    flux_error,
    flux_of,
    shifted,
)
from .population import SIGMA_MAD, Truths

_FEWEST = 200.0
"""Rows of a bin, on average: the scatter of fewer is too low."""

_CLASSES = {"stars": True, "galaxies": False}


_SAMPLES = (("", (True, False)), ("_stars", (True,)), ("_galaxies", (False,)))


def truths_in_r() -> Truths:
    """Return what is true of sources in r, whose magnitude is the story's."""
    truths: Truths = {}
    for suffix, stars in _SAMPLES:
        for good in ("", "_good"):
            found = {
                "completeness": [_completeness(low, 1.0, stars) for low in _lows()],
                "purity": [_purity(low, stars, bool(good)) for low in _lows()],
            }
            if good:
                found["completeness"] = [(1.0 - CONFUSED) * value for value in found["completeness"]]
            # Bins whose fraction is next to 0 or 100 % have no error to speak
            # of, but for that of never having seen the other.
            truths |= {
                (f"{name}{suffix}{good}", low): value
                for name, values in found.items()
                for low, value in zip(_lows(), values)
                if 3.0 < value < 97.0
            }
    return {**truths, **_residuals()}


def limit_truths() -> Truths:
    """Return the magnitudes at which so many are detected, linear between the
    middles of bins.
    """
    truths: Truths = {}
    for suffix, stars in _SAMPLES:
        for tools, width in (("", 0.5), (".analysis_tools", 1.0)):
            lows = np.arange(BRIGHT, FAINT, width)
            curve = np.array([_completeness(low, width, stars) for low in lows])
            for percent in (90, 80, 50):
                at = np.flatnonzero(curve >= percent)[-1]
                part = (curve[at] - percent) / (curve[at] - curve[at + 1])
                crossing = lows[at] + width * (0.5 + part)
                truths[f"completeness_mag_{percent}{suffix}{tools}", None] = float(crossing)
    return truths


def _lows() -> list[float]:
    return np.arange(BRIGHT, FAINT).tolist()


def _completeness(low: float, width: float, stars: tuple[bool, ...]) -> float:
    """Integrate logistic curves over a bin."""
    parts = [
        np.logaddexp(0.0, (DEPTH[star] - low) / STEEPNESS)
        - np.logaddexp(0.0, (DEPTH[star] - low - width) / STEEPNESS)
        for star in stars
    ]
    return float(100.0 * STEEPNESS / width * np.mean(parts))


def _detected(mag: np.ndarray, star: bool) -> np.ndarray:
    return 1.0 / (1.0 + np.exp((mag - DEPTH[star]) / STEEPNESS))


def _nodes(low: float, high: float, number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return Gauss and Legendre's nodes and weights of an interval."""
    at, weight = np.polynomial.legendre.leggauss(number)
    return 0.5 * (low + high) + 0.5 * (high - low) * at, 0.5 * (high - low) * weight


def _purity(low: float, seen: tuple[bool, ...], good: bool) -> float:
    """Integrate over true magnitudes what is measured within a bin."""
    from scipy.special import ndtr

    # In parts, as at the bright end a bin's edges are sharp.
    parts = [_nodes(one, one + 0.05, 8) for one in np.arange(BRIGHT, FAINT - 1e-9, 0.05).tolist()]
    mag, weight = (np.concatenate(part) for part in zip(*parts))
    flux = shifted(mag, 2)
    error = flux_error(flux)
    inside = ndtr((flux_of(low) - flux) / error) - ndtr((flux_of(low + 1.0) - flux) / error)
    whole = true = 0.0
    for star in _CLASSES.values():
        for compact in seen:
            chance = (1.0 - CONFUSED if compact == star else CONFUSED) * weight * inside
            there = (1.0 - FALSE) * _detected(mag, star)
            whole += float(np.sum(chance * (FALSE + there)))
            true += 0.0 if good and compact != star else float(np.sum(chance * there))
    return 100.0 * true / whole


def _residuals() -> Truths:
    truths: Truths = {}
    for low in _lows():
        mag, weight = _nodes(low, low + 1.0, 64)
        for which, star in _CLASSES.items():
            chance = weight * _detected(mag, star)
            number = _number(chance)
            if number < _FEWEST:
                continue
            for name, below, reach in (("mag", _mag_below, 5e3), ("pull", _pull_below, 50.0)):
                middle, wide = _spread(functools.partial(below, mag, chance), reach)
                truths[f"truth_{name}_median_{which}", low] = middle
                truths[f"truth_{name}_scatter_{which}", low] = wide
            for axis in ("ra", "dec"):
                truths[f"truth_{axis}_median_{which}", low] = SHIFT
                truths[f"truth_{axis}_scatter_{which}", low] = NOISE
            truths[f"n_truth_{which}", low] = number
    return truths


def _mag_below(mag: np.ndarray, chance: np.ndarray, limit: float) -> float:
    """Return the distribution of a magnitude's residual in mmag, of fluxes
    that are positive.
    """
    from scipy.special import ndtr

    ratio, error = _relative(mag, 2)
    least = 10.0 ** (-0.4e-3 * limit)
    return float(np.sum(chance * ndtr((ratio - least) / error)) / np.sum(chance * ndtr(ratio / error)))


def _pull_below(mag: np.ndarray, chance: np.ndarray, limit: float) -> float:
    from scipy.special import ndtr

    ratio, error = _relative(mag, 2)
    return float(np.sum(chance * ndtr(limit - (ratio - 1.0) / error)) / np.sum(chance))


def _number(chance: np.ndarray) -> float:
    """Return how many rows of a class a sky has, from chances to be detected
    at nodes of magnitudes.
    """
    return float(0.5 * ROWS * (1.0 - FALSE) * np.sum(chance) / (FAINT - BRIGHT))


def _spread(below: Callable[[float], float], reach: float) -> tuple[float, float]:
    """Return the median and the scaled median absolute deviation of a
    distribution.
    """
    from scipy.optimize import brentq

    middle = float(brentq(lambda x: below(x) - 0.5, -reach, reach))
    half = float(brentq(lambda x: below(middle + x) - below(middle - x) - 0.5, 0.0, 2.0 * reach))
    return middle, SIGMA_MAD * half


def colour_truths() -> Truths:
    """Return what is true of colours, each told by the magnitude in its second
    band.
    """
    truths: Truths = {}
    for place in range(1, len(BANDS)):
        redder = COLOUR * (place - 2)
        for low in _lows():
            limits = max(low + redder, BRIGHT), min(low + 1.0 + redder, FAINT)
            if limits[0] >= limits[1]:
                continue
            mag, weight = _nodes(*limits, 48)
            for which, star in _CLASSES.items():
                chance = weight * _detected(mag, star)
                if _number(chance) < _FEWEST:
                    continue
                middle, wide = _spread(_colour_below(mag, chance, place), 5e3)
                name = f"truth_color_{BANDS[place - 1]}{BANDS[place]}"
                truths[f"{name}_median_{which}", low] = middle
                truths[f"{name}_scatter_{which}", low] = wide
    return truths


def _colour_below(mag: np.ndarray, chance: np.ndarray, place: int) -> Callable[[float], float]:
    """Return the distribution of a colour's residual in mmag, of those whose
    fluxes are positive in both bands.
    """
    from scipy.special import ndtr

    # In the first band by nodes of its noise, in the second in closed form.
    first, first_error = _relative(mag, place - 1)
    second, second_error = _relative(mag, place)
    least = np.maximum(-first / first_error, -8.0)
    at, weights = _nodes(0.0, 1.0, 80)
    noise = least + (8.0 - least) * at[:, None]
    density = weights[:, None] * (8.0 - least) * np.exp(-0.5 * noise**2) / np.sqrt(2.0 * np.pi)
    ratio = first + first_error * noise
    none = ndtr(-second / second_error)
    whole = float(np.sum(chance * density * (1.0 - none)))

    def below(limit: float) -> float:
        most = ratio * 10.0 ** (0.4e-3 * limit)
        return float(np.sum(chance * density * (ndtr((most - second) / second_error) - none))) / whole

    return below


def _relative(mag: np.ndarray, place: int) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and scatter of measured over true flux in a band."""
    mag = mag - COLOUR * (place - 2)
    flux, real = shifted(mag, place), flux_of(mag)
    return flux / real, flux_error(flux) / real
