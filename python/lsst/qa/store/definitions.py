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

"""The definitions of metrics in the database, and how they get there."""

from __future__ import annotations

__all__ = ["define_others", "get_metric", "metric_ids", "metric_names", "specifications", "synchronize"]

import dataclasses
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ..errors import InputError
from ..metric import Metric
from ..spec import LEVELS, Spec, overridden
from .database import insert, tables, writing
from .records import MetricInfo

if TYPE_CHECKING:
    from ..readers.definitions import Definition
    from ..readers.thresholds import Threshold

_FILE = "file: "
"""What the source of a threshold begins with that a file set."""


def metric_names(engine: sa.Engine) -> list[str]:
    """List the metrics of the database.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.

    Returns
    -------
    names : `list` [`str`]
        Names of the metrics that it defines, sorted.
    """
    name = tables().metric.c.name
    with engine.connect() as connection:
        return sorted(connection.execute(sa.select(name)).scalars())


def get_metric(engine: sa.Engine, name: str) -> MetricInfo | None:
    """Look a metric up.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    name : `str`
        Name of the metric.

    Returns
    -------
    info : `MetricInfo` or `None`
        Its definition and thresholds; `None` if it is not in the database.
    """
    metric = tables().metric
    columns = (metric.c.table_name, metric.c.unit, metric.c.description, metric.c.formula, metric.c.reference)
    with engine.connect() as connection:
        found = connection.execute(sa.select(metric.c.name, *columns).where(metric.c.name == name)).first()
    return None if found is None else MetricInfo(*found, specs=specifications(engine).get(name, ()))


def specifications(engine: sa.Engine) -> dict[str, tuple[Spec, ...]]:
    """List the thresholds of all metrics.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.

    Returns
    -------
    specs : `dict` [`str`, `tuple` [`Spec`, ...]]
        By name of the metric, for those that have any; easy levels first.
    """
    spec, metric = tables().specification, tables().metric
    fields = (spec.c.level, spec.c.value, spec.c.op, spec.c.bands, spec.c.source)
    with engine.connect() as connection:
        found = connection.execute(sa.select(metric.c.name, *fields).join_from(spec, metric)).all()
    specs: dict[str, list[Spec]] = {}
    for name, level, value, op, bands, source in found:
        specs.setdefault(name, []).append(Spec(level, value, op, bands, source or ""))
    return {name: _sorted(tuple(members)) for name, members in sorted(specs.items())}


def synchronize(
    engine: sa.Engine,
    catalogue: Mapping[str, Metric | Definition],
    thresholds: Iterable[Threshold] | None = None,
) -> None:
    """Write the definitions of a catalogue where they differ from the held.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    catalogue : `~collections.abc.Mapping`
        `lsst.qa.metric.Metric` or
        `lsst.qa.readers.definitions.Definition` by name. Metrics that it
        lacks are left as they are.
    thresholds : `~collections.abc.Iterable` [`Threshold`], optional
        Those of files that take the place of the catalogue's, and of all
        that files set before; what they set stays if this is not given.

    Raises
    ------
    InputError
        Raised if one holds for an instrument or a dataset only, which a
        database of all of them has no place for.
    """
    metric, spec = tables().metric, tables().specification
    wanted = {name: _definition(declared) for name, declared in sorted(catalogue.items())}
    with engine.connect() as connection:
        held = {row["name"]: dict(row) for row in connection.execute(sa.select(metric)).mappings()}
    kept = specifications(engine)
    given = _from_files(kept, thresholds)
    specs = {name: _sorted(overridden(m.specs, given.get(name, ()))) for name, m in catalogue.items()}
    changed = [
        name
        for name, facts in wanted.items()
        if facts.items() - held.get(name, {}).items() or specs[name] != kept.get(name, ())
    ]
    if not changed:
        return
    with writing(engine) as connection:
        adding = insert(connection, metric)
        replaced = {key: adding.excluded[key] for key in next(iter(wanted.values())) if key != "name"}
        # Another loader that does the same waits here, at the first metric
        # that both change.
        connection.execute(
            adding.on_conflict_do_update(index_elements=["name"], set_=replaced),
            [wanted[name] for name in changed],
        )
        ids = metric_ids(connection, {})
        numbers = [ids[name] for name in changed]
        connection.execute(sa.delete(spec).where(spec.c.metric_id.in_(numbers)))
        rows = [{"metric_id": ids[name], **_threshold(s)} for name in changed for s in specs[name]]
        if rows:
            connection.execute(insert(connection, spec).on_conflict_do_nothing(), rows)


