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

"""``lsst-qa metrics``: the catalogue."""

from __future__ import annotations

__all__ = ["metrics_command"]

import json
from typing import Any

import click


@click.command("metrics")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print objects instead of text.")
def metrics_command(name: str | None, as_json: bool) -> None:
    """List the metrics, or explain the one of that NAME."""
    from ..catalogue import METRICS, described, find

    if name is not None:
        facts = described(find(name))
        click.echo(json.dumps(facts, indent=1) if as_json else _explained(facts))
    elif as_json:
        click.echo(json.dumps([described(metric) for metric in METRICS.values()], indent=1))
    else:
        width = max(map(len, METRICS))
        for metric in METRICS.values():
            click.echo(f"{metric.name:<{width}}  {metric.unit or '-':<7} {metric.table:<14} {metric.doc}")


def _explained(facts: dict[str, Any]) -> str:
    specs = [
        f"{spec['level']} {spec['op']} {spec['value']:g} {facts['unit']}"
        f"{' in ' * bool(spec['bands'])}{spec['bands']} ({spec['source']})"
        for spec in facts["specs"]
    ]
    lines = {
        "formula": facts["formula"],
        "unit": facts["unit"] or "dimensionless",
        "table": facts["table"],
        "columns": ", ".join(facts["columns"]),
        "constants": ", ".join(f"{key}={value}" for key, value in facts["constants"].items()) or "none",
        "thresholds": "\n              ".join(specs) or "none",
        "reference": facts["reference"],
        "memory": f"{facts['bytes_per_row']} bytes per selected row, besides its columns",
        "defined in": facts["defined_in"],
    }
    return "\n".join(
        [f"{facts['name']}: {facts['doc']}", *(f"  {key + ':':<12}{text}" for key, text in lines.items())]
    )
