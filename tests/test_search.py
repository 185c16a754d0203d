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

"""Searches of logs, quanta, metrics, runs and data IDs on both databases."""

from __future__ import annotations

import unittest
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from support_search import quantum
from support_store import OnPostgres, OnSqlite

from lsst.qa.errors import InputError
from lsst.qa.harvest.writing import run_number, write_quanta
from lsst.qa.store.database import tables
from lsst.qa.store.fulltext import MOST_WORDS, Words, words_of
from lsst.qa.store.lookup import search_data_ids, search_metrics, search_runs
from lsst.qa.store.quanta import (
    get_quantum,
    log_of_quantum,
    quanta,
)
from lsst.qa.store.search import log_facets, quantum_facets, search_logs, search_quanta

RUN = "u/me/20260102T030405Z"

QUANTA = [
    quantum(
        "calibrateImage",
        1,
        [(20, "took 0.50 s for psf_flux"), (30, "100%: it's o'er\\\\the top"), (20, "psf")],
    ),
    quantum(
        "calibrateImage",
        2,
        [(20, "flux of PSF"), (40, "Ångström naïve 20260102T030405Z")],
        status="failed",
        exception_type="lsst.meas.PsfError",
        exception_message="too few stars: 3",
    ),
    quantum("isr", 1, [(20, "psf flux, psf warp")]),
    quantum("isr", 3, [], status="failed", exception_type="ValueError", exception_message="no stars"),
]


class WordsTestCase(unittest.TestCase):
    """What is made of what users type."""

    def test_words(self) -> None:
        for text, wanted, unwanted in (
            ("psf flux", [("psf",), ("flux",)], []),
            ('"psf flux" -warp', [("psf", "flux")], [("warp",)]),
            ('-"a b" c*', [("c*",)], [("a", "b")]),
            ("lsst.pipe_base:x", [("lsst", "pipe", "base", "x")], []),
            ('"open phrase', [("open", "phrase")], []),
            ('"a b"*', [("a", "b*")], []),
            ('- -- * "" \' ;', [], []),
            ("ÅNGSTRÖM", [("ångström",)], []),
            ("AND NOT", [("and",), ("not",)], []),
        ):
            with self.subTest(text):
                self.assertEqual(words_of(text), Words(tuple(wanted), tuple(unwanted)))

    def test_too_many(self) -> None:
        words_of("a " * MOST_WORDS)
        with self.assertRaisesRegex(
            InputError, f"at most {MOST_WORDS} words and phrases, found {MOST_WORDS + 1}"
        ):
            words_of("a " * (MOST_WORDS + 1))


