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

"""The fields of a measurement on the wire, declared once, with their units."""

from __future__ import annotations

__all__ = ["FIELDS", "INFLUX_TAGS", "Field", "avro_schema"]

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from ..catalogue import METRICS
from ..readers.definitions import Definition

INFLUX_TAGS = (
    "dataset_tag",
    "band",
    "instrument",
    "skymap",
    "detector",
    "physical_filter",
    "tract",
    "patch",
)
"""Fields that the connectors of Sasquatch make tags of. Two points of a topic
with the same tags and time overwrite each other."""


class Field(NamedTuple):
    """A field of a record.

    Attributes
    ----------
    name : `str`
        Its name.
    kind : `str`
        string, long or double; with a question mark where it may be null.
    units : `str`
        Its unit; "" if it has none, "*" if that of the metric.
    description : `str`
        What it says.
    """

    name: str
    kind: str
    units: str
    description: str


FIELDS = (
    Field("record_id", "string", "", "Identifier of the measurement, the same however often it is sent."),
    Field("id", "string", "", "Identifier of the Butler dataset that holds the measurement."),
    Field("run", "string", "", "RUN collection of the dataset."),
    Field("dataset_type", "string", "", "Dataset type."),
    Field("task", "string", "", "Label of the task that measured."),
    Field("timestamp", "long", "us", "Run time plus microseconds that tell visits apart."),
    Field("run_timestamp", "long", "us", "Start of the run, UTC, since 1970."),
    Field("obs_timestamp", "long?", "us", "Middle of the observation, UTC, since 1970."),
    Field("metric", "string", "", "Name of the metric."),
    Field("value", "double?", "*", "The value; null where it is undefined, the status says why."),
    Field("error", "double?", "*", "One-sigma error of the value."),
    Field("n", "long?", "", "Size of the sample that the value rests on."),
    Field("unit", "string", "", "Unit of value, error and bin limits."),
    Field("status", "string", "", "ok, empty, undefined or failed."),
    Field("message", "string", "", "Why there is no value."),
    Field("bin_low", "double?", "*", "Lower limit of the bin, for a binned metric."),
    Field("bin_high", "double?", "*", "Upper limit of the bin, for a binned metric."),
    Field("reference_package", "string", "", "Package whose version stands for the software."),
    Field("reference_package_version", "string", "", "Its version."),
    Field("reference_package_timestamp", "string", "", "When that version was made, if known."),
    Field("dataset_tag", "string", "", "Name that the publisher gives to the data."),
    Field("tags", "string", "", "Further names that the publisher gives, comma-separated."),
    Field("instrument", "string", "", "Instrument."),
    Field("physical_filter", "string", "", "Physical filter."),
    Field("band", "string", "", "Band."),
    Field("day_obs", "string", "", "Day of observation as YYYYMMDD."),
    Field("visit", "string", "", "Visit."),
    Field("exposure", "string", "", "Exposure."),
    Field("group", "string", "", "Group of exposures."),
    Field("detector", "string", "", "Detector; empty for a value of the whole visit or tract."),
    Field("skymap", "string", "", "Sky map that tract and patch belong to."),
    Field("tract", "string", "", "Tract."),
    Field("patch", "string", "", "Patch."),
)
"""The fields of every topic. Fields are only ever added, at the end and with a
default; none is renamed, removed or given another type."""

NO_DEFINITIONS: Mapping[str, Definition] = MappingProxyType({})

_DEFAULTS: dict[str, Any] = {"string": "", "long": 0, "double": 0.0}


def avro_schema(
    topic: str, metric: str, definitions: Mapping[str, Definition] = NO_DEFINITIONS
) -> dict[str, Any]:
    """Declare the Avro schema of a topic.

    Parameters
    ----------
    topic : `str`
        Name of the topic.
    metric : `str`
        The metric that it takes.
    definitions : `~collections.abc.Mapping` [`str`, `Definition`], optional
        Metrics of other packages by name.

    Returns
    -------
    schema : `dict`
        The same for all records of the topic, whatever is in them; each
        field has its units and description.
    """
    declared = METRICS.get(metric) or definitions.get(metric)
    namespace, _, name = topic.rpartition(".")
    return {
        "type": "record",
        "name": re.sub(r"\W|^(?=\d)", "_", name, flags=re.ASCII),
        "namespace": re.sub(r"[^A-Za-z0-9_.]", "_", namespace),
        "doc": (declared.doc if declared else "") or metric,
        "fields": [_avro_field(field, declared.unit if declared else "see unit") for field in FIELDS],
    }


def _avro_field(field: Field, unit: str) -> dict[str, Any]:
    kind = field.kind.rstrip("?")
    optional = field.kind.endswith("?")
    return {
        "name": field.name,
        "type": ["null", kind] if optional else kind,
        "default": None if optional else _DEFAULTS[kind],
        "units": unit if field.units == "*" else field.units,
        "description": field.description,
    }
