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

"""The join of stars' detections with the visits' source tables."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import resource
import tempfile
import unittest
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from lsst.qa.errors import InputError
from lsst.qa.tables.files import open_table
from lsst.qa.tables.joined import JoinedStars
from lsst.qa.tables.readable import InMemory, Readable, from_columns

FIRST = 1 << 62
"""Ids as a camera's packed ones are: neighbours are one float."""

LOG = logging.getLogger("lsst.qa.tests.joined")

Openers = list[Callable[[], AbstractContextManager[Readable]]]


def table(name: str = "a table", **columns: Any) -> InMemory:
    """Make a table in memory."""
    return from_columns(columns, name)


def opener(source: Readable) -> Callable[[], AbstractContextManager[Readable]]:
    """Give what opens a table that is open already."""
    return lambda: contextlib.nullcontext(source)


def visit(name: str, ids: Any, **more: Any) -> Callable[[], AbstractContextManager[Readable]]:
    """Give what opens the source table of a visit; fluxes number its rows."""
    ids = np.asarray(ids)
    return opener(table(name, sourceId=ids, psfFlux=np.arange(len(ids), dtype=float), **more))


def detections(ids: Any, places: Any) -> InMemory:
    """Make the table of stars' detections."""
    return table("presources", sourceId=np.asarray(ids), obj_index=np.asarray(places, dtype=np.int32))


def stars(*ids: int) -> InMemory:
    """Make the table of stars."""
    return table("associations", isolated_star_id=np.array(ids, dtype=np.int64))


def joined(source: JoinedStars, *names: str) -> dict[str, np.ndarray]:
    """Read the join whole."""
    pieces = list(source.pieces(["isolated_star_id", "sourceId", *names]))
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def stars_of(source: JoinedStars) -> dict[int, int]:
    """Return the star of each source that was joined."""
    found = joined(source)
    return dict(zip(found["sourceId"].tolist(), found["isolated_star_id"].tolist()))


class JoinTestCase(unittest.TestCase):
    """Sources find their stars by the integer that they share."""

    def test_columns_follow_their_source(self) -> None:
        """The visits come as they are, with what no star has left out."""
        both = [visit("one", [4, 7, 5]), visit("two", [9, 8])]
        found = joined(JoinedStars(detections([9, 4, 5], [1, 0, 1]), stars(70, 50), both, LOG), "psfFlux")
        self.assertEqual(found["sourceId"].tolist(), [4, 5, 9])
        self.assertEqual(found["isolated_star_id"].tolist(), [70, 50, 50])
        self.assertEqual(found["psfFlux"].tolist(), [0.0, 2.0, 0.0])

    def test_what_it_says_of_itself(self) -> None:
        source = JoinedStars(detections([4, 9], [0, 1]), stars(70, 50), [visit("one", [4, 9])], LOG)
        self.assertEqual(source.n_rows, 2)
        self.assertEqual(set(source.units), {"sourceId", "psfFlux", "isolated_star_id"})
        self.assertEqual(source.name, "the join of presources and 1 source tables")

    def test_ids_that_no_float_tells_apart(self) -> None:
        ids = FIRST + np.arange(600)
        self.assertEqual(len(np.unique(ids.astype(float))), 2)
        star = np.arange(600) % 300
        source = JoinedStars(detections(ids, star), stars(*range(300)), [visit("one", ids[::-1])], LOG)
        self.assertEqual(stars_of(source), dict(zip(ids.tolist(), star.tolist())))

    def test_a_neighbour_is_another_source(self) -> None:
        """An id off by one would be the same as a float, and is not here."""
        source = JoinedStars(detections([FIRST], [0]), stars(5), [visit("one", [FIRST + 1, FIRST - 1])], LOG)
        with self.assertRaisesRegex(InputError, "None of 1 detections of stars is in the 1 source tables"):
            joined(source)

    def test_unsigned_ids(self) -> None:
        """Beside signed integers, NumPy compares unsigned ones as floats."""
        ids = (FIRST + np.arange(9)).astype(np.uint64)
        for source in (
            JoinedStars(detections(ids, np.zeros(9)), stars(5), [visit("one", ids.astype(np.int64))], LOG),
            JoinedStars(detections(ids.astype(np.int64), np.zeros(9)), stars(5), [visit("one", ids)], LOG),
        ):
            self.assertEqual(sorted(stars_of(source)), ids.tolist())
        beyond = np.array([(1 << 63) + 5], dtype=np.uint64)
        with self.assertRaisesRegex(InputError, r"'sourceId' of presources .* beyond 2\^63 - 1"):
            JoinedStars(detections(beyond, [0]), stars(5), [visit("one", beyond)], LOG)

    @hypothesis.given(st.data())
    @hypothesis.settings(max_examples=40, deadline=None)
    def test_against_a_dictionary(self, data: Any) -> None:
        """Whatever the order of visits, rows and detections."""
        ids = data.draw(
            st.lists(st.integers(FIRST - 40, FIRST + 40), min_size=1, max_size=30, unique=True), "sources"
        )
        known = data.draw(st.lists(st.sampled_from(ids), min_size=1, unique=True), "detections")
        gone = data.draw(st.lists(st.integers(1, 9), max_size=3, unique=True), "detections elsewhere")
        places = data.draw(
            st.lists(st.integers(0, 3), min_size=len(known) + len(gone), max_size=len(known) + len(gone))
        )
        cut = data.draw(st.integers(0, len(ids)), "where the second visit begins")
        visits = data.draw(st.permutations([visit("one", ids[:cut]), visit("two", ids[cut:])]), "visits")
        source = JoinedStars(
            detections([*known, *gone], places), stars(40, 30, 20, 10), visits, logging.getLogger("unheard")
        )
        slow = {id_: (40, 30, 20, 10)[place] for id_, place in zip(known, places)}
        self.assertEqual(stars_of(source), slow)

    def test_text_and_flags_come_along(self) -> None:
        one = visit("one", [4, 7], band=np.array(["r", "i"]), flag=np.array([True, False]))
        (piece,) = JoinedStars(detections([7], [0]), stars(5), [one], LOG).pieces(["band", "flag"])
        self.assertEqual(len(piece["band"]), 1)
        self.assertEqual(piece["flag"].tolist(), [False])


