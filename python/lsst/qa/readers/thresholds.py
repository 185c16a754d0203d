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

"""Reading files of thresholds: this package's own, and those of a package of
metrics of lsst.verify as they are.
"""

from __future__ import annotations

__all__ = ["Threshold", "overridden_for", "read_thresholds"]

import fnmatch
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import yaml

from ..catalogue import METRICS
from ..columns import BANDS
from ..errors import InputError, NotATableError, closest
from ..spec import LEVELS, Spec, overridden
from .definitions import Definition, with_thresholds
from .package import read_specifications

if TYPE_CHECKING:
    from pydantic import BaseModel

_EXAMPLE = "specs: [{metric: PA1, level: design, value: 6, bands: gri, source: who says so}]"


_WITH_LEVEL = re.compile(rf"(\w+?)_({'|'.join(LEVELS)})(?:_([{BANDS}]+))?")
_OTHER_NAMES = {
    "skyObjectMean_ap09Flux": "coadd_sky_flux_mean",
    "skyObjectStd_ap09Flux": "coadd_sky_flux_stdev",
    "stellar_locus_width_wPerp": "wPerp",
    "stellar_locus_width_xPerp": "xPerp",
}
"""Metrics that go by another name there."""


class Threshold(NamedTuple):
    """A threshold that a file sets.

    Attributes
    ----------
    metric : `str`
        Name of the metric.
    spec : `~lsst.qa.spec.Spec`
        Level, value, operator, bands and source.
    instrument : `str`
        The instrument that it holds for; "" for all.
    dataset : `str`
        Pattern of the names of runs that it holds for, with * and ?; "" for
        all.
    """

    metric: str
    spec: Spec
    instrument: str = ""
    dataset: str = ""


def read_thresholds(files: Iterable[str | Path]) -> list[Threshold]:
    """Read files of thresholds.

    Parameters
    ----------
    files : `~collections.abc.Iterable` [`str` or `~pathlib.Path`]
        YAML, either with ``specs``, a list of objects with ``metric``,
        ``level``, ``value`` and, where wanted, ``op``, ``bands``, ``unit``,
        ``instrument``, ``dataset`` and ``source``; or specifications of
        lsst.verify, with all that they inherit, of which those are taken
        whose metric is known here by the same name.

    Returns
    -------
    thresholds : `list` [`Threshold`]
        In order of the files, values in the metrics' units.

    Raises
    ------
    InputError
        Raised if a file cannot be understood, with all its faults.
    """
    found: list[Threshold] = []
    for file in map(Path, files):
        documents = _documents(file)
        own = len(documents) == 1 and isinstance(documents[0], dict) and "specs" in documents[0]
        found += _own(file, documents[0]) if own else _of_verify(file)
    return found


def overridden_for(
    specs: Mapping[str, Sequence[Spec]], thresholds: Iterable[Threshold], instruments: Sequence[str], run: str
) -> dict[str, tuple[Spec, ...]]:
    """Put the thresholds of files that hold for a run in the place of others.

    Parameters
    ----------
    specs : `~collections.abc.Mapping` [`str`, `~collections.abc.Sequence`]
        Thresholds by metric.
    thresholds : `~collections.abc.Iterable` [`Threshold`]
        Those of files.
    instruments : `~collections.abc.Sequence` [`str`]
        Instruments of the run; one's thresholds hold if it is the only one.
    run : `str`
        Name of the run.

    Returns
    -------
    specs : `dict` [`str`, `tuple` [`~lsst.qa.spec.Spec`, ...]]
        By metric. Those for a dataset count more than those for an
        instrument, and these more than those for all.
    """
    holding = [
        one
        for one in thresholds
        if (not one.instrument or list(instruments) == [one.instrument])
        and (not one.dataset or fnmatch.fnmatchcase(run, one.dataset))
    ]
    found = {metric: tuple(held) for metric, held in specs.items()}
    for one in sorted(holding, key=lambda one: (bool(one.dataset), bool(one.instrument))):
        found[one.metric] = overridden(found.get(one.metric, ()), [one.spec])
    return found


def _documents(file: Path) -> list[Any]:
    try:
        return list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise InputError(f"{file}: it cannot be read: {' '.join(str(error).split())}") from error