def _from_files(
    held: Mapping[str, tuple[Spec, ...]], thresholds: Iterable[Threshold] | None
) -> dict[str, list[Spec]]:
    """Return the thresholds that files set, now or before, by metric."""
    if thresholds is None:
        return {
            name: [spec for spec in specs if spec.source.startswith(_FILE)] for name, specs in held.items()
        }
    found: dict[str, list[Spec]] = {}
    for one in thresholds:
        if one.instrument or one.dataset:
            raise InputError(
                f"The threshold {one.spec.value:g} of {one.metric} holds for {one.instrument or one.dataset}"
                " only; the database is of all: leave it to 'lsst-qa check --specs'."
            )
        source = one.spec.source if one.spec.source.startswith(_FILE) else f"{_FILE}{one.spec.source}"
        found.setdefault(one.metric, []).append(dataclasses.replace(one.spec, source=source))
    return found


def define_others(engine: sa.Engine, definitions: Mapping[str, Definition]) -> dict[str, Definition]:
    """Write definitions of other packages.

    Parameters
    ----------
    engine : `sqlalchemy.Engine`
        A metrics database.
    definitions : `~collections.abc.Mapping` [`str`, `Definition`]
        By name of the metric. Metrics of this package are not theirs to
        define; and a definition without thresholds takes none away, as some
        files tell only what a metric is.

    Returns
    -------
    written : `dict` [`str`, `Definition`]
        What the database holds of them now.
    """
    # All metrics, which only who loads has to know.
    from ..catalogue import METRICS

    theirs = {name: found for name, found in definitions.items() if name not in METRICS}
    if not theirs:
        return {}
    held = specifications(engine)
    whole = {name: found._replace(specs=found.specs or held.get(name, ())) for name, found in theirs.items()}
    synchronize(engine, whole)
    return whole


def metric_ids(connection: sa.Connection, units: Mapping[str, str | None]) -> dict[str, int]:
    """Return the numbers of the metrics, after adding those that are new.

    Parameters
    ----------
    connection : `sqlalchemy.Connection`
        Connection in a transaction of `lsst.qa.store.database.writing`.
    units : `~collections.abc.Mapping` [`str`, `str` or `None`]
        Units of metrics by name. One that no catalogue here defines, as of
        another version of the package, is kept with what is known: these.

    Returns
    -------
    ids : `dict` [`str`, `int`]
        Numbers of all metrics by name.
    """
    metric = tables().metric
    choosing = sa.select(metric.c.name, metric.c.metric_id)
    ids = {name: number for name, number in connection.execute(choosing)}
    if unknown := sorted(set(units) - set(ids)):
        rows = [{"name": name, "unit": units[name]} for name in unknown]
        connection.execute(insert(connection, metric).on_conflict_do_nothing(), rows)
        ids = {name: number for name, number in connection.execute(choosing)}
    return ids


def _definition(declared: Metric | Definition) -> dict[str, Any]:
    return {
        "name": declared.name,
        "table_name": declared.table,
        "unit": declared.unit,
        "description": declared.doc,
        "formula": declared.formula,
        "reference": declared.reference,
    }


def _threshold(spec: Spec) -> dict[str, Any]:
    return {
        "level": spec.level,
        "bands": spec.bands,
        "op": spec.op,
        "value": spec.value,
        "source": spec.source,
    }


def _sorted(specs: tuple[Spec, ...]) -> tuple[Spec, ...]:
    return tuple(sorted(specs, key=lambda s: (LEVELS.index(s.level), s.bands, s.op)))
