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

"""The metrics database: its schema, opening and making it."""

from __future__ import annotations

import datetime
import socket
import sqlite3
import tempfile
import threading
import unittest
from pathlib import Path

import sqlalchemy as sa
from felis.datamodel import Schema
from felis.metadata import MetaDataBuilder
from sqlalchemy.dialects import postgresql, sqlite
from support_postgres import new_database
from support_store import OnPostgres, OnSqlite

from lsst.qa.errors import DatabaseError
from lsst.qa.results import SCHEMA
from lsst.qa.store.database import SCHEMA_FILE, Tables, connect, exists, insert, shown_url, tables, writing
from lsst.qa.store.described import described


class SchemaTestCase(unittest.TestCase):
    """The Felis schema."""

    def test_felis(self) -> None:
        checks = (
            "check_description",
            "check_tap_table_indexes",
            "check_tap_principal",
            "check_redundant_datatypes",
        )
        with SCHEMA_FILE.open() as stream:
            schema = Schema.from_stream(stream, context={"id_generation": True} | dict.fromkeys(checks, True))
        self.assertEqual(tuple(table.name for table in schema.tables), Tables._fields)
        bare = [column.id for table in schema.tables for column in table.columns if not column.ivoa_ucd]
        self.assertEqual(bare, [])

    def test_as_felis_makes_them(self) -> None:
        with SCHEMA_FILE.open() as stream:
            schema = Schema.from_stream(stream, context={"id_generation": True})
        ours, theirs = described(SCHEMA_FILE), MetaDataBuilder(schema).build()
        for dialect in (sqlite.dialect(), postgresql.dialect()):
            self.assertEqual(_statements(ours, dialect), _statements(theirs, dialect))
        for name, table in theirs.tables.items():
            held = ours.tables[name]
            comments = [one.comment for one in (table, *table.columns, *table.constraints)]
            self.assertEqual({one.comment for one in (held, *held.columns, *held.constraints)}, set(comments))
            for column in table.columns:
                mine = held.c[column.name]
                self.assertEqual(mine.autoincrement, column.autoincrement)
                self.assertEqual(mine.type.python_type, column.type.python_type)

    def test_measurements_hold_every_field(self) -> None:
        missing = set(SCHEMA.names) - {"metric"} - {column.name for column in tables().measurement.columns}
        self.assertEqual(missing, set())


def _statements(metadata: sa.MetaData, dialect: sa.Dialect) -> list[str]:
    """Write what would make the tables."""
    made: list[sa.schema.CreateTable | sa.schema.CreateIndex] = []
    for table in metadata.tables.values():
        made.append(sa.schema.CreateTable(table))
        made += map(sa.schema.CreateIndex, sorted(table.indexes, key=lambda index: str(index.name)))
    return [str(one.compile(dialect=dialect)) for one in made]


class DatabaseTests:
    """What holds on either kind of database."""

    def test_names_and_times(self) -> None:
        moment = datetime.datetime(2026, 11, 22, 5, 0, 0, 123456)
        run = {"uuid": "u", "name": 'u/someone\'s "run"/1', "loaded_at": moment}
        with writing(self.engine) as connection:
            connection.execute(sa.insert(tables().run), run)
        with self.engine.connect() as connection:
            found = connection.execute(sa.select(tables().run)).mappings().one()
        self.assertEqual((found["name"], found["loaded_at"], found["started"]), (run["name"], moment, None))

    def test_rolled_back(self) -> None:
        with self.assertRaises(ZeroDivisionError), writing(self.engine) as connection:
            connection.execute(sa.insert(tables().metric), {"name": "PA1"})
            _ = 1 / 0
        with self.engine.connect() as connection:
            self.assertEqual(connection.execute(sa.select(tables().metric)).all(), [])

    def test_foreign_keys(self) -> None:
        orphan = {"uuid": "d", "run_id": 77, "dataset_type": "qa_x_metrics", "n_rows": 0, "n_failed": 0}
        with self.assertRaises(sa.exc.IntegrityError), writing(self.engine) as connection:
            connection.execute(sa.insert(tables().dataset), orphan)

    def test_conflicts(self) -> None:
        for _ in range(2):
            with writing(self.engine) as connection:
                adding = insert(connection, tables().metric).on_conflict_do_nothing()
                connection.execute(adding, [{"name": "PA1"}, {"name": "PA2"}])
        with self.engine.connect() as connection:
            self.assertEqual(len(connection.execute(sa.select(tables().metric)).all()), 2)

    def test_existing_tables_are_kept(self) -> None:
        with writing(self.engine) as connection:
            connection.execute(sa.insert(tables().metric), {"name": "PA1"})
        again = connect(self.url, create=True)
        self.addCleanup(again.dispose)
        with again.connect() as connection:
            self.assertEqual(connection.execute(sa.select(tables().metric.c.name)).scalars().all(), ["PA1"])

    def test_missing_column(self) -> None:
        table = self.engine.dialect.identifier_preparer.format_table(tables().run_package)
        if self.engine.dialect.name == "sqlite":
            table = "run_package"
        with writing(self.engine) as connection:
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP COLUMN version")
        with self.assertRaisesRegex(DatabaseError, "no column version in table run_package"):
            connect(self.url)

    def test_two_make_it_at_once(self) -> None:
        url = self.empty_url()
        failures: list[BaseException] = []

        start = threading.Barrier(4)

        def make() -> None:
            start.wait()
            try:
                connect(url, create=True).dispose()
            except (DatabaseError, sa.exc.SQLAlchemyError) as error:
                failures.append(error)

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        connect(url).dispose()

    def test_no_tables(self) -> None:
        url = self.empty_url()
        self.assertFalse(exists(url))
        self.assertTrue(exists(self.url))
        with self.assertRaisesRegex(DatabaseError, "lsst-qa load"):
            connect(url)


