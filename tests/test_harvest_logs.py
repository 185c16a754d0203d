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

"""Logs of quanta in all their forms, and what is kept of them."""

from __future__ import annotations

import datetime
import io
import json
import logging
import unittest
from typing import Any

from lsst.daf.butler.logging import ButlerLogRecord, ButlerLogRecords, JsonLogFormatter
from lsst.qa.errors import InputError
from lsst.qa.harvest.keeper import Keeper, Kept
from lsst.qa.harvest.logs import LogEnd, read_log
from lsst.qa.harvest.policy import Policy

EXTRA: dict[str, Any] = {
    "exception": {"type_name": "a.Error", "message": "no", "metadata": {}},
    "metadata": {"scalars": {}, "arrays": {}, "metadata": {}},
    "previous_process_quanta": ["01a2025c-0962-78a1-80e2-f1c75acac292"],
}


def log_record(message: str, level: int = logging.INFO) -> logging.LogRecord:
    """Make a record as the middleware gets it."""
    return logging.LogRecord("lsst.a", level, "/b/c.py", 7, message, (), None)


def stored(*messages: str) -> list[ButlerLogRecord]:
    return [ButlerLogRecord.from_record(log_record(message)) for message in messages]


def read(text: str, policy: Policy | None = None) -> tuple[LogEnd, list[Kept], Keeper]:
    """Read a log."""
    chosen = policy or Policy()
    keeper = Keeper(chosen)
    data = text.encode()
    end = read_log(io.BytesIO(data), len(data), keeper, chosen)
    return end, keeper.records(end.attempts), keeper


class FormsTestCase(unittest.TestCase):
    """What the middleware writes."""

    def test_an_object(self) -> None:
        text = ButlerLogRecords(stored("one", "two"), extra=dict(EXTRA)).to_json_data()
        end, records, _ = read(text)
        self.assertEqual(end, LogEnd(1, EXTRA["metadata"], ("a.Error", "no"), 1))
        self.assertEqual([r.message for r in records], ["one", "two"])
        self.assertEqual((records[0].logger, records[0].place, records[0].level), ("lsst.a", "c.py:7", 20))
        assert records[0].time is not None
        age = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) - records[0].time
        self.assertLess(abs(age.total_seconds()), 60.0)

    def test_an_array(self) -> None:
        """As it was written before there was anything beside the records."""
        text = json.dumps([record.model_dump(mode="json") for record in stored("one", "two")])
        end, records, _ = read(text)
        self.assertEqual(end, LogEnd(1, None, None, None))
        self.assertEqual(len(records), 2)

    def test_lines(self) -> None:
        lines = [JsonLogFormatter().format(log_record(message)) for message in ("one", "two")]
        self.assertEqual([r.message for r in read("\n".join(lines))[1]], ["one", "two"])
        stream = io.StringIO("\n".join([*lines, ""]))
        stream.seek(0, 2)
        ButlerLogRecords.write_streaming_extra(stream, json.dumps(EXTRA))
        end, records, _ = read(stream.getvalue())
        self.assertEqual((end.exception, end.n_before, len(records)), (("a.Error", "no"), 1, 2))

    def test_lines_with_only_an_end(self) -> None:
        end, records, _ = read(f"{ButlerLogRecords.STREAMING_EXTRA_DELIMITER}\n{{}}")
        self.assertEqual((end, records), (LogEnd(1, None, None, 0), []))

    def test_nothing(self) -> None:
        for text in ("", "\n"):
            self.assertEqual(read(text)[:2], (LogEnd(1, None, None, None), []))

    def test_attempts(self) -> None:
        """Numbered from the first, in whichever form they come."""
        earlier = [
            {"logs": [r.model_dump(mode="json") for r in stored(name)]} for name in ("first", "second")
        ]
        extra = {**EXTRA, "previous_attempts": earlier}
        lines = JsonLogFormatter().format(log_record("third"))
        delimiter = ButlerLogRecords.STREAMING_EXTRA_DELIMITER
        for text in (
            ButlerLogRecords(stored("third"), extra=extra).to_json_data(),
            f"{lines}\n{delimiter}\n{json.dumps(extra)}",
        ):
            end, records, _ = read(text)
            self.assertEqual(end.attempts, 3)
            self.assertEqual(
                [(r.attempt, r.message) for r in records], [(1, "first"), (2, "second"), (3, "third")]
            )

    def test_a_broken_line(self) -> None:
        """The others are kept, it is counted, and somebody is told."""
        good = JsonLogFormatter().format(log_record("good"))
        keeper = Keeper(Policy())
        data = f"{good}\n{good[:30]}\n{good}\n".encode()
        with self.assertRaisesRegex(InputError, "1 of its lines are not JSON"):
            read_log(io.BytesIO(data), len(data), keeper, Policy())
        self.assertEqual((len(keeper.records()), keeper.n_records, keeper.n_over), (2, 3, 1))

    def test_no_log(self) -> None:
        for text, message in (
            ("[1", "not JSON"),
            ('{"extended": true}', "expected records"),
            ('{"extended": true, "records": 3}', "expected records"),
            ("plain text", "1 of its lines"),
        ):
            with self.subTest(text), self.assertRaisesRegex(InputError, message):
                read(text)

    def test_too_large(self) -> None:
        text = ButlerLogRecords(stored("one"), extra=dict(EXTRA)).to_json_data()
        with self.assertRaisesRegex(InputError, "must be read at once"):
            read(text, Policy(most_bytes=100))


