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

"""Running metrics: what is measured apart, what fails alone, and what a band
or a visit makes of it.
"""

from __future__ import annotations

import datetime
import math
import unittest
from collections.abc import Sequence
from typing import Any
from unittest import mock

import numpy as np
from support import Cut, same, taken
from support_seeded import in_bands, make_table

from lsst.qa import measure
from lsst.qa.catalogue import METRICS
from lsst.qa.engine import columns_of, failed, tasks_of
from lsst.qa.errors import InputError
from lsst.qa.metric import Estimate, Metric, metric
from lsst.qa.tables.measure import measure_readable


@metric("broken", table="source", unit="nJy", reference="a test")
def broken(ap09Flux: np.ndarray) -> Estimate:
    """Never a value."""
    raise ZeroDivisionError("as it must")


@metric("binned", table="source", unit="nJy", reference="a test")
def binned(ap09Flux: np.ndarray) -> list[Estimate]:
    """Two values, of two bins."""
    return [Estimate(1.0, 0.1, 5, 0.0, 10.0), Estimate(math.nan, math.nan, 0, 10.0, 20.0)]


@metric("band_of", table="source", unit="", reference="a test")
def band_of(ap09Flux: np.ndarray, band: str | None) -> Estimate:
    """Number of the band."""
    return Estimate(float("ugrizy".find(band or "-")), math.nan, len(ap09Flux))


def values(rows: Sequence[Any], name: str) -> list[Any]:
    return [row["value"] for row in rows if row["metric"] == name]


class ApartTestCase(unittest.TestCase):
    """Rows are measured apart by visit and band, and by what is asked for."""

    def test_by_visit(self) -> None:
        table = make_table("source")
        rows = measure(table, "n_sources")
        self.assertEqual(
            [(row["visit"], row["band"]) for row in rows], [(20241109_00001, "g"), (20241109_00002, "r")]
        )
        for row in rows:
            self.assertEqual(row["value"], np.count_nonzero(table["visit"] == row["visit"]))

    def test_by_detector(self) -> None:
        """Visits first, then their detectors, each as if it were alone."""
        table = make_table("source")
        rows = measure(table, ["n_sources", "e1_residual_median"], by=["detector"])
        apart = [row for row in rows if row["detector"] is not None]
        self.assertEqual(len(rows) - len(apart), 4)
        self.assertEqual(len(apart), 2 * 2 * 4)
        for row in apart:
            one = (table["visit"] == row["visit"]) & (table["detector"] == row["detector"])
            alone = measure(taken(table, one), row["metric"])
            self.assertEqual(same([{**row, "detector": None}], list(alone), 1e-12), [])

    def test_groups_have_no_detail(self) -> None:
        rows = measure(make_table("matched"), ["PA1"], by=["detector"])
        self.assertEqual([row["detector"] for row in rows], [None])

    def test_by_what_is_not_there(self) -> None:
        table = make_table("source")
        for by, fault in (("detectr", "detector"), ("ap09Flux", "detector"), ("patch", "detector")):
            with self.subTest(by=by), self.assertRaisesRegex(InputError, f"{by}.*{fault}"):
                measure(table, "n_sources", by=[by])
        bare = {name: column for name, column in table.items() if name != "detector"}
        with self.assertRaisesRegex(InputError, "'detector'"):
            measure(bare, "n_sources", by=["detector"])

    def test_data_id(self) -> None:
        (row,) = measure(make_table("matched"), "PA1", band="z", tract=9813, skymap="rings")
        self.assertEqual((row["tract"], row["skymap"]), (9813, "rings"))
        self.assertEqual(row["band"], "i", "the table knows better")
        with self.assertRaisesRegex(InputError, "tracct.*tract"):
            measure(make_table("matched"), "PA1", tracct=9813)

    def test_band_of_constants(self) -> None:
        """PF1's limit is 15 mmag, and 22.5 in u, z and y."""
        table = make_table("matched")
        del table["band"]
        table["psfFlux"] = table["psfFlux"] * (
            1.0 + 0.015 * np.random.default_rng(2).normal(size=len(table["star"]))
        )
        found = {band: values(measure(table, "PF1", band=band), "PF1")[0] for band in "rz"}
        self.assertLess(found["z"], found["r"])
        self.assertEqual(values(measure(table, "PF1"), "PF1")[0], found["r"])

    def test_bands_of_objects(self) -> None:
        rows = measure(in_bands(make_table("object"), "gr"), ["coadd_sky_flux_mean", "coadd_n_objects"])
        self.assertEqual(
            [(row["metric"], row["band"]) for row in rows],
            [("coadd_sky_flux_mean", "g"), ("coadd_sky_flux_mean", "r"), ("coadd_n_objects", None)],
        )
        self.assertNotEqual(rows[0]["value"], rows[1]["value"])

    def test_band_is_given(self) -> None:
        self.assertEqual(values(measure(make_table("source"), [band_of]), "band_of"), [1.0, 2.0])


