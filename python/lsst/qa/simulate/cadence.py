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

"""The cadence: which visits a survey has, and when."""

from __future__ import annotations

__all__ = ["EXPOSURE_TIME", "checked", "epoch_of", "mid_exposure", "physical_filter", "visit_ids"]

import datetime

from ..errors import SimulationError
from .survey import BANDS, Survey

EXPOSURE_TIME = 30.0
"""Seconds."""

_FIRST_DAY = datetime.date(2026, 1, 1)
_FIRST_MJD = 61041
_CADENCE = 40.0  # seconds from one visit to the next
_EPOCHS_A_NIGHT = 4
_TRACTS_A_NIGHT = 36
_NIGHTS = 3  # in which all tracts have their turn


def physical_filter(band: str) -> str:
    """Return the filter of a band.

    Parameters
    ----------
    band : `str`
        Band.

    Returns
    -------
    name : `str`
        As in "r_sim".
    """
    return f"{band}_sim"


def visit_ids(survey: Survey, tract: int | None = None, band: str | None = None) -> list[int]:
    """List the visits of a survey.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    tract : `int`, optional
        Only of this tract.
    band : `str`, optional
        Only in this band.

    Returns
    -------
    ids : `list` [`int`]
        In the order of time.
    """
    tracts = range(survey.tracts) if tract is None else (tract,)
    bands = survey.filters if band is None else band
    return sorted(_visit_id(epoch, t, b) for epoch in range(survey.visits) for t in tracts for b in bands)


def epoch_of(visit_id: int) -> tuple[int, int, str]:
    """Tell what a visit is from its id.

    Parameters
    ----------
    visit_id : `int`
        An id.

    Returns
    -------
    epoch, tract : `int`
        Number of the visit among those of its tract and band, and tract.
    band : `str`
        Band.
    """
    day_obs, seq = divmod(visit_id, 100_000)
    place, band = divmod(seq - 1, len(BANDS))
    turn, epoch = divmod(place, _EPOCHS_A_NIGHT)
    cycle, part = divmod(_night(day_obs), _NIGHTS)
    return cycle * _EPOCHS_A_NIGHT + epoch, part * _TRACTS_A_NIGHT + turn, BANDS[band]


def checked(survey: Survey, visit_id: int) -> tuple[int, str]:
    """Tell what a visit of a survey looks at.

    Parameters
    ----------
    survey : `Survey`
        The survey.
    visit_id : `int`
        One of its `visit_ids`.

    Returns
    -------
    tract : `int`
        Tract.
    band : `str`
        Band.

    Raises
    ------
    lsst.qa.errors.SimulationError
        Raised if the survey has no such visit.
    """
    try:
        epoch, tract, band = epoch_of(visit_id)
        known = _visit_id(epoch, tract, band) == visit_id
    except (ValueError, IndexError):
        known = False
    if not known or not 0 <= epoch < survey.visits or tract >= survey.tracts or band not in survey.bands:
        raise SimulationError(f"The survey has no visit {visit_id}; it has those of visit_ids(survey).")
    return tract, band


def mid_exposure(visit_id: int) -> float:
    """Return when a visit was taken.

    Parameters
    ----------
    visit_id : `int`
        An id.

    Returns
    -------
    mjd : `float`
        Middle of the exposure, TAI, in days.
    """
    day_obs, seq = divmod(visit_id, 100_000)
    # The night that begins on one day is half an hour into the next, by TAI,
    # when its first visit is taken.
    return _FIRST_MJD + _night(day_obs) + 1 + (1800.0 + _CADENCE * seq) / 86_400.0


def _night(day_obs: int) -> int:
    return (datetime.date(day_obs // 10_000, day_obs // 100 % 100, day_obs % 100) - _FIRST_DAY).days


def _visit_id(epoch: int, tract: int, band: str) -> int:
    night = _NIGHTS * (epoch // _EPOCHS_A_NIGHT) + tract // _TRACTS_A_NIGHT
    place = epoch % _EPOCHS_A_NIGHT + _EPOCHS_A_NIGHT * (tract % _TRACTS_A_NIGHT)
    day_obs = int(f"{_FIRST_DAY + datetime.timedelta(days=night):%Y%m%d}")
    return day_obs * 100_000 + 1 + BANDS.index(band) + len(BANDS) * place
