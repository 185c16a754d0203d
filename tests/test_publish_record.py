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

"""Records: keys, topics, times, fields and faults."""

from __future__ import annotations

import datetime
import io
import json
import math
import re
import unittest
import uuid

import fastavro
from hypothesis import given, settings
from hypothesis import strategies as st
from support_publish import dataset, records_for, row

from lsst.qa.catalogue import METRICS
from lsst.qa.publish.checking import faults
from lsst.qa.publish.fields import FIELDS, INFLUX_TAGS, avro_schema
from lsst.qa.publish.record import Naming, records_of, time_offset, topic_name

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
WHOLE = st.none() | st.integers(-(2**63), 2**63 - 1)
REAL = st.none() | st.floats()


class KeyTestCase(unittest.TestCase):
    """The identifier of a measurement."""

    def test_it_never_changes(self) -> None:
        (record,) = records_for(dataset(1, [row("PA1", 12.5, visit=7, detector=3)]))
        said = '["PA1","r","Cam",null,null,7,null,3,null,null,null,null,null]'
        self.assertEqual(record.key, str(uuid.uuid5(uuid.UUID(record.value["id"]), said)))

    def test_it_tells_rows_apart(self) -> None:
        rows = [row("PA1", 1.0), row("PA2", 1.0), row("PA1", 1.0, band="i"), row("PA1", 1.0, band=None)]
        rows += [row("PA1", 1.0, detector=0), row("PA1", 1.0, tract=0), row("PA1", 1.0, patch=0)]
        rows += [row("PA1", 1.0, bin_low=0.0), row("PA1", 1.0, bin_low=0.0, bin_high=1.0)]
        found = records_for(dataset(1, rows))
        self.assertEqual(len({record.key for record in found}), len(rows))
        self.assertEqual(faults(found), {})

    def test_it_does_not_depend_on_the_value(self) -> None:
        keys = {records_for(dataset(1, [row("PA1", value)]))[0].key for value in (1.0, math.nan, None)}
        self.assertEqual(len(keys), 1)


class TopicTestCase(unittest.TestCase):
    """The topic of a metric."""

    def test_names(self) -> None:
        for metric, expected in (
            ("PA1", "lsst.dm.qa.PA1"),
            ("PA1.faro", "lsst.dm.qa.PA1.faro"),
            ("validate_drp.AM1", "lsst.dm.qa.validate_drp.AM1"),
            ("µ", "lsst.dm.qa._u00b5_"),
            ("_u00b5_", "lsst.dm.qa._u005f_u00b5_"),
        ):
            self.assertEqual(topic_name(metric, Naming()), expected)
        self.assertEqual(topic_name("PA1", Naming("lsst.debug", "")), "lsst.debug.PA1")

    @given(st.lists(st.text(st.sampled_from("_u0b5f~µ a."), max_size=14), unique=True, max_size=20))
    @settings(deadline=None)
    def test_every_metric_has_its_own(self, names: list[str]) -> None:
        topics = [topic_name(name, Naming()) for name in names]
        self.assertEqual(len(set(topics)), len(names))
        self.assertTrue(all(re.fullmatch(r"[A-Za-z0-9._-]+", topic) for topic in topics))


class TimeTestCase(unittest.TestCase):
    """The time that points are told apart by."""

    def test_rule(self) -> None:
        run = 1795323600_000000  # 2026-11-22T05:00
        ordinal = datetime.date(2026, 11, 21).toordinal() % 100
        (tract,) = records_for(dataset(1, [row("PA1", 1.0, tract=3)]))
        self.assertEqual(tract.value["timestamp"], run)
        one = dataset(1, [row("PA1", 1.0, visit=2026112100042, day_obs=20261121)])
        (visit,) = records_of(one.origin, one.rows, Naming())
        self.assertEqual(visit.value["timestamp"], run + ordinal * 10_000 + 42)
        (visit,) = records_of(one.origin, one.rows, Naming(), lambda instrument, visit: 77)
        self.assertEqual(visit.value["timestamp"], run + ordinal * 10_000 + 77)
        self.assertEqual(visit.value["run_timestamp"], run)

    def test_visits_of_nights_differ(self) -> None:
        days = (20261130, 20261201, 20261202)
        found = {time_offset(day, number) for day in days for number in range(1, 1001)}
        self.assertEqual(len(found), 3000)
        self.assertLess(max(found), 1_000_000)
        self.assertEqual(time_offset(None, 5), time_offset(99999999, 5))

    def test_bins_differ(self) -> None:
        rows = [row("PA1", 1.0, bin_low=x, bin_high=x + 1) for x in (2.0, 0.0, 1.0)]
        found = sorted(records_for(dataset(1, rows)), key=lambda record: record.value["bin_low"])
        first = found[0].value["timestamp"]
        self.assertEqual([r.value["timestamp"] - first for r in found], [0, 1_000_000, 2_000_000])

    def test_no_time_is_a_fault(self) -> None:
        one = dataset(1, [row("PA1", 1.0)])
        found = records_of(one.origin._replace(run_time=None), one.rows, Naming())
        self.assertIn("timestamp is null", faults(found)[0])


