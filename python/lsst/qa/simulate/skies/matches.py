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

"""Skies of true sources and detections: completeness, purity and residuals."""

from __future__ import annotations

__all__ = ["COLOURS", "MATCHES"]

import numpy as np

from .population import SIGMA_MAD, Columns, Population, Truths

_ROWS = 6000
_BANDS = "ugrizy"
_BRIGHT, _FAINT = 20.0, 26.0
_DEPTH, _STEEPNESS = {True: 24.6, False: 24.1}, 0.35
"""Magnitude at which half of the stars, and of the galaxies, are detected."""

_FALSE, _CONFUSED = 0.12, 0.08
_COLOUR, _SHIFT, _ERROR, _NOISE = 0.15, 4.0, 60.0, 20.0
"""Colour of all, in mag per band; shift of what is measured, in mmag and in
mas; error of a flux, in nJy; scatter of a position, in mas."""


def _story(rng: np.random.Generator, rows: int) -> Columns:
    """Draw what is there, what is detected of it, and what is detected of
    nothing.
    """
    star = rng.random(rows) < 0.5
    mag = rng.uniform(_BRIGHT, _FAINT, rows)
    depth = np.where(star, _DEPTH[True], _DEPTH[False])
    false = rng.random(rows) < _FALSE
    seen = rng.random(rows) < 1.0 / (1.0 + np.exp((mag - depth) / _STEEPNESS))
    confused = rng.random(rows) < _CONFUSED
    return {"star": star, "mag": mag, "false": false, "detected": false | seen, "compact": star ^ confused}


def _draw(rng: np.random.Generator) -> Columns:
    story = _story(rng, int(rng.poisson(_ROWS)))
    rows, detected, true = len(story["mag"]), story["detected"], ~story["false"]
    both = detected & true
    ra, dec = 150.0 + rng.uniform(0.0, 0.2, rows), 2.0 + rng.uniform(0.0, 0.2, rows)
    east, north = rng.normal(_SHIFT, _NOISE, (2, rows)) / 3.6e6
    found: Columns = {
        "objectId": np.arange(rows) + 1,
        "match_distance": np.where(both, 0.1, np.nan),
        "ra": np.where(detected, ra + east / np.cos(np.radians(dec)), np.nan),
        "dec": np.where(detected, dec + north, np.nan),
        "ref_ra": np.where(true, ra, np.nan),
        "ref_dec": np.where(true, dec, np.nan),
        "ref_star": np.where(true, story["star"] * 1.0, np.nan),
        "ref_isPrimary": true,
        "detect_isPrimary": detected,
    }
    for place, band in enumerate(_BANDS):
        mag = story["mag"] - _COLOUR * (place - 2)
        found[f"{band}_ref_mag"] = np.where(true, mag, np.nan)
        found[f"{band}_extendedness"] = np.where(detected, 1.0 - story["compact"], np.nan)
        for name in ("psfFlux", "cModelFlux"):
            # The error grows with the flux, so that S/N is at most 50.
            flux = 10.0 ** (-0.4 * (mag + 1e-3 * _SHIFT * (place + 1) - 31.4))
            error = np.hypot(_ERROR, 0.02 * flux)
            noisy = flux + error * rng.standard_normal(rows)
            found[f"{band}_{name}"] = np.where(detected, noisy, np.nan)
            found[f"{band}_{name}Err"] = np.where(detected, error, np.nan)
    return found


def _truths() -> Truths:
    """Integrate over many sources, in the band r, whose magnitude is that of
    the story.
    """
    rng = np.random.default_rng(11)
    story = _story(rng, 8_000_000)
    star, mag, true, compact = story["star"], story["mag"], ~story["false"], story["compact"]
    both = story["detected"] & true
    flux = 10.0 ** (-0.4 * (mag + 3e-3 * _SHIFT - 31.4))
    error = np.hypot(_ERROR, 0.02 * flux)
    measured = flux + error * rng.standard_normal(len(mag))
    with np.errstate(invalid="ignore", divide="ignore"):
        seen_mag = np.where(measured > 0.0, 31.4 - 2.5 * np.log10(measured), np.nan)
    truths: Truths = {}
    classes = {"": (np.ones_like(star),) * 2, "_stars": (star, compact), "_galaxies": (~star, ~compact)}
    for suffix, (own, seen) in classes.items():
        for name, values, sample in (
            ("completeness", mag, true & own),
            ("purity", seen_mag, story["detected"] & seen),
        ):
            for good in ("", "_good"):
                hit = both & (star == compact) if good else both
                truths |= _curve(f"{name}{suffix}{good}", values[sample], hit[sample])
        for tools, width in (("", 0.5), (".analysis_tools", 1.0)):
            middles, curve = _binned(mag[true & own], both[true & own], width)
            for percent in (90, 80, 50):
                at = np.flatnonzero(curve >= percent)[-1]
                part = (curve[at] - percent) / (curve[at] - curve[at + 1])
                truths[f"completeness_mag_{percent}{suffix}{tools}", None] = float(middles[at] + part * width)
    return {**truths, **_residual_truths(story, both, seen_mag, (measured - flux) / error, flux, error)}


