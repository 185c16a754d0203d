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

"""Which tables of a repository a data ID's plots are drawn of."""

from __future__ import annotations

__all__ = ["CANDIDATES", "Input", "find_inputs", "opened_input"]

import contextlib
import fnmatch
import functools
import logging
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from ..store.inputs import StoredTable, find_tables, opened, visits_of
from ..tables.joined import JoinedStars
from ..tables.readable import Readable
from ..tables.truth import TruthColumns, TruthPairs, renamed

_LOG = logging.getLogger(__name__)

CANDIDATES: dict[str, tuple[str, ...]] = {
    "source": ("source", "recalibrated_star", "sourceTable_visit", "preSourceTable_visit", "sourceTable"),
    "object": ("object", "objectTable_tract", "objectTable", "objectTable_*"),
    "visit_summary": ("visit_summary", "finalVisitSummary", "visitSummary", "preliminary_visit_summary"),
    "matched": ("isolated_star_presources", "isolated_star_sources", "matched_catalog_*"),
    "truth_match": ("matched_*object*", "match_*object*", "truth_match*"),
}
"""Names of dataset types, or patterns, by the kind of their table; the best
first."""

_STARS = ("isolated_star_presource_associations", "isolated_star", "isolated_star_cat")
_TRUTHS = ("sim_truth", "truth_summary")
_MOST_VISITS = 40
_RADIUS = 0.5  # arcsec
_ALIASES = {"refcat_flux_{band}": "{band}_ref_flux", "refcat_mag_{band}": "{band}_ref_mag"}


class Input(NamedTuple):
    """What a plot may be drawn of.

    Attributes
    ----------
    kind : `str`
        Kind of table.
    table : `StoredTable`
        The table.
    beside : `tuple` [`StoredTable`, ...]
        Those that it is joined with: what is truly there, or the stars and
        then the visits' sources.
    where : `tuple` [`tuple` [`str`, `int`], ...]
        What its columns must be, so that it is of the data ID.
    """

    kind: str
    table: StoredTable
    beside: tuple[StoredTable, ...] = ()
    where: tuple[tuple[str, int], ...] = ()


def find_inputs(repo: str, data_id: Mapping[str, Any], seen_by: str | None = None) -> list[Input]:
    """Find what a data ID's plots can be drawn of.

    Parameters
    ----------
    repo : `str`
        A repository that the database knows.
    data_id : `~collections.abc.Mapping` [`str`, `typing.Any`]
        A visit, exposure or tract, and what narrows it.
    seen_by : `str`, optional
        The run of results whose inputs are asked for.

    Returns
    -------
    inputs : `list` [`Input`]
        By kind of table, in each the best first.

    Raises
    ------
    CollectionError
        Raised if the repository cannot be opened.
    """
    asked = [*(name for names in CANDIDATES.values() for name in names), *_TRUTHS]
    stored = find_tables(repo, asked, data_id, seen_by)
    truths = _named(stored, _TRUTHS)
    found = []
    for kind, names in CANDIDATES.items():
        for table in _named(stored, names):
            own = dict(table.data_id)
            where = tuple(
                (name, int(data_id[name]))
                for name in ("detector", "patch")
                if data_id.get(name) is not None and name not in own
            )
            found.append(Input(kind, table, (), where))
            if kind == "object":
                found += [Input("truth_match", table, (truth,), where) for truth in truths[:1]]
            if table.dataset_type == CANDIDATES["matched"][0]:
                found += [Input(kind, table, joined, where) for joined in _joined(repo, table, seen_by)]
    return found


def _named(stored: list[StoredTable], names: tuple[str, ...]) -> list[StoredTable]:
    """Take the tables of some names, in the order of these."""
    return [
        table
        for place, name in enumerate(names)
        for table in stored
        if fnmatch.fnmatchcase(table.dataset_type, name)
        and not any(fnmatch.fnmatchcase(table.dataset_type, other) for other in names[:place])
    ]


def _joined(repo: str, table: StoredTable, seen_by: str | None) -> Iterator[tuple[StoredTable, ...]]:
    """Find the stars and sources of detections that hold ids alone."""
    with opened(table) as detections:
        if "visit" not in detections.units or "psfFlux" in detections.units:
            return
        pieces = [np.unique(piece["visit"]) for piece in detections.pieces(["visit"])]
    visits = np.unique(np.concatenate(pieces)) if pieces else np.zeros(0, dtype=np.int64)
    # As many as can be read while somebody waits, from all of the survey.
    chosen = visits[np.linspace(0, len(visits) - 1, min(len(visits), _MOST_VISITS)).astype(np.int64)]
    stars = find_tables(repo, _STARS, dict(table.data_id), seen_by)[:1]
    instrument = str(dict(table.data_id).get("instrument", ""))
    asked = chosen.tolist()
    sources = visits_of(repo, CANDIDATES["source"], instrument, asked, seen_by) if asked else []
    if stars and sources:
        yield (*stars, *sources)


@contextlib.contextmanager
def opened_input(found: Input) -> Iterator[Readable]:
    """Open what a plot is drawn of.

    Parameters
    ----------
    found : `Input`
        What was found.

    Yields
    ------
    source : `Readable`
        The table.
    """
    with contextlib.ExitStack() as stack:
        table = stack.enter_context(opened(found.table))
        if not found.beside:
            yield renamed(table, _ALIASES) if found.kind == "truth_match" else table
            return
        other = stack.enter_context(opened(found.beside[0]))
        if found.kind == "truth_match":
            yield TruthPairs(table, other, _truth_columns(other), _RADIUS)
            return
        sources = [functools.partial(opened, one) for one in found.beside[1:]]
        yield JoinedStars(table, other, sources, _LOG)


def _truth_columns(truth: Readable) -> TruthColumns:
    light = {band: f"{band}_mag" for band in "ugrizy" if f"{band}_mag" in truth.units}
    star = "is_pointsource" if "is_pointsource" in truth.units else ""
    return TruthColumns("ra", "dec", star, light, False)
