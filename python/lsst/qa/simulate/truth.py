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

"""The true value of each metric of a survey: from the model, not from the
tables, and not by the metrics' code.
"""

from __future__ import annotations

__all__ = ["Truth", "truth"]

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .blends import blend_values
from .cadence import epoch_of, visit_ids
from .depths import depth_values
from .differences import difference_values
from .reference_truth import coadd_reference_values, visit_reference_values
from .survey import SKYMAP, Survey
from .tract_truth import coadd_values, repeat_values
from .visit_truth import summary_values, visit_values


class Truth(NamedTuple):
    """The true value of a metric: what infinitely many objects alike would
    give.

    Attributes
    ----------
    metric : `str`
        Name of the metric.
    band : `str` or `None`
        Band.
    value : `float`
        NaN where it is undefined.
    unit : `str`
        Unit.
    visit, detector : `int` or `None`
        Visit, and detector, that it is of.
    skymap : `str` or `None`
        Skymap of the tract.
    tract : `int` or `None`
        Tract that it is of.
    """

    metric: str
    band: str | None
    value: float
    unit: str
    visit: int | None = None
    detector: int | None = None
    skymap: str | None = None
    tract: int | None = None


def truth(survey: Survey) -> Iterator[Truth]:
    """Return the true values of the metrics of a survey.

    Parameters
    ----------
    survey : `Survey`
        The survey.

    Yields
    ------
    truth : `Truth`
        Of each visit those of its sources, also against the reference
        catalogue, and, for the visit and for each detector, those of its
        summary; then, of each tract and band, those of its coadd, of its
        stars' repeatability and of its difference images.
    """
    for visit_id in visit_ids(survey):
        yield from _of_visit(survey, visit_id)
    for tract in range(survey.tracts):
        against = coadd_reference_values(survey, tract)
        for band, values in coadd_values(survey, tract).items():
            if band is not None:
                values = {**repeat_values(survey, tract, band), **values, **against[band]}
                values |= {**depth_values(survey, tract, band), **difference_values(survey, tract, band)}
            else:
                values = {**values, **blend_values(survey, tract)}
            for name, (value, unit) in values.items():
                yield Truth(name, band, value, unit, skymap=SKYMAP, tract=tract)


def _of_visit(survey: Survey, visit_id: int) -> Iterator[Truth]:
    band = epoch_of(visit_id)[2]
    of_sources = {**visit_values(survey, visit_id), **visit_reference_values(survey, visit_id)}
    for name, (value, unit) in of_sources.items():
        yield Truth(name, band, value, unit, visit=visit_id)
    by_detector = summary_values(survey, visit_id)
    yield Truth("n_detectors", band, float(len(by_detector["seeing"][0])), "", visit=visit_id)
    for name, (values, unit) in by_detector.items():
        yield Truth(name, band, float(np.median(values)), unit, visit=visit_id)
        for detector, value in enumerate(values):
            yield Truth(name, band, float(value), unit, visit=visit_id, detector=detector)
