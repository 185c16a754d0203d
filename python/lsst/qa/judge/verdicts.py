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

"""Verdicts: whether a value meets its metric's threshold, and by how much."""

from __future__ import annotations

__all__ = ["Judged", "Verdict", "judge", "verdicts"]

import functools
import math
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..spec import LEVELS, Spec

if TYPE_CHECKING:
    from ..store.records import Summary


class Verdict(NamedTuple):
    """What a value is worth.

    Attributes
    ----------
    state : `str`
        "pass" or "fail"; "unknown" for a value that is NaN; "none" where
        there is no threshold of the level asked for.
    level : `str` or `None`
        The hardest level that the value meets: "minimum", "design" or
        "stretch"; `None` if it meets none.
    threshold : `float` or `None`
        The threshold that the state is about.
    op : `str` or `None`
        "<=" or ">=": what a good value is.
    margin : `float`
        Distance from the threshold in units of the value's error, positive
        on the good side; NaN without threshold, value or error.
    """

    state: str
    level: str | None
    threshold: float | None
    op: str | None
    margin: float


class Judged(NamedTuple):
    """A summary and its verdict."""

    summary: Summary
    verdict: Verdict


def judge(
    value: float, error: float, band: str | None, specs: Sequence[Spec], level: str = "design"
) -> Verdict:
    """Judge a value.

    Parameters
    ----------
    value, error : `float`
        The value and its 1-sigma error, in the unit of the thresholds; NaN
        where unknown.
    band : `str` or `None`
        Band of the value.
    specs : `~collections.abc.Sequence` [`~lsst.qa.metric.Spec`]
        Thresholds of the metric.
    level : `str`, optional
        The level to judge by.

    Returns
    -------
    verdict : `Verdict`
        Where several thresholds of a level and operator hold in the band,
        the one for the fewest bands counts.
    """
    holding = _holding(tuple(specs), band)
    met = [name for name in LEVELS if holding[name] and all(spec.passes(value) for spec in holding[name])]
    best = met[-1] if met else None
    if not holding[level]:
        return Verdict("none", best, None, None, math.nan)
    # Of two thresholds, for too much and for too little, the one that is
    # nearer or missed by more.
    spec = min(holding[level], key=lambda spec: _room(value, spec))
    state = "unknown" if math.isnan(value) else "pass" if spec.passes(value) else "fail"
    return Verdict(state, best, spec.value, spec.op, _room(value, spec) / error if error > 0 else math.nan)


def verdicts(
    summaries: Iterable[Summary], specs_of: Callable[[str], Sequence[Spec]], level: str = "design"
) -> list[Judged]:
    """Judge the metrics of a run.

    Parameters
    ----------
    summaries : `~collections.abc.Iterable` [`~lsst.qa.store.records.Summary`]
        The metrics of a run.
    specs_of : `~collections.abc.Callable`
        Takes the name of a metric and returns its thresholds.
    level : `str`, optional
        The level to judge by.

    Returns
    -------
    judged : `list` [`Judged`]
        In the order of the summaries.
    """
    return [Judged(s, judge(s.value, s.error, s.band, specs_of(s.metric), level)) for s in summaries]


@functools.lru_cache(maxsize=4096)
def _holding(specs: tuple[Spec, ...], band: str | None) -> dict[str, list[Spec]]:
    """Return the thresholds for a band by level, at most one per operator."""
    by_reach = sorted(specs, key=lambda spec: len(spec.bands) or math.inf, reverse=True)
    holding = [spec for spec in by_reach if spec.holds_in(band)]
    return {
        level: list({spec.op: spec for spec in holding if spec.level == level}.values()) for level in LEVELS
    }


def _room(value: float, spec: Spec) -> float:
    """Return the distance from a threshold, positive on the good side."""
    return spec.value - value if spec.op == "<=" else value - spec.value