class TimeTestCase(unittest.TestCase):
    """Rows of a visit say when it was."""

    def test_utc(self) -> None:
        """TAI is 37 s ahead of UTC in 2024."""
        rows = measure(make_table("visit_summary"), "seeing")
        self.assertEqual(
            [row["obs_time"] for row in rows],
            [datetime.datetime(2024, 11, 9, 5, 59, 23), datetime.datetime(2024, 11, 9, 6, 0, 23)],
        )

    def test_leap_second(self) -> None:
        table = {**make_table("visit_summary"), "expMidptMJD": np.full(40, 57754.0)}
        (time,) = {row["obs_time"] for row in measure(table, "seeing")}
        self.assertEqual(time, datetime.datetime(2016, 12, 31, 23, 59, 24))

    def test_no_time(self) -> None:
        for strange in (math.nan, 0.0, -1.0, 1e300, math.inf):
            table = {**make_table("visit_summary"), "expMidptMJD": np.full(40, strange)}
            rows = measure(table, "seeing")
            self.assertEqual([(row["obs_time"], row["n"]) for row in rows], [(None, 20), (None, 20)], strange)

    def test_pieces_of_a_visit_without_time(self) -> None:
        table = {**make_table("visit_summary"), "expMidptMJD": np.full(40, math.nan)}
        whole = list(measure(table, "seeing"))
        cut = measure_readable(Cut(table, [7] * 5), "seeing", data_id={})
        self.assertEqual(same(whole, list(cut), 1e-12), [])

    def test_a_detector_without_time(self) -> None:
        """It is still a detector of its visit."""
        table = make_table("visit_summary")
        table["expMidptMJD"][3] = math.nan
        self.assertEqual([row["n"] for row in measure(table, "seeing")], [20, 20])


class SharedTestCase(unittest.TestCase):
    """What several metrics make of the same rows is made once."""

    def test_made_once(self) -> None:
        calls = []

        def halves(psfFlux: np.ndarray, *, part: float = 0.5) -> np.ndarray:
            calls.append(part)
            return part * psfFlux

        def highest(half: np.ndarray, psfFlux: np.ndarray, *, scale: float = 1.0) -> Estimate:
            return Estimate(scale * float(np.nanmax(half) / np.nanmax(psfFlux)), 0.1, len(half))

        base = Metric("a", highest, "source", "", "The highest.", shared=halves)
        others = [base.variant("b", scale=3.0), base.variant("c", part=0.25)]
        self.assertEqual(base.columns, ("psfFlux",))
        rows = measure(make_table("source"), [base, *others])
        self.assertEqual([row["value"] for row in rows], [0.5, 0.5, 1.5, 1.5, 0.25, 0.25])
        self.assertEqual(sorted(calls), [0.25, 0.25, 0.5, 0.5], "once a visit")


class DetailTestCase(unittest.TestCase):
    """What only the whole can tell is not asked of its parts."""

    def test_not_in_detail(self) -> None:
        kinds = [METRICS["n_sources"], METRICS["n_primary"].variant("whole", in_detail=False)]
        rows = measure(make_table("source"), kinds, by=["detector"])
        parts = {row["metric"] for row in rows if row["detector"] is not None}
        self.assertEqual(parts, {"n_sources"})
        self.assertEqual({row["metric"] for row in rows}, {"n_sources", "whole"})