class UnmatchedTestCase(unittest.TestCase):
    """Detections without a source are told of, once."""

    def test_a_part(self) -> None:
        source = JoinedStars(detections([1, 2, 3, 4], [0, 0, 0, 0]), stars(5), [visit("one", [1, 3, 8])], LOG)
        with self.assertLogs(LOG, "WARNING") as logs:
            self.assertEqual(stars_of(source), {1: 5, 3: 5})
        self.assertEqual(
            logs.output,
            ["WARNING:lsst.qa.tests.joined:2 of 4 detections of stars are in no source table."],
        )
        with self.assertNoLogs(LOG, "WARNING"):
            joined(source)  # a table may be read more than once

    def test_none(self) -> None:
        source = JoinedStars(detections([1], [0]), stars(5), [visit("one", [8])], LOG)
        with self.assertRaisesRegex(InputError, "None of 1 detections"):
            joined(source)

    def test_all(self) -> None:
        source = JoinedStars(
            detections([1, 8], [0, 0]), stars(5), [visit("one", [8]), visit("two", [1])], LOG
        )
        with self.assertNoLogs(LOG, "WARNING"):
            joined(source)


class EmptyTestCase(unittest.TestCase):
    """Nothing to join is a table without rows."""

    def test_no_rows(self) -> None:
        nothing: list[int] = []
        empty = visit("empty", np.array(nothing, dtype=np.int64))
        for name, source in {
            "no detection": JoinedStars(detections(nothing, nothing), stars(5), [visit("one", [1])], LOG),
            "no star": JoinedStars(detections(nothing, nothing), stars(), [visit("one", [1])], LOG),
            "no visit": JoinedStars(detections([1], [0]), stars(5), [], LOG),
            "no source": JoinedStars(detections([1], [0]), stars(5), [empty, empty], LOG),
        }.items():
            with self.subTest(name):
                self.assertEqual(source.n_rows, 0)

    def test_a_visit_without_sources(self) -> None:
        """It need not have the columns, wherever it comes."""
        bare = opener(table("bare", other=np.zeros(0)))
        for visits in ([bare, visit("one", [4])], [visit("one", [4]), bare]):
            source = JoinedStars(detections([4], [0]), stars(5), visits, LOG)
            self.assertEqual(set(source.units), {"sourceId", "psfFlux", "isolated_star_id"})
            self.assertEqual(stars_of(source), {4: 5})