def _models() -> type[BaseModel]:
    """Declare what a file of this package may say."""
    from pydantic import BaseModel, ConfigDict, Field  # only where such a file is read

    strict = ConfigDict(extra="forbid", strict=True)

    class Entry(BaseModel):
        model_config = strict
        metric: str
        level: Literal["minimum", "design", "stretch"]
        value: float = Field(allow_inf_nan=False)
        op: Literal["<=", ">="] | None = None
        bands: str = Field("", pattern=rf"^[{BANDS}]*$")
        unit: str | None = None
        instrument: str = ""
        dataset: str = ""
        source: str = ""

    class File(BaseModel):
        model_config = strict
        specs: list[Entry]

    return File


def _own(file: Path, document: Any) -> list[Threshold]:
    """Understand a file of this package."""
    from pydantic import ValidationError

    try:
        entries: list[Any] = _models().model_validate(document).specs  # type: ignore[attr-defined]
    except ValidationError as error:
        faults = [
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].lower()}, found {fault['input']!r}"
            if fault["type"] != "missing"
            else f"{'.'.join(map(str, fault['loc']))} is missing"
            for fault in error.errors()
        ]
        raise InputError(f"{file}: {'; '.join(faults)}. A good file: {_EXAMPLE}") from error
    found, faults = [], []
    for place, entry in enumerate(entries):
        metric = METRICS.get(entry.metric)
        if metric is None:
            faults.append(
                f"specs.{place}: there is no metric {entry.metric!r}{closest(entry.metric, METRICS)}"
            )
            continue
        value = _converted(entry.value, entry.unit, metric.unit)
        if value is None:
            faults.append(f"specs.{place}: {entry.unit!r} does not convert to {metric.unit!r}")
            continue
        ops = {spec.op for spec in metric.specs if spec.level == entry.level}
        op = entry.op or (ops.pop() if len(ops) == 1 else "<=" if not ops else None)
        if op is None:
            faults.append(f"specs.{place}: {entry.metric} has limits on both sides, so op must be given")
            continue
        spec = Spec(entry.level, value, op, entry.bands, entry.source or file.name)
        found.append(Threshold(entry.metric, spec, entry.instrument, entry.dataset))
    if faults:
        raise InputError(f"{file}: {'; '.join(faults)}.")
    return found


def _converted(value: float, unit: str | None, wanted: str) -> float | None:
    """Express a value in another unit, `None` where that cannot be."""
    if unit is None or unit == wanted:
        return value
    from astropy import units

    try:
        factor = units.Unit(unit).to(units.Unit(wanted))
    except (ValueError, TypeError):
        return None
    converted = float(f"{value * factor:.12g}")
    return converted if math.isfinite(converted) else None


def _of_verify(file: Path) -> list[Threshold]:
    """Take the specifications of lsst.verify for metrics that are known."""
    package = file.parent.name or "verify"
    try:
        said = read_specifications(file, package)
    except NotATableError as error:
        raise InputError(f"{error}. Nor has it 'specs', as in: {_EXAMPLE}") from error
    if not said:
        raise InputError(f"{file}: there is no threshold in it. A good file: {_EXAMPLE}")
    said = [_in_our_words(one) for one in said]
    named = {one["metric"]: METRICS.get(one["metric"].rpartition(".")[2]) for one in said}
    definitions = {
        full: Definition(full, metric.unit, "", "") for full, metric in named.items() if metric is not None
    }
    found = [
        Threshold(full.rpartition(".")[2], Spec(spec.level, spec.value, spec.op, spec.bands, file.name))
        for full, definition in with_thresholds(definitions, said).items()
        for spec in definition.specs
    ]
    if not found:
        raise InputError(
            f"{file}: none of its thresholds, of {', '.join(sorted(named))}, is of a metric that is known and"
            f" of one of the levels {', '.join(LEVELS)}."
        )
    return found


def _in_our_words(said: Mapping[str, Any]) -> dict[str, Any]:
    """Take the level and the bands out of a metric's name, where they are
    part of it.
    """
    package, _, short = said["metric"].rpartition(".")
    found = _WITH_LEVEL.fullmatch(short)
    if not found:
        return {**said, "metric": f"{package}.{_OTHER_NAMES.get(short, short)}"}
    metric, level, bands = found.groups()
    words = [said["name"].rpartition(".")[2], level, *([bands] if bands else [])]
    return {**said, "metric": f"{package}.{metric}", "name": f"{package}.{metric}.{'_'.join(words)}"}