class FailureTestCase(unittest.TestCase):
    """A metric fails alone; the row and the log say why."""

    def test_others_go_on(self) -> None:
        with self.assertLogs("lsst.qa", "ERROR") as log:
            rows = measure(make_table("source"), [broken, METRICS["n_sources"]], visit=3)
        self.assertEqual([row["status"] for row in rows], ["failed", "failed", "ok", "ok"])
        self.assertEqual(rows[0]["message"], "ZeroDivisionError: as it must")
        self.assertEqual((rows[0]["n"], rows[0]["unit"], rows[0]["band"]), (0, "nJy", "g"))
        self.assertTrue(math.isnan(rows[0]["value"]) and math.isnan(rows[0]["error"]))
        self.assertIn("broken", log.output[0])

    def test_a_failing_step(self) -> None:
        """It fails the metrics that need it, and no other."""

        def wrong(stars: Any, psf_mag: np.ndarray) -> dict[str, np.ndarray]:
            raise ValueError("no step further")

        def summary(rms: np.ndarray) -> Estimate:
            return Estimate(0.0, 0.0, 1)

        lame = Metric("lame", summary, "matched", "mmag", "It fails.", steps=(wrong,))
        with self.assertLogs("lsst.qa", "ERROR"):
            rows = measure(make_table("matched"), [lame, METRICS["PA1"]])
        self.assertEqual([row["status"] for row in rows], ["failed", "ok"])
        self.assertIn("no step further", rows[0]["message"])

    def test_a_failing_selection(self) -> None:
        def wrong(psfFlux: np.ndarray) -> np.ndarray:
            raise ValueError("no choice")

        lame = broken.variant("lame", function=binned.function, rows=wrong)
        with self.assertLogs("lsst.qa", "ERROR"):
            rows = measure(make_table("source"), [lame, METRICS["n_sources"]])
        self.assertEqual(
            {row["metric"]: row["status"] for row in rows}, {"lame": "failed", "n_sources": "ok"}
        )

    def test_bins(self) -> None:
        rows = measure(make_table("source"), [binned])
        self.assertEqual(
            [(row["bin_low"], row["bin_high"], row["status"]) for row in rows],
            [(0.0, 10.0, "ok"), (10.0, 20.0, "empty")] * 2,
        )

    def test_statuses(self) -> None:
        for estimate, status in (
            (Estimate(1.0, math.nan, 1), "ok"),
            (Estimate(math.nan, math.nan, 0), "empty"),
            (Estimate(math.nan, math.nan, 7), "undefined"),
            (Estimate(math.inf, 1.0, 7), "undefined"),
        ):
            made = Metric("made", _returning(estimate), "source", "nJy", "It is given.")
            row = measure(make_table("source"), [made])[0]
            self.assertEqual(row["status"], status)
            self.assertEqual(row["message"] is None, status == "ok")
            if status != "ok":
                self.assertTrue(math.isnan(row["error"]))

    def test_row_of_what_cannot_run(self) -> None:
        (task,) = tasks_of([METRICS["PA1"]], ())
        row = failed(task, "no such column", {"tract": 3})
        self.assertEqual((row["metric"], row["status"], row["tract"], row["n"]), ("PA1", "failed", 3, 0))


class SharingTestCase(unittest.TestCase):
    """What metrics have in common is done once."""

    def test_a_step_runs_once(self) -> None:
        calls = []
        step = METRICS["PA1"].steps[0]

        def counted(
            stars: Any, psf_mag: np.ndarray, psf_snr: np.ndarray, extendedness: np.ndarray, *, ddof: int = 1
        ):
            calls.append(ddof)
            return step(stars, psf_mag, psf_snr, extendedness, ddof=ddof)

        made = [METRICS[name].variant(f"{name}_counted", steps=(counted,)) for name in ("PA1", "PF1", "PA2")]
        made.append(METRICS["PA1"].variant("PA1_0", steps=(counted,), ddof=0))
        measure(make_table("matched"), made)
        self.assertEqual(sorted(calls), [0, 1])

    def test_columns_that_are_read(self) -> None:
        """Nothing is read that no metric needs."""
        table = Cut(make_table("source"), [])
        with mock.patch.object(table, "pieces", wraps=table.pieces) as pieces:
            measure_readable(table, "sky_flux_mean", data_id={})
        read = {name for call in pieces.call_args_list for name in call.args[0]}
        self.assertEqual(
            read, {"ap09Flux", "band", "pixelFlags_edge", "pixelFlags_nodata", "sky_source", "visit"}
        )

    def test_columns_of_a_task(self) -> None:
        tasks = tasks_of([METRICS["coadd_sky_flux_mean"], METRICS["coadd_n_objects"]], ("g", "r"))
        self.assertEqual([task.band for task in tasks], ["g", "r", None])
        self.assertEqual(
            set(columns_of(tasks[1])),
            {"r_ap09Flux", "r_pixelFlags_edge", "r_pixelFlags_nodata", "sky_object"},
        )


def _returning(estimate: Estimate) -> Any:
    def function(ap09Flux: np.ndarray) -> Estimate:
        return estimate

    return function


if __name__ == "__main__":
    unittest.main()