class RefusedTestCase(unittest.TestCase):
    """Tables that do not fit together are refused."""

    def refused(self, message: str, *tables: Any) -> None:
        first, second, *visits = tables
        with self.assertRaisesRegex(InputError, message):
            joined(JoinedStars(first, second, visits, LOG))

    def test_a_detection_twice(self) -> None:
        one = visit("one", [FIRST, FIRST + 1])
        self.refused(
            f"presources has a sourceId twice: {FIRST + 1}",
            detections([FIRST + 1, FIRST, FIRST + 1], [0, 0, 1]),
            stars(5, 6),
            one,
        )

    def test_a_source_twice(self) -> None:
        message = "1 of 3 sources of stars have a sourceId that came before"
        known = detections([1, 2, 3], [0, 0, 0])
        self.refused(message, known, stars(5), visit("one", [1, 2]), visit("again", [2, 9]))
        self.refused(message, known, stars(5), visit("one", [1, 2, 2]))

    def test_floats(self) -> None:
        whole = visit("one", [1])
        self.refused(
            "Column 'sourceId' of presources holds float64; ids must be integers without nulls",
            detections(np.array([1.0]), [0]),
            stars(5),
            whole,
        )
        self.refused(
            "Column 'sourceId' of one holds float64",
            detections([1], [0]),
            stars(5),
            visit("one", np.array([1.0])),
        )
        floating = table("associations", isolated_star_id=np.array([5.0]))
        self.refused("'isolated_star_id' of associations", detections([1], [0]), floating, whole)
        unknown = detections(np.array([1, None], dtype=object), [0, 0])
        self.refused("holds object; ids must be integers without nulls", unknown, stars(5), whole)

    def test_nulls_in_a_file(self) -> None:
        """Arrow hands integers with a null over as floats."""
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        pq.write_table(pa.table({"sourceId": [1, None], "obj_index": [0, 0]}), folder / "p.parq")
        self.refused("p.parq holds float64", open_table(folder / "p.parq"), stars(5), visit("one", [1]))

    def test_stars_that_are_not_there(self) -> None:
        message = "obj_index runs from {} to {}, but there are 2 stars"
        one = visit("one", [1, 2])
        self.refused(message.format(0, 2), detections([1, 2], [0, 2]), stars(5, 6), one)
        self.refused(message.format(-1, 1), detections([1, 2], [1, -1]), stars(5, 6), one)

    def test_columns_that_are_not_there(self) -> None:
        one, known = visit("one", [1]), detections([1], [0])
        bare = table("presources", sourceId=np.array([1]))
        self.refused("presources has no column obj_index, only sourceId", bare, stars(5), one)
        self.refused("stars has no column isolated_star_id, only id", known, table("stars", id=[5]), one)
        nameless = opener(table("one", id=np.array([1]), psfFlux=np.array([1.0])))
        self.refused("one has no column sourceId, only id, psfFlux", known, stars(5), nameless)

    def test_visits_that_differ(self) -> None:
        source = JoinedStars(
            detections([1, 2], [0, 0]),
            stars(5),
            [visit("one", [1]), opener(table("two", sourceId=np.array([2])))],
            LOG,
        )
        with self.assertRaisesRegex(InputError, "two has no column psfFlux, only sourceId"):
            joined(source, "psfFlux")

    def test_units_that_differ(self) -> None:
        def measured(name: str, id_: int, unit: str) -> Callable[[], AbstractContextManager[Readable]]:
            columns = {"sourceId": np.array([id_]), "psfFlux": np.array([1.0])}
            return opener(InMemory(columns, {"psfFlux": unit}, name))

        visits = [measured("one", 1, "nJy"), measured("two", 2, "Jy")]
        source = JoinedStars(detections([1, 2], [0, 0]), stars(5), visits, LOG)
        self.assertEqual(source.units["psfFlux"], "nJy")
        with self.assertRaisesRegex(InputError, "two has psfFlux in 'Jy', not 'nJy' as one has"):
            joined(source, "psfFlux")
        self.assertEqual(len(joined(source)["sourceId"]), 2)


class FilesTestCase(unittest.TestCase):
    """Source tables that are files, and many of them."""

    def test_more_visits_than_open_files(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        ids = FIRST + np.arange(80)
        visits: Openers = []
        for id_ in ids.tolist():
            file = folder / f"{id_}.parq"
            pq.write_table(pa.table({"sourceId": [id_], "psfFlux": [1.0]}), file)
            visits.append(functools.partial(opened_file, file))
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        # Enough for what is open now and for half of the visits.
        resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/dev/fd")) + 40, hard))
        source = JoinedStars(detections(ids, np.zeros(80)), stars(5), visits, LOG)
        self.assertEqual(len(joined(source, "psfFlux")["psfFlux"]), 80)

    def test_one_visit_at_a_time(self) -> None:
        """Each is closed before the next one is opened."""
        open_now: list[str] = []
        most = 0

        @contextlib.contextmanager
        def opened(name: str, ids: list[int]) -> Iterator[Readable]:
            nonlocal most
            open_now.append(name)
            most = max(most, len(open_now))
            yield table(name, sourceId=np.array(ids))
            open_now.remove(name)

        visits: Openers = [functools.partial(opened, "one", [1, 2]), functools.partial(opened, "two", [3])]
        joined(JoinedStars(detections([1, 2, 3], [0, 0, 0]), stars(5), visits, LOG))
        self.assertEqual((most, open_now), (1, []))


@contextlib.contextmanager
def opened_file(file: Path) -> Iterator[Readable]:
    """Open a file as a task does."""
    yield open_table(file)


if __name__ == "__main__":
    unittest.main()
