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

"""The dimension records of a survey: instrument, visits, skymap, and their
regions on the sky.
"""

from __future__ import annotations

__all__ = ["dimension_records"]

import datetime
import hashlib
from collections.abc import Iterable
from typing import Any

import astropy.units as u
import numpy as np
from astropy.time import Time

from lsst.daf.butler import Timespan
from lsst.sphgeom import ConvexPolygon, LonLat, UnitVector3d

from .cadence import EXPOSURE_TIME, physical_filter, visit_ids
from .camera import DETECTORS, corners, deproject, detector_name
from .objects import PATCHES
from .sky import tract_centre
from .survey import INSTRUMENT, SKYMAP, Survey
from .visits import Visit, observe

_LARGEST_ID = 9_999_123_199_999


def dimension_records(survey: Survey) -> dict[str, list[dict[str, Any]]]:
    """Make the dimension records of a survey.

    Parameters
    ----------
    survey : `Survey`
        The survey.

    Returns
    -------
    records : `dict` [`str`, `list` [`dict`]]
        Records by element, in the order in which they can be inserted.
    """
    return {**_camera(survey), **_sky(survey), **_visits(survey)}


def _camera(survey: Survey) -> dict[str, list[dict[str, Any]]]:
    instrument = {
        "name": INSTRUMENT,
        "class_name": "",
        "visit_max": _LARGEST_ID,
        "exposure_max": _LARGEST_ID,
        "detector_max": DETECTORS,
        "visit_system": 0,
    }
    filters = [
        {"instrument": INSTRUMENT, "name": physical_filter(band), "band": band} for band in survey.filters
    ]
    detectors = []
    for detector in range(DETECTORS):
        raft, slot = detector_name(detector)
        detectors.append(
            {
                "instrument": INSTRUMENT,
                "id": detector,
                "full_name": f"{raft}_{slot}",
                "name_in_raft": slot,
                "raft": raft,
                "purpose": "SCIENCE",
            }
        )
    return {
        "instrument": [instrument],
        "physical_filter": filters,
        "detector": detectors,
        "visit_system": [{"instrument": INSTRUMENT, "id": 0, "name": "one-to-one"}],
    }


def _sky(survey: Survey) -> dict[str, list[dict[str, Any]]]:
    geometry = (SKYMAP, survey.ra, survey.dec, survey.tract_size, survey.pixel_scale, PATCHES)
    skymap = {
        "name": SKYMAP,
        "hash": hashlib.sha1(repr(geometry).encode()).digest(),
        "tract_max": survey.tracts,
        "patch_nx_max": PATCHES,
        "patch_ny_max": PATCHES,
    }
    tracts, patches = [], []
    side = 3600.0 * survey.tract_size
    for tract in range(survey.tracts):
        centre = tract_centre(survey, tract)
        tracts.append(
            {"skymap": SKYMAP, "id": tract, "region": _square(centre, -0.5 * side, -0.5 * side, side)}
        )
        for row in range(PATCHES):
            for column in range(PATCHES):
                x, y = ((at / PATCHES - 0.5) * side for at in (column, row))
                patches.append(
                    {
                        "skymap": SKYMAP,
                        "tract": tract,
                        "id": row * PATCHES + column,
                        "cell_x": column,
                        "cell_y": row,
                        "region": _square(centre, x, y, side / PATCHES),
                    }
                )
    return {"skymap": [skymap], "tract": tracts, "patch": patches}


def _visits(survey: Survey) -> dict[str, list[dict[str, Any]]]:
    names = (
        "day_obs",
        "group",
        "exposure",
        "visit",
        "visit_definition",
        "visit_system_membership",
        "visit_detector_region",
    )
    records: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    nights = set()
    for visit_id in visit_ids(survey):
        visit = observe(survey, visit_id)
        if visit.day_obs not in nights:
            nights.add(visit.day_obs)
            records["day_obs"].append(_night(visit.day_obs))
        for name, found in _visit(survey, visit).items():
            records[name] += found
    return records


def _night(day_obs: int) -> dict[str, Any]:
    date = datetime.datetime.strptime(str(day_obs), "%Y%m%d")
    noon = Time(date, scale="tai") + 12.0 * u.hour
    return {"instrument": INSTRUMENT, "id": day_obs, "timespan": Timespan(noon, noon + 24.0 * u.hour)}


def _visit(survey: Survey, visit: Visit) -> dict[str, list[dict[str, Any]]]:
    """Make the records of one visit, which is one exposure."""
    middle, half = Time(visit.mjd, format="mjd", scale="tai"), 0.5 * EXPOSURE_TIME * u.s
    zenith = float(np.degrees(np.arccos(1.0 / visit.airmass)))
    both = {
        "instrument": INSTRUMENT,
        "day_obs": visit.day_obs,
        "physical_filter": physical_filter(visit.band),
        "seq_num": visit.seq,
        "exposure_time": EXPOSURE_TIME,
        "target_name": f"tract {visit.tract}",
        "observation_reason": "science",
        "science_program": "simulation",
        "zenith_angle": zenith,
        "timespan": Timespan(middle - half, middle + half),
    }
    centre, name = tract_centre(survey, visit.tract), str(visit.id)
    ra, dec = deproject(*centre, *corners(visit.placing))
    pointing = deproject(*centre, np.array(visit.placing.x), np.array(visit.placing.y))
    exposure = {
        **both,
        "id": visit.id,
        "group": name,
        "obs_id": f"SC_O_{visit.day_obs}_{visit.seq:06d}",
        "dark_time": EXPOSURE_TIME,
        "observation_type": "science",
        "seq_start": visit.seq,
        "seq_end": visit.seq,
        "tracking_ra": float(pointing[0]),
        "tracking_dec": float(pointing[1]),
        "sky_angle": float(np.degrees(visit.placing.angle)),
        "has_simulated": True,
        "can_see_sky": True,
    }
    key = {"instrument": INSTRUMENT, "visit": visit.id}
    return {
        "group": [{"instrument": INSTRUMENT, "name": name}],
        "exposure": [exposure],
        "visit": [{**both, "id": visit.id, "name": name, "region": _hull(ra.ravel(), dec.ravel())}],
        "visit_definition": [{**key, "exposure": visit.id}],
        "visit_system_membership": [{**key, "visit_system": 0}],
        "visit_detector_region": [
            {**key, "detector": d, "region": _hull(ra[d], dec[d])} for d in range(DETECTORS)
        ],
    }


def _square(centre: tuple[float, float], x: float, y: float, side: float) -> ConvexPolygon:
    return _hull(*deproject(*centre, x + side * np.array([0, 1, 1, 0]), y + side * np.array([0, 0, 1, 1])))


def _hull(ra: Iterable[float], dec: Iterable[float]) -> ConvexPolygon:
    return ConvexPolygon.convexHull(
        [UnitVector3d(LonLat.fromDegrees(float(a), float(d))) for a, d in zip(ra, dec, strict=True)]
    )