def _curve(name: str, mag: np.ndarray, hit: np.ndarray) -> Truths:
    # Bins whose fraction is next to 0 or 100 % have no error to speak of, but
    # for that of never having seen the other.
    middles, curve = _binned(mag, hit, 1.0)
    return {
        (name, float(middle - 0.5)): float(value)
        for middle, value in zip(middles, curve)
        if 3.0 < value < 97.0
    }


def _binned(mag: np.ndarray, hit: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the middles of bins, and the percentage in each."""
    edges = np.arange(_BRIGHT, _FAINT + 0.1, width)
    number = np.histogram(mag, edges)[0]
    return edges[:-1] + 0.5 * width, 100.0 * np.histogram(mag[hit], edges)[0] / number


def _residual_truths(
    story: Columns,
    both: np.ndarray,
    seen_mag: np.ndarray,
    pull: np.ndarray,
    flux: np.ndarray,
    error: np.ndarray,
) -> Truths:
    mag, star = story["mag"], story["star"]
    shift = (flux - 10.0 ** (-0.4 * (mag - 31.4))) / error
    truths: Truths = {}
    for low in np.arange(_BRIGHT, _FAINT):
        within = both & (mag >= low) & (mag < low + 1.0)
        for which, own in (("stars", star), ("galaxies", ~star)):
            rows = within & own
            if rows.sum() < 50.0 * len(mag) / _ROWS:
                continue
            away = 1000.0 * (seen_mag - mag)[rows]
            away, pulled = away[np.isfinite(away)], (pull + shift)[rows]
            for name, values in (("mag", away), ("pull", pulled)):
                middle = float(np.median(values))
                truths[f"truth_{name}_median_{which}", float(low)] = middle
                wide = SIGMA_MAD * float(np.median(np.abs(values - middle)))
                truths[f"truth_{name}_scatter_{which}", float(low)] = wide
            for axis in ("ra", "dec"):
                truths[f"truth_{axis}_median_{which}", float(low)] = _SHIFT
                truths[f"truth_{axis}_scatter_{which}", float(low)] = _NOISE
            truths[f"n_truth_{which}", float(low)] = _ROWS * float(rows.mean())
    return truths


def _draw_in_r(rng: np.random.Generator) -> Columns:
    """Draw what is seen in r, the band whose truth is told."""
    return {name: values for name, values in _draw(rng).items() if name[1:2] != "_" or name[0] == "r"}


def _colour_truths() -> Truths:
    """Integrate over many sources; each colour is told by the magnitude in
    its second band.
    """
    rng = np.random.default_rng(12)
    story = _story(rng, 2_000_000)
    both, truths = story["detected"] & ~story["false"], Truths()
    star, mag = story["star"][both], story["mag"][both]
    before = _measured(rng, mag, 0)
    for place in range(1, len(_BANDS)):
        after, second = _measured(rng, mag, place), mag - _COLOUR * (place - 2)
        away = before - after
        for low in np.arange(_BRIGHT, _FAINT):
            for which, own in (("stars", star), ("galaxies", ~star)):
                rows = own & (second >= low) & (second < low + 1.0)
                if rows.sum() < 50.0 * len(both) / _ROWS:
                    continue
                values = away[rows & np.isfinite(away)]
                middle = float(np.median(values))
                wide = SIGMA_MAD * float(np.median(np.abs(values - middle)))
                name = f"truth_color_{_BANDS[place - 1]}{_BANDS[place]}"
                truths[f"{name}_median_{which}", float(low)] = middle
                truths[f"{name}_scatter_{which}", float(low)] = wide
        before = after
    return truths


def _measured(rng: np.random.Generator, mag: np.ndarray, place: int) -> np.ndarray:
    """Draw how far the magnitudes in a band are from the true ones, in mmag;
    NaN for no flux.
    """
    scale = 10.0 ** (-0.4e-3 * _SHIFT * (place + 1))
    flux = 10.0 ** (-0.4 * (mag - _COLOUR * (place - 2) - 31.4))
    error = np.hypot(_ERROR, 0.02 * flux * scale)
    with np.errstate(invalid="ignore"):
        return -2500.0 * np.log10((flux * scale + error * rng.standard_normal(len(mag))) / flux)


MATCHES = Population(
    name="true sources and detections",
    kind="truth_match",
    doc="Number of sources (Poisson), class, magnitude, what is detected and how.",
    draw=_draw_in_r,
    truths=_truths,
)
"""Skies of matches."""

COLOURS = Population(
    name="colours of true sources and detections",
    kind="truth_match",
    doc="Number of sources (Poisson), class, magnitude, what is detected and how, in six bands.",
    draw=_draw,
    truths=_colour_truths,
)
"""Skies of matches in all bands."""
