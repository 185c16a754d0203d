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

"""Values of the peers, and ours from the same data; run as a program it writes
the table of the documentation.
"""

from __future__ import annotations

__all__ = ["Comparison", "from_catalogues", "from_jobs"]

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from support import SHARED

from lsst.qa import measure
from lsst.qa.catalogue import METRICS

PAGE = Path(__file__).resolve().parents[1] / "doc/lsst.qa/golden.csv"

EXPECTED = {
    "PA1.faro": (6.8097958, 5e-9),  # eight digits are all that their file has
    "PF1.faro": (11.11111111111111, 1e-9),
    "AM1.faro": (7.142131192256279, 1e-9),
    "AD1.faro": (15.608887687111043, 1e-9),
    "AF1.faro": (6.211180124223603, 1e-9),
}
"""What faro's own tests expect of its matched catalogue in i, and to how much
it is met.
"""

JOBS = ("Cfht_output_r.json", "CfhtQuick_output_r.json")
JOB_TOLERANCE = 1e-12
"""By how much a value that is recomputed from the arrays of a Job may differ
from the one that is stored there, relative to it: rounding.
"""

LEVELS = {"design": (10.0, 20.0, 15.0), "minimum": (20.0, 40.0, 15.0), "stretch": (5.0, 10.0, 10.0)}
"""By level the percentage of AF and the deviations of AD and PA2 that the Jobs
were made by.
"""


class Comparison(NamedTuple):
    """A value of a peer, and ours.

    Attributes
    ----------
    metric, file : `str`
        Our metric, and the file.
    stored : `str`
        What the peer calls it there.
    peer, ours : `float`
        Values.
    tolerance : `float`
        Relative difference that is allowed.
    """

    metric: str
    file: str
    stored: str
    peer: float
    ours: float
    tolerance: float

    @property
    def difference(self) -> float:
        """Relative difference; absolute of a value of 0."""
        return abs(self.ours - self.peer) / (abs(self.peer) or 1.0)


def from_catalogues() -> Iterator[Comparison]:
    """Measure the catalogues that peers' tests measure.

    Yields
    ------
    comparison : `Comparison`
        Of faro's values.
    """
    stars = "matchedCatalogTract_0_i.fits.gz"
    found = {
        row["metric"]: row["value"] for row in measure(SHARED / "faro" / stars, [*EXPECTED], kind="matched")
    }
    for name, (value, tolerance) in EXPECTED.items():
        yield Comparison(name, stars, name.removesuffix(".faro"), value, found[name], tolerance)
    source = "src_HSC_i_903986_31.fits"
    (row,) = measure(SHARED / "faro" / source, ["TE1.faro_source"], kind="source")
    # The digits that pairs counted one by one leave of single precision.
    yield Comparison("TE1.faro_source", source, "TE1", 4.407316609e-4, row["value"], 2e-7)


def from_jobs() -> Iterator[Comparison]:
    """Recompute what Jobs of validate_drp store from the arrays beside it.

    Yields
    ------
    comparison : `Comparison`
        Of each value whose arrays are there.
    """
    for name in JOBS:
        job = json.loads((SHARED / "squash" / name).read_text())
        blobs = {
            blob["name"].rpartition(".")[2]: {key: datum["value"] for key, datum in blob["data"].items()}
            for blob in job["blobs"]
        }
        stored = {m["metric"].rpartition(".")[2]: m["value"] for m in job["measurements"]}
        for metric, key, ours in (*_astrometry(blobs), *_photometry(blobs), *_shapes(blobs)):
            yield Comparison(metric, name, key, stored[key], ours, JOB_TOLERANCE)


def _value(metric: str, *arrays: Any, **constants: Any) -> float:
    return float(METRICS[metric].function(*arrays, **constants).value)


def _astrometry(blobs: dict[str, Any]) -> Iterator[tuple[str, str, float]]:
    for digit in "12":
        rms = np.array(blobs[f"AM{digit}"]["rmsDistMas"], dtype=float)
        if rms.ndim == 0:
            continue
        pairs = rms, np.arange(len(rms)), np.arange(len(rms)) + len(rms)
        yield f"AM{digit}", f"AM{digit}", _value(f"AM{digit}", *pairs)
        for level, (outliers, limit, _) in LEVELS.items():
            for kind, constant in (("AD", {"outliers": outliers}), ("AF", {"limit": limit})):
                metric = f"{kind}{digit}"
                yield (
                    f"{metric}.validate_drp",
                    f"{metric}_{level}",
                    _value(f"{metric}.validate_drp", *pairs, **constant),
                )


def _photometry(blobs: dict[str, Any]) -> Iterator[tuple[str, str, float]]:
    # The differences are stored over the root of 2.
    for name in ("PA1", *(name for name in blobs if "PhotRep" in name)):
        difference = np.sqrt(2.0) * np.array(blobs[name]["magDiff"])
        yield "PA1.validate_drp", name, _value("PA1.validate_drp", difference)
    difference = np.sqrt(2.0) * np.array(blobs["PA1"]["magDiff"])
    for level in LEVELS:
        percent, limit = blobs[f"PA2_{level}_gri"]["pf1_thresh"], blobs[f"PF1_{level}_gri"]["pa2_spec"]
        yield "PA2.validate_drp", f"PA2_{level}_gri", _value("PA2.validate_drp", difference, outliers=percent)
        yield "PF1.validate_drp", f"PF1_{level}_gri", _value("PF1.validate_drp", difference, limit=limit)


def _shapes(blobs: dict[str, Any]) -> Iterator[tuple[str, str, float]]:
    """Average the bins of the correlation functions, which is all of TE that
    is left to do.
    """
    for name in ("TE1", "TE2"):
        radius, xi = np.array(blobs[name]["radius"]), np.array(blobs[name]["xip"])
        within = radius <= 1.0 if name == "TE1" else radius >= 5.0
        yield f"{name}: mean of bins", name, float(abs(xi[within].mean()))


def main() -> None:
    """Write the table."""
    with PAGE.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("metric", "file", "there", "peer", "ours", "relative difference"))
        for one in (*from_catalogues(), *from_jobs()):
            writer.writerow(
                (
                    one.metric,
                    one.file,
                    one.stored,
                    f"{one.peer:.10g}",
                    f"{one.ours:.10g}",
                    f"{one.difference:.1e}",
                )
            )


if __name__ == "__main__":
    main()
