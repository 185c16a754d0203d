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

"""A survey's distribution over visits: how deep and how sharp they are, and in
how many the PSF's residuals go together.
"""

from __future__ import annotations

__all__ = ["D1", "DF1", "S1", "TEF", "TEF_SCALAR", "Z1"]

import numpy as np

from ..metric import ByBand, Estimate, Metric, metric, srd
from ..stats import fraction, median, quantile
from .visit import DEPTH_SPECS

PERCENT = 100.0

SHALLOW = ByBand(24.4, (("u", 23.6), ("g", 24.7), ("i", 23.7), ("z", 23.0), ("y", 21.8)))
"""Depth that all but DF1 of the visits reach: Z1 in r, and in the other bands
as far below the design depth as there.
"""


@metric(
    "D1",
    table="visit_values",
    unit="mag",
    specs=DEPTH_SPECS,
    reference="LPM-17 tables 6 and 7",
)
def D1(m5: np.ndarray) -> Estimate:
    """Median over visits of the 5-sigma depth for point sources.

    median_visits m5
    """
    return Estimate(*median(m5))


@metric(
    "DF1",
    table="visit_values",
    unit="%",
    specs=srd(20.0, 10.0, 5.0, bands="r"),
    reference="LPM-17 table 6",
)
def DF1(m5: np.ndarray, *, depth: float | ByBand = SHALLOW) -> Estimate:
    """Percentage of the visits that are shallower than Z1.

    100 N(m5 < Z1) / N, Z1 = 24.4 mag in r
    """
    known = m5[np.isfinite(m5)]
    return Estimate(*fraction(known < depth))


@metric(
    "Z1",
    table="visit_values",
    unit="mag",
    specs=srd(24.0, 24.4, 24.6, bands="r", op=">="),
    reference="LPM-17 table 6",
)
def Z1(m5: np.ndarray, *, fainter: float = 90.0) -> Estimate:
    """Depth that all but a tenth of the visits reach.

    quantile of m5 at 100 - 90 %
    """
    return Estimate(*quantile(m5, (PERCENT - fainter) / PERCENT))


@metric(
    "S1_50",
    table="visit_values",
    unit="arcsec",
    specs=srd(0.72, 0.69, 0.67, bands="ri"),
    reference="LPM-17 table 9, for a median seeing of the site of 0.60 arcsec",
)
def S1_50(seeing: np.ndarray, *, quantile_of: float = 50.0) -> Estimate:
    """Delivered seeing that this percentage of the visits have or beat.

    quantile of the PSF's full width at half maximum, at the same quantile
    of the site's seeing
    """
    return Estimate(*quantile(seeing, quantile_of / PERCENT))


S1 = (
    S1_50.variant(
        "S1_25",
        quantile_of=25.0,
        specs=srd(0.59, 0.56, 0.53, bands="ri"),
        doc="Delivered seeing that a quarter of the visits have or beat.",
        reference="LPM-17 table 9, for a seeing of the site of 0.44 arcsec in its best quarter",
    ),
    S1_50,
    S1_50.variant(
        "S1_75",
        quantile_of=75.0,
        specs=srd(0.89, 0.87, 0.85, bands="ri"),
        doc="Delivered seeing that three quarters of the visits have or beat.",
        reference="LPM-17 table 9, for a seeing of the site of 0.80 arcsec in its worst quarter",
    ),
)


@metric(
    "TEF",
    table="visit_values",
    unit="%",
    specs=srd(15.0, 15.0, 10.0, bands="ri"),
    reference="LPM-17 table 27",
)
def TEF(TE3: np.ndarray, TE4: np.ndarray, *, near: float = 4e-5, far: float = 2e-7) -> Estimate:
    """Percentage of the visits whose residual ellipticities go together more
    than TE3 or TE4 allow.

    100 N(|TE3| > 4e-5 or |TE4| > 2e-7) / N, of visits that have both
    """
    known = np.isfinite(TE3) & np.isfinite(TE4)
    return Estimate(*fraction((np.abs(TE3[known]) > near) | (np.abs(TE4[known]) > far)))


def share_of_scalars(
    near_e1: np.ndarray,
    near_e2: np.ndarray,
    near_ex: np.ndarray,
    far_e1: np.ndarray,
    far_e2: np.ndarray,
    far_ex: np.ndarray,
    *,
    near: float = 4e-5,
    far: float = 2e-7,
) -> Estimate:
    sizes = np.abs([near_e1, near_e2, near_ex, far_e1, far_e2, far_ex])
    limits = np.repeat([near, far], 3)[:, None]
    known = np.isfinite(sizes).all(axis=0)
    return Estimate(*fraction(np.any((sizes > limits)[:, known], axis=0)))


TEF_SCALAR = Metric(
    name="TEF.scalar",
    function=share_of_scalars,
    table="visit_values",
    unit="%",
    doc="TEF of the three scalar correlations: percentage of the visits in which any of E1, E2 and Ex is more"
    " than TE3 or TE4 allow; of visits for which TE3.E1 and the like are measured.",
    formula="100 N(|E1|, |E2| or |Ex| > 4e-5 near, > 2e-7 far) / N",
    specs=TEF.specs,
    reference="LPM-17 table 27",
    inputs={
        f"{where}_{part.lower()}": f"{name}.{part}"
        for where, name in (("near", "TE3"), ("far", "TE4"))
        for part in ("E1", "E2", "Ex")
    },
)
