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

"""The page of all metrics, made of their declarations when the documentation
is built.
"""

from __future__ import annotations

__all__ = ["metrics_page", "write_metrics_page"]

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lsst.qa.catalogue import METRICS
from lsst.qa.columns import TABLES
from lsst.qa.metric import Metric
from lsst.qa.spec import Spec

PAGE = Path(__file__).resolve().parent / "lsst.qa/metrics.rst"


def write_metrics_page(*_: Any) -> None:
    """Write the page, unless it is there already, word for word."""
    text = metrics_page()
    if not PAGE.exists() or PAGE.read_text() != text:
        PAGE.write_text(text)


def metrics_page() -> str:
    """Return the page.

    Returns
    -------
    text : `str`
        reStructuredText: a section for each kind of table, in it each
        metric with its unit, formula, source and thresholds.
    """
    lines = [
        "Metrics",
        "=======",
        "",
        f"All {len(METRICS)} metrics of the catalogue, by the kind of table that they are measured on. A",
        "name with a suffix is a variant: another constant or formula of what the plain name measures. The",
        "same is told by ``lsst-qa metrics``; how true their errors are, by :doc:`coverage`.",
        "",
    ]
    for kind, table in TABLES.items():
        members = [metric for metric in METRICS.values() if metric.table == kind]
        if members:
            title = f"{kind} ({len(members)})"
            lines += [title, "-" * len(title), "", _plain(table.doc), ""]
            for metric in members:
                lines += [*_entry(metric), ""]
    return "\n".join(lines)


def _entry(metric: Metric) -> Iterator[str]:
    """Yield the lines of a metric."""
    yield f"``{metric.name}``{f' [{_plain(metric.unit)}]' if metric.unit else ''}"
    yield f"    {_plain(metric.doc)}"
    yield ""
    if metric.formula:
        yield f"    | Formula: ``{' '.join(metric.formula.split())}``"
    yield f"    | Source: {_plain(metric.reference)}"
    if metric.specs:
        yield f"    | Thresholds: {', '.join(map(_threshold, metric.specs))}"


def _threshold(spec: Spec) -> str:
    where = f" in {spec.bands}" if spec.bands else ""
    return f"{spec.level} {spec.op} {spec.value:g}{where} ({_plain(spec.source)})"


def _plain(text: str) -> str:
    """Take its meaning from what would be markup."""
    return re.sub(r"([*`|_\\])", r"\\\1", " ".join(text.split()))
