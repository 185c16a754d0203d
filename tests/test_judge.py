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

"""Verdicts, how values are written, and the report on a run."""

from __future__ import annotations

import io
import json
import math
import tempfile
import unittest

from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from support import steady
from support_store import OnSqlite, batch, row

from lsst.qa.catalogue import METRICS
from lsst.qa.cli import main
from lsst.qa.errors import CollectionError, DatabaseError, UnknownNameError
from lsst.qa.judge.report import check, plain, show
from lsst.qa.judge.rounding import format_value
from lsst.qa.judge.verdicts import judge, verdicts
from lsst.qa.spec import LEVELS, Spec, srd
from lsst.qa.store.database import connect
from lsst.qa.store.definitions import synchronize
from lsst.qa.store.insertion import write_batch
from lsst.qa.store.query import get_run, run_summary

SRD = srd(20.0, 10.0, 5.0)
DEPTH = srd(24.3, 24.7, 24.8, op=">=", bands="r")


class VerdictTestCase(unittest.TestCase):
    """A value and thresholds."""

    def test_states(self) -> None:
        for value, state, level in (
            (4.0, "pass", "stretch"),
            (10.0, "pass", "design"),
            (10.000001, "fail", "minimum"),
            (30.0, "fail", None),
            (math.nan, "unknown", None),
            (math.inf, "fail", None),
        ):
            with self.subTest(value=value):
                verdict = judge(value, 1.0, "r", SRD)
                self.assertEqual((verdict.state, verdict.level), (state, level))
                self.assertEqual((verdict.threshold, verdict.op), (10.0, "<="))

    def test_levels(self) -> None:
        self.assertEqual(
            [judge(8.0, 1.0, None, SRD, level).state for level in LEVELS], ["pass", "pass", "fail"]
        )

    def test_larger_is_better(self) -> None:
        self.assertEqual(judge(24.75, 0.01, "r", DEPTH)[:4], ("pass", "design", 24.7, ">="))
        self.assertEqual(judge(24.5, 0.1, "r", DEPTH)[:2], ("fail", "minimum"))
        self.assertAlmostEqual(judge(24.5, 0.1, "r", DEPTH).margin, -2.0)

    def test_margin(self) -> None:
        self.assertEqual(judge(8.0, 0.5, "r", SRD).margin, 4.0)
        self.assertEqual(judge(12.0, 0.5, "r", SRD).margin, -4.0)
        for value, error in ((8.0, math.nan), (8.0, 0.0), (math.nan, 1.0)):
            self.assertTrue(math.isnan(judge(value, error, "r", SRD).margin))

    def test_no_threshold(self) -> None:
        for specs, band in ((DEPTH, "g"), (DEPTH, None), ((), "r"), (SRD[:1], "r")):
            verdict = judge(1.0, 0.1, band, specs)
            self.assertEqual((verdict.state, verdict.threshold, verdict.op), ("none", None, None))
        self.assertEqual(judge(1.0, 0.1, "r", SRD[:1]).level, "minimum")

    def test_the_most_particular_counts(self) -> None:
        specs = (Spec("design", 1.0, bands="u"), Spec("design", 9.0), Spec("design", 5.0, bands="ugr"))
        found = [judge(1.0, 0.1, band, specs).threshold for band in ("u", "g", "z", None)]
        self.assertEqual(found, [1.0, 5.0, 9.0, 9.0])

    def test_between_two(self) -> None:
        """Too much is bad, and too little as well."""
        specs = (Spec("design", 25.0), Spec("design", -25.0, op=">="))
        for value, expected in (
            (24.0, ("pass", "design", 25.0, "<=")),
            (-24.0, ("pass", "design", -25.0, ">=")),
            (26.0, ("fail", None, 25.0, "<=")),
            (-26.0, ("fail", None, -25.0, ">=")),
        ):
            self.assertEqual(judge(value, 1.0, "r", specs)[:4], expected)


class RoundingTestCase(unittest.TestCase):
    """Values as they are written."""

    def test_examples(self) -> None:
        for value, error, expected in (
            (12.3412, 0.5634, "12.34 ± 0.56"),
            (10.996, 0.0996, "11.00 ± 0.10"),
            (1234567.0, 2345.0, "1234600 ± 2300"),
            (1.23456e8, 3e3, "(1.234560 ± 0.000030)e+08"),
            (-0.001, 0.5, "0.00 ± 0.50"),
            (2.0, 1e9, "(0.0 ± 1.0)e+09"),
            (12.3, math.nan, "12.30"),
            (12.3, 0.0, "12.30"),
            (12.3, math.inf, "12.30"),
            (0.0, math.nan, "0"),
            (5e-324, math.nan, "4.941e-324"),
            (math.nan, 1.0, "–"),
            (math.inf, 1.0, "–"),
        ):
            with self.subTest(value=value, error=error):
                self.assertEqual(format_value(value, error), expected)

    @steady
    @given(st.floats(-1e300, 1e300), st.floats(1e-14, 1e300), st.booleans())
    def test_close(self, value: float, error: float, relative: bool) -> None:
        """Value and error are right to a twentieth of the error."""
        error = min(error * max(abs(value), 1e-280), 1e300) if relative else max(error, 1e-14 * abs(value))
        text, _, power = format_value(value, error).lstrip("(").partition(")")
        shown, sigma = (float(part + power) for part in text.split(" ± "))
        slack = max(abs(value), error) * 1e-14
        self.assertLessEqual(abs(shown - value), 0.0501 * error + slack)
        self.assertLessEqual(abs(sigma - error), 0.0501 * error + slack)


