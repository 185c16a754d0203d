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

"""Measurements as other packages write them."""

from __future__ import annotations

__all__ = ["BUNDLE", "DATA", "JOB", "MEASUREMENT", "fill", "needs_data", "opened"]

import json
import tempfile
import unittest
import uuid
from pathlib import Path

from support_store import Survey

from lsst.daf.butler import DatasetRef, DatasetType, FileDataset
from lsst.resources import ResourcePath

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
"""Real data, beside a checkout where they are at hand."""

needs_data = unittest.skipUnless(DATA.is_dir(), f"there is no {DATA.name} beside the checkout")

BUNDLE = {
    "skyFlux": [
        {"metric": "i_meanSky", "identifier": "0" * 32, "value": 12.5, "unit": "nJy", "blob_refs": []},
        {"metric": "i_stdSky", "identifier": "1" * 32, "value": None, "unit": "nJy", "blob_refs": []},
        {"metric": "frac", "identifier": "2" * 32, "value": 3, "unit": "%", "blob_refs": []},
    ],
    "wPerp": [{"metric": "g_wPerp", "identifier": "3" * 32, "value": -0.0, "unit": "mmag", "blob_refs": []}],
    "__reference_package": "lsst_distrib",
    "__timestamp_version": "run_timestamp",
    "__metricNamePrefix": "",
}

MEASUREMENT = """\
!<lsst.verify.Measurement>
blobs:
- !<lsst.verify.Blob>
  identifier: abc
  name: times
  data:
    a: !<lsst.verify.Datum> {value: 1.0, unit: s, label: a, description: ''}
identifier: 8b4b
metric: pipe_tasks.ProcessCcdTime
notes: {}
unit: s
value: 0.1
"""

JOB = {
    "measurements": [
        {"metric": "validate_drp.PA1", "identifier": "ab", "value": 4.2, "unit": "mmag", "blob_refs": []},
        {"metric": "validate_drp.AM1", "identifier": "cd", "value": float("nan"), "unit": "marcsec"},
    ],
    "metrics": [{"name": "validate_drp.PA1", "description": "Repeatability.", "unit": "mmag", "tags": []}],
    "specs": [
        {
            "name": "validate_drp.PA1.design_gri",
            "type": "threshold",
            "threshold": {"value": 5000.0, "unit": "umag", "operator": "<="},
            "metadata_query": {},
            "tags": ["design"],
        }
    ],
    "meta": {"instrument": "Cam", "filter_name": "r", "packages": {"afw": {"version": "13.0"}}},
}


def opened(text: str | bytes):
    """Return a file of this text."""
    place = ResourcePath(f"mem://{uuid.uuid4()}")
    place.read = lambda size=-1: text if isinstance(text, bytes) else text.encode()  # type: ignore[method-assign]
    return place


def fill(survey: Survey, run: str) -> None:
    """Put a bundle, a measurement and a Job into a repository."""
    butler = survey.butler
    for name, dimensions, kind, data_id, form, text in (
        (
            "objectTableCore_metrics",
            ("skymap", "tract"),
            "MetricMeasurementBundle",
            {"skymap": "sky", "tract": 3},
            "json",
            json.dumps(BUNDLE),
        ),
        (
            "metricvalue_pipe_tasks_ProcessCcdTime",
            ("instrument", "visit"),
            "MetricValue",
            {"instrument": "Cam", "visit": 1},
            "yaml",
            MEASUREMENT,
        ),
        ("verify_job", (), "StructuredDataDict", {}, "yaml", json.dumps(JOB).replace("NaN", ".nan")),
    ):
        declared = DatasetType(name, dimensions, kind, universe=butler.dimensions)
        butler.registry.registerDatasetType(declared)
        data_id = butler.registry.expandDataId(data_id, dimensions=declared.dimensions)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"{name}.{form}")
            path.write_text(text)
            formatter = f"lsst.daf.butler.formatters.{form}.{form.capitalize()}Formatter"
            file = FileDataset(str(path), [DatasetRef(declared, data_id, run=run)], formatter=formatter)
            butler.collections.register(run)
            butler.ingest(file, transfer="copy")