class FieldsTestCase(unittest.TestCase):
    """What records say."""

    def test_undefined_is_null_and_says_why(self) -> None:
        for value, message in ((math.nan, "nan"), (-math.inf, "-inf"), (None, "null")):
            (record,) = records_for(dataset(1, [row("PA1", value, error=math.inf)]))
            self.assertIsNone(record.value["value"])
            self.assertIsNone(record.value["error"])
            self.assertEqual(record.value["status"], "undefined")
            self.assertEqual(record.value["message"], f"the value is {message}")
        (record,) = records_for(dataset(1, [row("PA1", None, status="empty", message="no star")]))
        self.assertEqual((record.value["status"], record.value["message"]), ("empty", "no star"))

    def test_conventions(self) -> None:
        one = dataset(1, [row("PA1", 1.0, visit=7, day_obs=20261121)])
        (record,) = records_of(one.origin, one.rows, Naming(dataset_tag="RC2", tags="a,b"))
        said = record.value
        self.assertEqual(list(sorted(said)), sorted(field.name for field in FIELDS))
        self.assertEqual((said["visit"], said["detector"], said["day_obs"]), ("7", "", "20261121"))
        self.assertEqual((said["dataset_tag"], said["tags"]), ("RC2", "a,b"))
        self.assertEqual((said["reference_package"], said["reference_package_version"]), ("lsst-qa", "0.1"))
        self.assertEqual(said["id"], one.origin.uuid)

    def test_tags_are_fields(self) -> None:
        self.assertLessEqual(set(INFLUX_TAGS), {field.name for field in FIELDS})
        for name in ("visit", "exposure", "run", "dataset_type"):
            self.assertNotIn(name, INFLUX_TAGS)


class FaultsTestCase(unittest.TestCase):
    """What must not be sent."""

    def test_all_at_once(self) -> None:
        (record,) = records_for(dataset(1, [row("PA1", 1.0)]))
        value = {**record.value, "n": 2**63, "value": math.nan, "band": None, "visit": 7, "status": "fine"}
        value |= {"extra": 1, "timestamp": 1.5, "run": "", "message": "\ud800", "error": 1, "day_obs": True}
        del value["tract"]
        (said,) = faults([record._replace(value=value, topic="a b")]).values()
        for part in (
            "topic 'a b' is not",
            "no tract",
            "undeclared extra",
            "n is no 64-bit integer",
            "value is no finite number",
            "band is null",
            "visit is no text",
            "status 'fine' is none of",
            "timestamp is no 64-bit integer",
            "run is empty",
            "message has a character",
            "error is no finite number",
            "day_obs is no text",
        ):
            self.assertIn(part, said)

    def test_twins(self) -> None:
        found = records_for(dataset(1, [row("PA1", 1.0), row("PA1", 2.0), row("PA2", 1.0)]))
        self.assertEqual(sorted(faults(found)), [0, 1])

    def test_long_topic(self) -> None:
        found = records_for(dataset(1, [row("x" * 250, 1.0)]))
        self.assertIn("topic", faults(found)[0])


class SchemaTestCase(unittest.TestCase):
    """Declared schemas."""

    def test_units_and_descriptions(self) -> None:
        for metric in sorted(METRICS):
            schema = avro_schema(topic_name(metric, Naming()), metric)
            fastavro.parse_schema(schema)
            fields = {field["name"]: field for field in schema["fields"]}
            self.assertEqual(fields["value"]["units"], METRICS[metric].unit)
            self.assertEqual(fields["value"]["type"], ["null", "double"])
            self.assertTrue(all(field["description"] and "default" in field for field in fields.values()))

    def test_it_grows_at_the_end_only(self) -> None:
        """Names and types of version 1, in their order."""
        said = " ".join(f"{field.name}:{field.kind}" for field in FIELDS)
        first = (
            "record_id:string id:string run:string dataset_type:string task:string timestamp:long "
            "run_timestamp:long obs_timestamp:long? metric:string value:double? error:double? n:long? "
            "unit:string status:string message:string bin_low:double? bin_high:double? "
            "reference_package:string reference_package_version:string reference_package_timestamp:string "
            "dataset_tag:string tags:string instrument:string physical_filter:string band:string "
            "day_obs:string visit:string exposure:string group:string detector:string skymap:string "
            "tract:string patch:string"
        )
        self.assertTrue(said.startswith(first))

    @given(TEXT.filter(bool), REAL, REAL, WHOLE, WHOLE, TEXT, TEXT)
    @settings(deadline=None, max_examples=60)
    def test_any_row_survives_avro_and_json(self, metric, value, error, n, visit, unit, skymap) -> None:
        """A record has faults, or arrives as it is."""
        rows = [row(metric, value, error=error, n=n, visit=visit, unit=unit, skymap=skymap)]
        (record,) = found = records_for(dataset(1, rows))
        if faults(found):
            self.assertGreater(len(record.topic), 249)
            return
        schema = fastavro.parse_schema(avro_schema(record.topic, metric))
        stream = io.BytesIO()
        fastavro.schemaless_writer(stream, schema, record.value)
        stream.seek(0)
        self.assertEqual(fastavro.schemaless_reader(stream, schema, None), record.value)
        self.assertEqual(json.loads(json.dumps(record.value, allow_nan=False)), record.value)
        if value is not None and math.isfinite(value):
            self.assertEqual(record.value["value"], value)
        else:
            self.assertIsNone(record.value["value"])
        self.assertEqual(record.value["visit"], "" if visit is None else str(visit))


if __name__ == "__main__":
    unittest.main()