class KeeperTestCase(unittest.TestCase):
    """Bounds, and what they cut."""

    def kept(self, levels: list[int], **bounds: Any) -> tuple[list[int], Keeper]:
        keeper = Keeper(Policy(**bounds))
        for number, level in enumerate(levels):
            keeper.add({"levelno": level, "message": "x" * number, "exc_info": "y" * number})
        return [record.record_number for record in keeper.records()], keeper

    def test_levels(self) -> None:
        numbers, keeper = self.kept([10, 20, 30, 15, 40], level="INFO")
        self.assertEqual((numbers, keeper.n_records, keeper.n_below, keeper.n_over), ([1, 2, 4], 5, 2, 0))

    def test_too_many(self) -> None:
        """The most severe stay, then the latest, however many come."""
        levels = [30, 20, 40, *[20] * 50, 30, 20]
        for most, expected in ((1, [2]), (2, [2, 53]), (3, [0, 2, 53]), (5, [0, 2, 52, 53, 54])):
            numbers, keeper = self.kept(levels, most_records=most)
            self.assertEqual(numbers, expected)
            self.assertEqual(keeper.n_over + len(numbers), len(levels))

    def test_long_texts(self) -> None:
        keeper = Keeper(Policy(message=3, exception=2))
        keeper.add({"levelno": 20, "message": "abc", "exc_info": "de"})
        keeper.add({"levelno": 20, "message": "abcd", "exc_info": None})
        keeper.add({"levelno": 20, "message": "a", "exc_info": "def"})
        first, second, third = keeper.records()
        self.assertEqual((first.message, first.exception), ("abc", "de"))
        self.assertEqual((second.message, second.exception), ("abc", None))
        self.assertEqual((third.message, third.exception), ("a", "ef"))
        self.assertEqual(keeper.n_shortened, 2)
        self.assertEqual((keeper.shortened("xyz"), keeper.n_shortened), ("xy", 3))

    def test_what_is_no_record(self) -> None:
        keeper = Keeper(Policy())
        for record in (None, 3, {}, {"levelno": "INFO", "message": "m"}, {"levelno": 20}):
            keeper.add(record)
        self.assertEqual((keeper.records(), keeper.n_records, keeper.n_over), ([], 5, 5))

    def test_times(self) -> None:
        keeper = Keeper(Policy(level="ERROR"))
        for time in ("2026-01-01T02:00:00+02:00", "no time", None, "2026-01-01T00:00:09Z"):
            keeper.add({"levelno": 20, "message": "m", "asctime": time})
        self.assertEqual(keeper.first, datetime.datetime(2026, 1, 1))
        self.assertEqual(keeper.last, datetime.datetime(2026, 1, 1, 0, 0, 9))

    def test_bounds(self) -> None:
        with self.assertRaisesRegex(InputError, "message is 300000, which is more than 200000"):
            Policy(message=300_000)


if __name__ == "__main__":
    unittest.main()