class SearchTests:
    """What holds on either database."""

    engine: sa.Engine
    assertEqual: Any
    assertRaisesRegex: Any
    assertTrue: Any
    subTest: Any

    def setUp(self) -> None:
        super().setUp()  # type: ignore[misc]
        write_quanta(self.engine, run_number(self.engine, RUN, "/repo", "u/me"), QUANTA)

    def found(self, text: str, **options: Any) -> set[str]:
        return {hit.record.message for hit in search_logs(self.engine, text, **options)}

    def test_logs(self) -> None:
        first, second, third = (record.message for record in QUANTA[0].records)
        other, german = (record.message for record in QUANTA[1].records)
        both = QUANTA[2].records[0].message
        for text, expected in (
            ("psf", {first, third, other, both}),
            ("psf flux", {first, other, both}),
            ('"psf flux"', {first, both}),
            ("psf_flux", {first, both}),
            ("PSF -flux", {third}),
            ("psf -warp -took", {third, other}),
            ("-psf", {second, german}),
            ("0.50", {first}),
            ("ångström", {german}),
            ("na*", {german}),
            ("aïve", set()),
            ("o'er", {second}),
            ("100%", {second}),
            ("20260102t030405z", {german}),
            ("calibrateImage", {first, second, third, other, german}),
            ("nothing", set()),
        ):
            with self.subTest(text):
                self.assertEqual(self.found(text), expected)

    def test_all(self) -> None:
        self.assertEqual(len(search_logs(self.engine)), 6)
        self.assertEqual(search_logs(self.engine, limit=0), [])

    def test_choices(self) -> None:
        self.assertEqual(len(search_logs(self.engine, "psf", task="isr")), 1)
        self.assertEqual(len(search_logs(self.engine, "psf", visit=1)), 3)
        self.assertEqual(len(search_logs(self.engine, status="failed")), 2)
        self.assertEqual(len(search_logs(self.engine, level=30)), 2)
        self.assertEqual(len(search_logs(self.engine, level=40)), 1)
        self.assertEqual(len(search_logs(self.engine, "psf", level=30)), 0)
        self.assertEqual(search_logs(self.engine, day_obs=20300101), [])
        with self.assertRaisesRegex(InputError, "not chosen by taskk, but by run_id, task"):
            search_logs(self.engine, taskk="isr")

    def test_values_that_cannot_be(self) -> None:
        for name, value in (("visit", 2**63), ("visit", "1"), ("task", "a\0b"), ("task", 3)):
            with self.subTest(name, value=value), self.assertRaisesRegex(InputError, f"{name} is a"):
                search_logs(self.engine, **{name: value})
            with self.subTest(name, value=value), self.assertRaisesRegex(InputError, f"{name} is a"):
                quanta(self.engine, **{name: value})

    def test_pages(self) -> None:
        whole = [hit.record.record_id for hit in search_logs(self.engine, "psf")]
        self.assertEqual(whole, sorted(whole, reverse=True))
        pages: list[int] = []
        after = None
        while page := search_logs(self.engine, "psf", limit=3, after=after):
            pages += [hit.record.record_id for hit in page]
            after = page[-1].record.record_id
        self.assertEqual(pages, whole)

    def test_facets(self) -> None:
        facets = log_facets(self.engine, "psf")
        self.assertEqual((facets.total, facets.complete), (4, True))
        self.assertEqual(dict(facets.counts["task"]), {"calibrateImage": 3, "isr": 1})
        self.assertEqual(dict(facets.counts["level"]), {20: 4})
        self.assertEqual(dict(facets.counts["day_obs"]), {20260102: 3, 20260101: 1})
        chosen = log_facets(self.engine, "psf", task="isr")
        self.assertEqual(chosen.total, 1)
        self.assertEqual(dict(chosen.counts["task"]), {"calibrateImage": 3, "isr": 1})
        self.assertEqual(dict(chosen.counts["day_obs"]), {20260102: 1})
        few = log_facets(self.engine, most=2)
        self.assertEqual((few.total, few.complete), (2, False))
        self.assertEqual(dict(log_facets(self.engine, level=40).counts["level"]), {20: 4, 30: 1, 40: 1})

    def test_quanta(self) -> None:
        for text, options, expected in (
            ("stars", {}, [3, 2]),
            ('"too few"', {}, [2]),
            ("psferror", {}, [2]),
            ("isr -stars", {}, [1]),
            ('"visit 3"', {}, [3]),
            ("", {"raised": True}, [3, 2]),
            ("", {"raised": True, "task": "isr"}, [3]),
            ("", {"exception_type": "ValueError"}, [3]),
        ):
            with self.subTest(text, **options):
                found = search_quanta(self.engine, text, **options)
                self.assertEqual({q.visit for q in found}, set(expected))
        facets = quantum_facets(self.engine, raised=True)
        self.assertEqual(dict(facets.counts["exception_type"]), {"lsst.meas.PsfError": 1, "ValueError": 1})

    def test_log_of_a_quantum(self) -> None:
        (one,) = quanta(self.engine, task="calibrateImage", visit=1)
        self.assertEqual(get_quantum(self.engine, one.quantum_id), one)
        self.assertEqual(get_quantum(self.engine, 10**9), None)
        records = log_of_quantum(self.engine, one.quantum_id)
        self.assertEqual([record.record_number for record in records], [0, 1, 2])
        self.assertEqual(log_of_quantum(self.engine, one.quantum_id, limit=2), records[:2])
        self.assertEqual(log_of_quantum(self.engine, one.quantum_id, after=records[0]), records[1:])
        self.assertEqual(log_of_quantum(self.engine, one.quantum_id, level=30), [records[1]])

    def test_questions_about_quanta(self) -> None:
        self.assertEqual(len(quanta(self.engine, status="failed")), 2)
        first = quanta(self.engine, limit=1)
        self.assertEqual(len(quanta(self.engine, after=first[0].quantum_id)), 3)
        with self.assertRaisesRegex(InputError, "A quantum is succeeded, failed"):
            quanta(self.engine, status="broken")
        with self.assertRaisesRegex(InputError, "Not of a data ID: vist"):
            quanta(self.engine, vist=3)

    def test_a_run_that_is_deleted(self) -> None:
        """Takes its quanta, its logs and their words with it."""
        with self.engine.begin() as connection:
            connection.execute(sa.delete(tables().run))
            if self.engine.dialect.name == "sqlite":
                for name in ("log_record", "quantum"):
                    check = f"INSERT INTO {name}_text({name}_text, rank) VALUES ('integrity-check', 1)"
                    connection.exec_driver_sql(check)
        self.assertEqual((search_logs(self.engine), search_quanta(self.engine)), ([], []))

    def test_runs(self) -> None:
        self.assertEqual([run.name for run in search_runs(self.engine, "me 2026")], [RUN])
        self.assertEqual([run.name for run in search_runs(self.engine, "u/me/20260102T030405Z")], [RUN])
        self.assertEqual(search_runs(self.engine, "me -2026"), [])
        self.assertEqual(search_runs(self.engine, "100%"), [])

    def test_data_ids(self) -> None:
        (hit,) = search_data_ids(self.engine, "3")
        self.assertEqual(
            (hit.data_id, hit.n_quanta), ({"instrument": "Cam", "day_obs": 20260102, "visit": 3}, 1)
        )
        for text, visits in (
            ("visit=1", [1]),
            ("Visit: 2 cam", [2]),
            ("1 2", [2, 1]),
            ("20260102", [3, 1]),
            ("instrument='Cam', visit=1", [1]),
            ("1 othercam", []),
            ("99999999999999999999999", []),
            ("cam", []),
            ("tract=1", []),
        ):
            with self.subTest(text):
                self.assertEqual([h.data_id["visit"] for h in search_data_ids(self.engine, text)], visits)

    def test_any_text(self) -> None:
        """Nothing that is typed is an error of the database."""

        @settings(max_examples=40, deadline=None)
        @given(text=st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
        def search(text: str) -> None:
            for function in (search_logs, search_quanta, search_data_ids, search_runs, search_metrics):
                function(self.engine, text)

        search()

    def test_texts_of_languages(self) -> None:
        for text in (
            '"',
            '" OR 1=1',
            "NEAR(a, b)",
            "a AND",
            "col:psf",
            "^psf",
            "{a b}",
            "a + b",
            "a & b | !c",
            "<->",
            "psf:*",
            "'; DROP TABLE run",
            "%_",
            "\\\\",
            "(((",
            '-"',
            "\0 psf",
        ):
            with self.subTest(text):
                search_logs(self.engine, text)
                search_quanta(self.engine, text)
                search_runs(self.engine, text)
                search_metrics(self.engine, text)


class OnSqliteTestCase(SearchTests, OnSqlite, unittest.TestCase):
    pass


class OnPostgresTestCase(SearchTests, OnPostgres, unittest.TestCase):
    pass


if __name__ == "__main__":
    unittest.main()
