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

"""Two runs compared: what differs over the data IDs that both have."""

from __future__ import annotations

__all__ = ["VIEW", "compared", "data"]

import functools
from collections.abc import Callable
from typing import Any, Literal

import sqlalchemy
from starlette.requests import Request
from starlette.responses import Response

from ...errors import InputError
from ...judge import changes
from ...store import query, records
from ...store.compared import Paired, paired
from .. import arrange, shapes
from ..charts import scatter
from ..links import Links
from ..site import Data, Site, View
from ..text import finite, labelled

Direction = Literal[
    "",  # as a form sends what was left empty
    "worse",
    "better",
    "changed",
    "same",
    "unknown",
]

Sort = Literal["", "significance", "metric", "change"]

_OFFERED = 200
_PAIRS = 2000


def compared(
    engine: sqlalchemy.Engine,
    before: records.Run,
    after: records.Run,
    metrics: tuple[str, ...] | None = None,
) -> list[Data]:
    """Compare the metrics of two runs.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    before, after : `lsst.qa.store.records.Run`
        The runs.
    metrics : `tuple` [`str`, ...], optional
        Only these; without it all.

    Returns
    -------
    rows : `list` [`dict`]
        By metric and band, what got worse most first; not to be changed.
    """
    state = tuple((run.run_id, run.uuid, run.n_datasets, run.n_measurements) for run in (before, after))
    return _compared(engine, state, metrics)


def data(
    engine: sqlalchemy.Engine,
    before: str | None = None,
    after: str | None = None,
    metric: str | None = None,
    band: str | None = None,
    direction: str | None = None,
    sort: str | None = None,
) -> Data:
    """Return the differences of two runs, or of one metric in them.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        The metrics database.
    before, after : `str`, optional
        Names of the runs; the latest two of one dataset if absent.
    metric, band : `str`, optional
        Keep only this metric, whose pairs are returned too, and this band.
    direction : `str`, optional
        Keep only the changes in this direction.
    sort : `str`, optional
        What to sort by: "significance" with what got worse first, which is
        the usual, "metric", or "change" relative to the value before.

    Returns
    -------
    data : `dict` [`str`, `typing.Any`]
        ``runs`` to choose from; the runs ``before`` and ``after``, `None`
        where there are not two; ``counts`` of changes by direction; the
        ``bands`` there are; ``changes``; and with a metric its ``pairs``,
        those that differ most first, at most ``limit`` of them, and
        ``n_pairs``.

    Raises
    ------
    UnknownNameError
        Raised if there is no such run.
    InputError
        Raised if both are the same run.
    """
    offered = query.latest_runs(engine, _OFFERED)
    one, other = _chosen(engine, offered, before, after)
    found: Data = {
        "runs": [shapes.run(run) for run in offered],
        "before": one and shapes.run(one),
        "after": other and shapes.run(other),
        "metric": metric,
        "band": band,
        "direction": direction,
        "sort": sort,
        "bands": [],
        "limit": _PAIRS,
    }
    if one is None or other is None:
        return {**found, "counts": dict.fromkeys(changes.DIRECTIONS, 0), "changes": [], "pairs": []}
    if one.run_id == other.run_id:
        raise InputError(f"{one.name} is compared with itself: choose another run before or after.")
    rows = compared(engine, one, other)
    if metric is not None:
        rows = [row for row in rows if row["metric"] == metric]
    found["bands"] = sorted({row["band"] for row in rows}, key=arrange.band_key)
    rows = [row for row in rows if band in (None, row["band"])]
    counts = {name: sum(row["direction"] == name for row in rows) for name in changes.DIRECTIONS}
    kept = [row for row in rows if direction in (None, row["direction"])]
    if sort in _KEYS:
        kept.sort(key=_KEYS[sort])
    pairs = _pairs(engine, one, other, metric, band) if metric is not None else []
    return {**found, "counts": counts, "changes": kept, "n_pairs": len(pairs), "pairs": pairs[:_PAIRS]}


def _chosen(
    engine: sqlalchemy.Engine, offered: list[records.Run], before: str | None, after: str | None
) -> tuple[records.Run | None, records.Run | None]:
    """Look the runs up; the one that is not named is the latest other."""
    one, other = (shapes.found_run(engine, name) if name else None for name in (before, after))
    if other is None:
        other = next((run for run in offered if one is None or run.run_id != one.run_id), None)
    if one is None and other is not None:
        earlier = [run for run in offered if run.run_id != other.run_id]
        # A run of the same kind is the better baseline, if there is one.
        of = arrange.dataset_of(other.name)
        seen = [run for run in earlier if run.instruments == other.instruments]
        alike = [run for run in seen if arrange.dataset_of(run.name) == of]
        one = next(iter(alike or seen or earlier), None)
    return one, other


