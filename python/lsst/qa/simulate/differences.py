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

"""Sources of a survey's difference images: how many there are of what kind is
all that is simulated of them.
"""

from __future__ import annotations

__all__ = ["dia_sources", "difference_values"]

import numpy as np

from .cadence import mid_exposure, visit_ids
from .camera import DETECTORS, PIXELS, deproject, from_pixels
from .sky import object_id, tract_centre
from .statistics import Values
from .survey import Stream, Survey, generator
from .visits import observe

_PER_VISIT = 60.0
"""Sources that a visit has in the mean."""

_FLAGS = {
    "bad": 0.010,
    "cr": 0.030,
    "edge": 0.008,
    "interpolated": 0.060,
    "interpolatedCenter": 0.025,
    "nodata": 0.005,
    "saturated": 0.040,
    "saturatedCenter": 0.015,
    "streak": 0.020,
    "suspect": 0.010,
}
"""How often each flag about the pixels is set, independently of the others."""

_UNUSABLE = ("bad", "saturatedCenter", "interpolatedCenter", "edge", "nodata")
_STREAK_CENTRE = 0.4  # share of streaks that go through the centre
_OTHERS = {"isDipole": 0.12, "isNegative": 0.35, "centroid_flag": 0.02, "psfFlux_flag": 0.01}
_ASSOCIATED, _SOLAR_SYSTEM = 0.88, 0.03
_REAL = 0.3
_REAL_SCORE, _BOGUS_SCORE = (8.0, 0.6), (0.6, 6.0)
"""Parameters of the beta distributions of the reliability."""

_SLOPE = 1.5  # of the number of sources brighter than a flux
_NOISE = 100.0  # nJy
_NUMBER_BITS = 21


def dia_sources(survey: Survey, tract: int) -> dict[str, np.ndarray]:
    """Make a tract's table of sources of difference images.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.

    Returns
    -------
    columns : `dict` [`str`, `numpy.ndarray`]
        Columns by their names in the production table: a Poisson number of
        rows per visit, in the order of time.
    """
    visits = [_of_visit(survey, tract, visit_id) for visit_id in visit_ids(survey, tract)]
    return {name: np.concatenate([visit[name] for visit in visits]) for name in visits[0]}


def _of_visit(survey: Survey, tract: int, visit_id: int) -> dict[str, np.ndarray]:
    rng = generator(survey, Stream.DIFFERENCE, visit_id)
    n = int(rng.poisson(_PER_VISIT))
    visit = observe(survey, visit_id)
    detector = rng.integers(0, DETECTORS, n).astype(np.int16)
    px, py = rng.uniform(0.0, PIXELS - 1.0, (2, n))
    ra, dec = deproject(*tract_centre(survey, tract), *from_pixels(detector, px, py, visit.placing))
    real = rng.random(n) < _REAL
    scores = np.stack([rng.beta(*_BOGUS_SCORE, n), rng.beta(*_REAL_SCORE, n)])
    snr = 5.0 * rng.random(n) ** (-1.0 / _SLOPE)
    negative = rng.random(n) < _OTHERS["isNegative"]
    flux = np.where(negative, -1.0, 1.0) * snr * _NOISE
    flags = {f"pixelFlags_{name}": rng.random(n) < chance for name, chance in _FLAGS.items()}
    numbers = np.arange(n)
    return {
        "diaSourceId": (visit_id << _NUMBER_BITS) + numbers,
        "visit": np.full(n, visit_id),
        "detector": detector,
        "band": np.full(n, visit.band),
        "diaObjectId": np.where(rng.random(n) < _ASSOCIATED, object_id(tract, numbers), 0),
        "ssObjectId": np.where(rng.random(n) < _SOLAR_SYSTEM, numbers + 1, 0),
        "parentDiaSourceId": np.zeros(n, dtype=np.int64),
        "midpointMjdTai": np.full(n, mid_exposure(visit_id)),
        "ra": ra,
        "dec": dec,
        "x": px,
        "y": py,
        "psfFlux": flux,
        "psfFluxErr": np.full(n, _NOISE),
        "snr": np.abs(flux) / _NOISE,
        "reliability": np.where(real, scores[1], scores[0]),
        "isNegative": negative,
        **{name: rng.random(n) < chance for name, chance in _OTHERS.items() if name != "isNegative"},
        **flags,
        "pixelFlags_streakCenter": flags["pixelFlags_streak"] & (rng.random(n) < _STREAK_CENTRE),
    }


def difference_values(survey: Survey, tract: int, band: str) -> Values:
    """Return the true values of the metrics of a tract's difference images.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`
        Tract.
    band : `str`
        Band.

    Returns
    -------
    values : `dict` [`str`, `tuple` [`float`, `str`]]
        What is expected of all its visits in that band.
    """
    from scipy.special import betainc

    def between(low: float, high: float) -> float:
        shares = (betainc(*shape, high) - betainc(*shape, low) for shape in (_REAL_SCORE, _BOGUS_SCORE))
        return float(sum(weight * share for weight, share in zip((_REAL, 1.0 - _REAL), shares)))

    whole = _PER_VISIT * len(visit_ids(survey, tract, band))
    reliable, unreliable = between(0.9, 1.0), between(0.0, 0.1)
    shares = {
        "good": float(np.prod([1.0 - _FLAGS[name] for name in _UNUSABLE])),
        "streak": _FLAGS["streak"],
        "streak_center": _FLAGS["streak"] * _STREAK_CENTRE,
        "dipole": _OTHERS["isDipole"],
        "negative": _OTHERS["isNegative"],
        "reliable": reliable,
        "unreliable": unreliable,
        "associated": _ASSOCIATED,
        "solar_system": _SOLAR_SYSTEM,
    }
    flags = {f"pixelFlags_{name}": chance for name, chance in _FLAGS.items()}
    flags |= {name: _OTHERS[name] for name in ("centroid_flag", "psfFlux_flag")}
    return {
        "n_dia_sources": (whole, ""),
        **{f"n_dia_{name}": (whole * share, "") for name, share in shares.items()},
        **{f"dia_{name}_fraction": (100.0 * share, "%") for name, share in shares.items()},
        **{
            f"dia_flag_fraction.{name}": (100.0 * share, "%")
            for name, share in flags.items()
            if not name.endswith("Center") and name != "pixelFlags_streak"
        },
        "dia_reliable_ratio": (reliable / unreliable, ""),
        "dia_snr_median": (5.0 * 2.0 ** (1.0 / _SLOPE), ""),
    }
