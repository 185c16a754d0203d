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

"""The table that lays detections beside what is known to be there: a
catalogue of truth, or of injected sources.
"""

from __future__ import annotations

__all__ = ["TRUTH_MATCH"]

import numpy as np

from ..pieces import Coded
from . import derived
from .kinds import BAND_PREFIX, Column, Derived, Table
from .shared import SKY, flag, named, real

_STAR = "DeltaFunction"


def is_star(source_type: Coded) -> np.ndarray:
    """Tell which injected sources are points.

    Parameters
    ----------
    source_type : `Coded`
        Kind of each source, as source injection names it.

    Returns
    -------
    star : `numpy.ndarray`, (n,)
        1 or 0; NaN where there is no kind.
    """
    known = np.array([float(value == _STAR) if value else np.nan for value in source_type.values])
    return known[source_type.codes]


TRUTH_MATCH = Table(
    "truth_match",
    "An object and what it truly is; one that was not detected, or is not there, has its half alone.",
    {
        **named(
            *SKY,
            *(
                Column(
                    f"ref_{axis}",
                    "real",
                    "rad",
                    (f"refcat_{axis}", f"ref_injected_{axis}", f"refcat_coord_{axis}"),
                    stated="deg",
                )
                for axis in ("ra", "dec")
            ),
            Column("objectId", "int"),
            real("match_distance", ""),
            flag("detect_isPrimary", applied=True),
            flag("ref_isPrimary", "ref_injected_isPrimary", "refcat_isPrimary", applied=True),
            Column(
                "ref_star",
                "real",
                "",
                ("refcat_is_pointsource", "ref_is_pointsource"),
                (Derived(is_star, ("ref_source_type",)),),
            ),
            Column("ref_source_type", "text", "", ("refcat_source_type",)),
        ),
        **named(
            *(
                Column(BAND_PREFIX + name, "real", unit, tuple(aliases), tuple(ways))
                for name, unit, aliases, ways in (
                    (
                        "ref_mag",
                        "mag",
                        (f"ref_{BAND_PREFIX}mag", f"refcat_{BAND_PREFIX}mag"),
                        (Derived(derived.magnitude, (f"{BAND_PREFIX}ref_flux",)),),
                    ),
                    ("ref_flux", "nJy", (f"ref_{BAND_PREFIX}flux", f"refcat_{BAND_PREFIX}flux"), ()),
                    ("psfFlux", "nJy", (), ()),
                    ("psfFluxErr", "nJy", (), ()),
                    ("cModelFlux", "nJy", (), ()),
                    ("cModelFluxErr", "nJy", (), ()),
                    ("psf_mag", "mag", (), (Derived(derived.magnitude, (f"{BAND_PREFIX}psfFlux",)),)),
                    ("cmodel_mag", "mag", (), (Derived(derived.magnitude, (f"{BAND_PREFIX}cModelFlux",)),)),
                    ("extendedness", "", (), ()),
                )
            )
        ),
    },
    split=(),
    signature=("objectId", "match_distance", "ref_ra"),
    by_band=True,
)