@functools.lru_cache(maxsize=8)
def _compared(
    engine: sqlalchemy.Engine, state: tuple[tuple[Any, ...], ...], metrics: tuple[str, ...] | None
) -> list[Data]:
    specs = query.specifications(engine)
    found = paired(engine, state[0][0], state[1][0], metrics)
    rows = [_row(held, specs.get(held.metric, ())) for held in found]
    order = {name: place for place, name in enumerate(changes.DIRECTIONS)}

    def place(row: Data) -> tuple[Any, ...]:
        return order[row["direction"]], -abs(row["significance"] or 0.0), *_by_metric(row)

    return sorted(rows, key=place)


def _by_metric(row: Data) -> tuple[Any, ...]:
    return arrange.natural_key(row["metric"]), arrange.band_key(row["band"])


def _by_change(row: Data) -> tuple[Any, ...]:
    """Sort the greatest change first, and what has none last."""
    before, difference = row["before"], row["difference"]
    known = difference is not None and bool(before)
    return -abs(difference / before) if known else 0.0, *_by_metric(row)


_KEYS: dict[str | None, Callable[[Data], tuple[Any, ...]]] = {"metric": _by_metric, "change": _by_change}


def _row(held: Paired, specs: Any) -> Data:
    found = changes.change(
        held.before, held.after, held.before_error, held.after_error, held.band, tuple(specs)
    )
    if not found.pairs:
        found = changes.change_of_all(held.only_before, held.only_after, held.band, tuple(specs))
    values = found._asdict()
    return {
        **shapes.taken(held, ("metric", "band", "unit")),
        **{name: finite(value) if isinstance(value, float) else value for name, value in values.items()},
        "only_before": len(held.only_before),
        "only_after": len(held.only_after),
    }


def _pairs(
    engine: sqlalchemy.Engine, one: records.Run, other: records.Run, metric: str, band: str | None
) -> list[Data]:
    names = ("before", "after", "before_error", "after_error")
    found = []
    for held in paired(engine, one.run_id, other.run_id, None if metric is None else [metric], band):
        for place, pair in enumerate(held.pairs):
            values = {name: finite(float(getattr(held, name)[place])) for name in names}
            if values["before"] is None or values["after"] is None:
                continue
            error = (values["before_error"] or 0.0) ** 2 + (values["after_error"] or 0.0) ** 2
            difference = values["after"] - values["before"]
            found.append(
                {
                    "band": held.band,
                    "unit": held.unit,
                    "data_id": pair.data_id,
                    "bin_low": pair.bin_low,
                    **values,
                    "difference": difference,
                    "error": error**0.5 or None,
                    "significance": difference / error**0.5 if error else None,
                }
            )
    return sorted(found, key=lambda pair: -abs(pair["significance"] or 0.0))


def add(site: Site) -> None:
    """Add the routes of the page.

    Parameters
    ----------
    site : `Site`
        The dashboard.
    """

    @site.route("/compare", "/compare.json")
    def compare(
        request: Request,
        before: str | None = None,
        after: str | None = None,
        metric: str | None = None,
        band: str | None = None,
        direction: Direction | None = None,
        sort: Sort | None = None,
    ) -> Response:
        # A form sends what was left empty as well.
        asked = (value or None for value in (before, after, metric, band, direction, sort))
        return site.show(request, VIEW, data(site.engine, *asked), lambda held: _charts(held, site.links))


def _charts(shown: Data, links: Links) -> dict[str, str | None]:
    if not shown["metric"] or not shown["pairs"]:
        return {}
    name, unit = shown["metric"], shown["pairs"][0]["unit"]
    points = [
        {
            **pair,
            "where": arrange.where(pair["data_id"]),
            "url": links.page("data", run=shown["after"]["name"], **arrange.place(pair["data_id"])),
        }
        for pair in shown["pairs"]
    ]
    return {
        "pairs": scatter.scatter_chart(
            points, labelled(f"{name} before", unit), labelled(f"{name} after", unit)
        )
    }


VIEW = View("compare", add, label="Compare")
