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

"""What a metric is judged by: thresholds, checked with the metric they stand
beside.
"""

from __future__ import annotations

__all__ = ["LEVELS", "Spec", "overridden", "srd"]

import dataclasses
import math
from collections.abc import Iterable

from .columns import BANDS

LEVELS = ("minimum", "design", "stretch")


@dataclasses.dataclass(frozen=True)
class Spec:
    """A threshold that a metric is judged by.

    Attributes
    ----------
    level : `str`
        "minimum", "design" or "stretch".
    value : `float`
        The threshold, in the metric's unit.
    op : `str`
        "<=" or ">=": what a good value is.
    bands : `str`
        The bands it holds in, as in "gri"; "" for all.
    source : `str`
        The document that sets it.
    """

    level: str
    value: float
    op: str = "<="
    bands: str = ""
    source: str = "LPM-17"

    def faults(self) -> list[str]:
        """Say what is wrong with this declaration.

        Returns
        -------
        faults : `list` [`str`]
            One sentence per fault.
        """
        found = []
        if self.level not in LEVELS:
            found.append(f"specification level {self.level!r} is none of {', '.join(LEVELS)}")
        if self.op not in ("<=", ">="):
            found.append(f"specification operator {self.op!r} is neither '<=' nor '>='")
        if not math.isfinite(self.value):
            found.append(f"specification value {self.value!r} is not finite")
        if strange := set(self.bands) - set(BANDS):
            found.append(f"specification bands {''.join(sorted(strange))!r} are not among {BANDS!r}")
        return found

    def holds_in(self, band: str | None) -> bool:
        """Tell whether this threshold applies in a band.

        Parameters
        ----------
        band : `str` or `None`
            Name of the band; a null band only meets thresholds for all.

        Returns
        -------
        holds : `bool`
            Whether values in that band are judged by it.
        """
        return not self.bands or (band is not None and band in self.bands)

    def passes(self, value: float) -> bool:
        """Tell whether a value is good.

        Parameters
        ----------
        value : `float`
            A measured value; NaN never passes.

        Returns
        -------
        good : `bool`
            Whether it meets the threshold.
        """
        return value <= self.value if self.op == "<=" else value >= self.value


def srd(
    minimum: float, design: float, stretch: float, *, bands: str = "", op: str = "<=", source: str = "LPM-17"
) -> tuple[Spec, ...]:
    """Declare the three thresholds of a requirement.

    Parameters
    ----------
    minimum, design, stretch : `float`
        Thresholds, in the metric's unit.
    bands : `str`, optional
        Bands they hold in.
    op : `str`, optional
        What a good value is.
    source : `str`, optional
        The document that sets them.

    Returns
    -------
    specs : `tuple` [`Spec`, ...]
        One per level.
    """
    values = zip(LEVELS, (minimum, design, stretch))
    return tuple(Spec(level, value, op, bands, source) for level, value in values)


def overridden(specs: Iterable[Spec], others: Iterable[Spec]) -> tuple[Spec, ...]:
    """Put thresholds in the place of others.

    Parameters
    ----------
    specs : `~collections.abc.Iterable` [`Spec`]
        Thresholds of a metric.
    others : `~collections.abc.Iterable` [`Spec`]
        Those that count instead; a later one more than an earlier one.

    Returns
    -------
    specs : `tuple` [`Spec`, ...]
        All; of the same level and operator none holds any more in a band
        that another was given for.
    """
    found = list(specs)
    for other in others:
        alike = [spec for spec in found if (spec.level, spec.op) == (other.level, other.op)]
        found = [spec for spec in found if spec not in alike]
        for spec in alike if other.bands else ():
            # What holds in all bands goes on to, where none is named.
            left = "".join(band for band in spec.bands if band not in other.bands)
            if left or not spec.bands:
                found.append(dataclasses.replace(spec, bands=left))
        found.append(other)
    return tuple(found)