class SqliteTestCase(DatabaseTests, OnSqlite, unittest.TestCase):
    """A database in a file."""

    def empty_url(self) -> str:
        return str(Path(self.engine.url.database).with_name("other.sqlite3"))

    def test_readers_beside_a_writer(self) -> None:
        with self.engine.connect() as connection:
            self.assertEqual(connection.exec_driver_sql("PRAGMA journal_mode").scalar(), "wal")
        with writing(self.engine) as writer:
            writer.execute(sa.insert(tables().metric), {"name": "PA1"})
            with self.engine.connect() as reader:
                self.assertEqual(reader.execute(sa.select(tables().metric)).all(), [])

    def test_no_file(self) -> None:
        path = self.empty_url()
        with self.assertRaisesRegex(DatabaseError, "There is no metrics database .*other.sqlite3"):
            connect(path)
        self.assertFalse(Path(path).exists())

    def test_no_folder(self) -> None:
        with self.assertRaisesRegex(DatabaseError, "does not answer: unable to open database file"):
            connect("sqlite:////no/such/folder/qa.sqlite3", create=True)

    def test_other_files(self) -> None:
        path = Path(self.empty_url())
        path.write_text("metric,value\n" * 100)
        for create in (False, True):
            with self.assertRaisesRegex(DatabaseError, "file is not a database"):
                connect(str(path), create=create)

    def test_other_database(self) -> None:
        path = self.empty_url()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE stars (name TEXT)")
        connection.close()
        with self.assertRaisesRegex(DatabaseError, "no table run; .*it holds tables stars"):
            connect(path)

    def test_error_while_working(self) -> None:
        with self.engine.connect() as connection, self.assertRaisesRegex(DatabaseError, "no such table"):
            connection.exec_driver_sql("SELECT * FROM strangers")


class PostgresTestCase(DatabaseTests, OnPostgres, unittest.TestCase):
    """A database on a server."""

    def empty_url(self) -> str:
        return new_database()

    def test_other_tables_are_left_alone(self) -> None:
        with writing(self.engine) as connection:
            connection.exec_driver_sql("CREATE TABLE public.metric (name TEXT)")
        connect(self.url, create=True).dispose()
        with self.engine.connect() as connection:
            self.assertEqual(connection.exec_driver_sql("SELECT * FROM public.metric").all(), [])

    def test_no_database(self) -> None:
        with self.assertRaisesRegex(DatabaseError, 'database "elsewhere" does not exist'):
            connect(str(sa.make_url(self.url).set(database="elsewhere")))

    def test_server_stops(self) -> None:
        with self.engine.connect() as victim, self.engine.connect() as killer:
            number = victim.exec_driver_sql("SELECT pg_backend_pid()").scalar()
            killer.exec_driver_sql(f"SELECT pg_terminate_backend({number}, 5000)")
            with self.assertRaisesRegex(DatabaseError, "does not answer"):
                victim.exec_driver_sql("SELECT 1")

    def test_server_was_restarted(self) -> None:
        """Connections that died while nobody used them are replaced."""
        with self.engine.connect() as connection:
            number = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar()
        other = connect(self.url)
        self.addCleanup(other.dispose)
        with other.connect() as killer:
            killer.exec_driver_sql(f"SELECT pg_terminate_backend({number}, 5000)")
        with self.engine.connect() as connection:
            self.assertNotEqual(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar(), number)


class UrlTestCase(unittest.TestCase):
    """URLs that are none, and servers that are not there."""

    def test_not_urls(self) -> None:
        for url in ("", "mysql://host/qa", "nonsense://", "postgresql://host:port/qa", "://"):
            with self.subTest(url=url), self.assertRaisesRegex(DatabaseError, "sqlite:///FILE"):
                connect(url)

    def test_refused(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = f"postgresql://me:secret@127.0.0.1:{taken.getsockname()[1]}/qa"
            with self.assertRaisesRegex(DatabaseError, "does not answer: .*refused") as caught:
                connect(url)
        self.assertNotIn("secret", str(caught.exception))

    def test_silent(self) -> None:
        """A server that takes a call and never speaks is given up."""
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            url = f"postgresql://me@127.0.0.1:{silent.getsockname()[1]}/qa?connect_timeout=1"
            with self.assertRaisesRegex(DatabaseError, "does not answer: .*timeout expired"):
                connect(url)

    def test_shown(self) -> None:
        self.assertEqual(shown_url("qa.sqlite3"), "sqlite:///qa.sqlite3")
        self.assertEqual(shown_url("postgresql://me:secret@host/qa"), "postgresql+psycopg2://me:***@host/qa")

    def test_relative_path(self) -> None:
        with tempfile.TemporaryDirectory(dir=".") as folder:
            name = Path(folder).name
            connect(f"{name}/qa.db", create=True).dispose()
            connect(f"sqlite:///{name}/qa.db").dispose()


if __name__ == "__main__":
    unittest.main()