class ReportTestCase(OnSqlite, unittest.TestCase):
    """A run and what is said of it."""

    def setUp(self) -> None:
        super().setUp()
        synchronize(self.engine, {name: METRICS[name] for name in ("AM1", "PA1", "m5", "AF1", "seeing")})
        rows = [
            row("AM1", 9.0),
            row("AM1", 12.0, band="i"),
            row("PA1", math.nan, error=math.nan, n=0, unit="mmag", status="empty", message="no [rows]"),
            row("seeing", 0.7123, error=0.01, unit="arcsec"),
        ]
        write_batch(self.engine, batch("u/me/20261122T050000Z", rows), "/repo", "c")
        write_batch(self.engine, batch("u/me/20261101T050000Z", [row("AM1", 1.0)]), "/repo", "c")

    def shown(self, everything: bool = True, **kwargs: str) -> str:
        text = io.StringIO()
        show(check(self.url, **kwargs), Console(file=text, width=200), everything)
        return text.getvalue()

    def test_table(self) -> None:
        lines = [line.rstrip() for line in self.shown().splitlines()]
        self.assertEqual(lines[0], "u/me/20261122T050000Z, 2026-11-22 05:00 UTC")
        self.assertEqual(lines[1].split(), ["metric", "band", "value", "n", "unit", "design", "verdict"])
        self.assertEqual(lines[2].split(), ["AM1", "r", "9.00", "±", "0.50", "10", "mas", "<=", "10", "pass"])
        self.assertEqual(
            lines[3].split(), ["AM1", "i", "12.00", "±", "0.50", "10", "mas", "<=", "10", "fail"]
        )
        self.assertEqual(lines[4].split(), ["PA1", "r", "empty", "0", "mmag", "<=", "5", "unknown"])
        self.assertEqual(lines[5].split(), ["seeing", "r", "0.712", "±", "0.010", "10", "arcsec"])
        self.assertEqual(lines[6], "PA1 r: 1 of 1 without value: no [rows]")
        self.assertEqual(lines[7], "design: 1 pass, 1 fail, 1 unknown, 1 without threshold")
        self.assertEqual({line.index("±") for line in lines if "±" in line}, {lines[2].index("±")})

    def test_only_what_is_judged(self) -> None:
        text = self.shown(everything=False)
        self.assertNotIn("seeing", text)
        self.assertIn("1 without threshold (--all lists them)", text)

    def test_nothing_is_judged(self) -> None:
        write_batch(self.engine, batch("u/me/20261123T050000Z", [row("seeing", 0.7)]), "/repo", "c")
        self.assertIn("seeing", self.shown(everything=False))

    def test_objects(self) -> None:
        found = json.loads(json.dumps(plain(check(self.url)), allow_nan=False))
        self.assertEqual(found["run"]["name"], "u/me/20261122T050000Z")
        self.assertEqual(found["counts"], {"pass": 1, "fail": 1, "unknown": 1, "none": 1})
        self.assertEqual([v["state"] for v in found["verdicts"]], ["pass", "fail", "unknown", "none"])
        self.assertIsNone(found["verdicts"][2]["value"])

    def test_verdicts(self) -> None:
        run = get_run(self.engine, "u/me/20261122T050000Z")
        found = verdicts(run_summary(self.engine, run.run_id), lambda name: METRICS[name].specs, "minimum")
        self.assertEqual([item.verdict.state for item in found], ["pass", "pass", "unknown", "none"])

    def test_good(self) -> None:
        self.assertFalse(check(self.url).good)
        self.assertTrue(check(self.url, level="minimum").good)
        self.assertTrue(check(self.url, "u/me/20261101T050000Z").good)
        failed = row("seeing", math.nan, status="failed", message="ZeroDivisionError")
        write_batch(self.engine, batch("u/me/20261130T050000Z", [row("AM1", 1.0), failed]), "/repo", "c")
        self.assertFalse(check(self.url).good)
        self.assertIn("seeing r: 1 of 1 without value: ZeroDivisionError", self.shown())

    def test_command(self) -> None:
        def run(*args: str) -> tuple[int, str]:
            result = CliRunner().invoke(main, ["check", "--db", self.url, *args])
            return result.exit_code, result.output

        code, text = run()
        self.assertEqual(code, 1)
        self.assertIn("fail", text)
        self.assertEqual(run("--level", "minimum")[0], 0)
        code, text = run("--json", "--run", "u/me/20261101T050000Z")
        self.assertEqual((code, json.loads(text)["counts"]["pass"]), (0, 1))
        for args in (("--run", "nothing"), ("--level", "best"), ("--db", "no/such.db")):
            self.assertEqual(run(*args)[0], 2)

    def test_misuse(self) -> None:
        with self.assertRaisesRegex(UnknownNameError, "Did you mean 'u/me/20261122T050000Z'"):
            check(self.url, "u/me/20261122T050001Z")
        with self.assertRaisesRegex(UnknownNameError, "no level 'desing'"):
            check(self.url, level="desing")

    def test_nothing_loaded(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaises(DatabaseError):
                check(f"{folder}/qa.db")
            connect(f"{folder}/qa.db", create=True).dispose()
            with self.assertRaisesRegex(CollectionError, "lsst-qa load"):
                check(f"{folder}/qa.db")


if __name__ == "__main__":
    unittest.main()
