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

"""Reading single measurements of lsst.verify, without that package."""

from __future__ import annotations

__all__ = ["read_metric_value"]

from typing import Any

import pyarrow as pa
import yaml

from lsst.resources import ResourcePath

from ..errors import NotATableError
from ._rows import Context, made_of, parse_yaml, row

_TAGS = ("Measurement", "Blob", "Datum")


class _Loader(yaml.SafeLoader):
    """Knows plain YAML and three tags, which become dictionaries."""


def _mapping(loader: _Loader, node: yaml.Node) -> dict[Any, Any]:
    if not isinstance(node, yaml.MappingNode):
        raise yaml.constructor.ConstructorError(None, None, f"{node.tag} is no mapping", node.start_mark)
    return loader.construct_mapping(node, deep=True)


for _tag in _TAGS:
    _Loader.add_constructor(f"lsst.verify.{_tag}", _mapping)


def read_metric_value(uri: ResourcePath, context: Context) -> pa.Table:
    """Read a measurement.

    Parameters
    ----------
    uri : `lsst.resources.ResourcePath`
        Its YAML file.
    context : `Context`
        What is known of the dataset.

    Returns
    -------
    rows : `pyarrow.Table`
        One row of results.

    Raises
    ------
    NotATableError
        Raised if the file is no measurement. Nothing in it is executed.
    """
    found = parse_yaml(uri.read(), _Loader)
    if not isinstance(found, dict) or not isinstance(found.get("metric"), str):
        raise NotATableError("it is no measurement: there is no metric in it")
    task = context.dataset_type
    return made_of([row(found["metric"], found.get("value"), found.get("unit"), context.data_id)], task=task)
