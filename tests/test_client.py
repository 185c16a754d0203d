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

"""The client, against a dashboard that is served."""

from __future__ import annotations

import datetime
import math
import socket
import subprocess
import sys
import tempfile
import threading
import unittest
import unittest.mock
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import uvicorn
from astropy import units
from support_dashboard import RUNS, fill, row
from test_dashboard_access import READ, TOKENS, WRITE

import lsst.qa
from lsst.qa.client.asking import Asking
from lsst.qa.dashboard.app import create_app
from lsst.qa.dashboard.settings import Settings
from lsst.qa.errors import AccessError, InputError, NotThereError, ServerError
from lsst.qa.store.database import connect


class ClientTestCase(unittest.TestCase):
    """Tables from a dashboard."""

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        engine = connect(str(Path(folder.name) / "qa.sqlite3"), create=True)
        cls.addClassCleanup(engine.dispose)
        for number, run in enumerate(RUNS):
            visits = [
                row("seeing", "r", math.nan if k == 5 else 0.7, unit="arcsec", visit=k) for k in range(25)
            ]
            fill(engine, run, [row("PA1", "r", 4.0 + number, 0.25), *visits])
        listener = socket.create_server(("127.0.0.1", 0))
        cls.addClassCleanup(listener.close)
        app = create_app(engine, Settings(tokens=TOKENS))
        cls.server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=cls.server.run, kwargs={"sockets": [listener]})
        thread.start()
        cls.addClassCleanup(thread.join)
        cls.addClassCleanup(setattr, cls.server, "should_exit", True)
        cls.url = f"http://localhost:{listener.getsockname()[1]}"

    def client(self, token: str | None = None) -> lsst.qa.Client:
        client = lsst.qa.Client(self.url, token)
        self.addCleanup(client.close)
        return client

    def test_runs(self) -> None:
        runs = self.client().runs()
        self.assertEqual(list(runs["name"]), RUNS[::-1])
        self.assertEqual(runs["started"][0], np.datetime64("2026-01-07T04:00:00"))
        self.assertEqual(runs["instruments"][0], ["HSC"])
        self.assertEqual(list(self.client().runs(1)["name"]), RUNS[-1:])
        self.assertEqual(self.client().packages(RUNS[0]), {"numpy": "2.4.6"})

    def test_measurements(self) -> None:
        found = self.client().measurements(RUNS[0], "seeing")
        self.assertEqual((len(found), found["value"].unit), (25, units.arcsec))
        self.assertEqual(list(np.flatnonzero(found["value"].mask)), [5])
        self.assertEqual((found["status"][5], found["visit"].dtype.kind), ("undefined", "i"))
        both = self.client().measurements(RUNS[0])
        self.assertEqual((len(both), both["value"].unit), (26, None))

    def test_pages_are_put_together(self) -> None:
        with unittest.mock.patch("lsst.qa.client.asking._PAGE", 4):
            found = self.client().measurements(RUNS[0], "seeing")
            self.assertEqual(list(found["visit"]), list(range(25)))
            self.assertEqual(len(self.client().measurements(RUNS[0], limit=6)), 6)

    def test_other_tables(self) -> None:
        client = self.client()
        self.assertIn("PA1", client.metrics()["name"])
        verdicts = client.verdicts(RUNS[2], "fail")
        self.assertEqual(list(verdicts["metric"]), ["PA1"])
        self.assertEqual(list(client.series("PA1", over="runs")["mean"]), [4.0, 5.0, 6.0])
        since = datetime.datetime(2026, 1, 6, 3, tzinfo=datetime.UTC)
        self.assertEqual(len(client.series("PA1", "r", over="runs", since=since)), 2)
        changes = client.compare(RUNS[0], RUNS[2])
        (change,) = changes[changes["metric"] == "PA1"]
        self.assertEqual(change["direction"], "worse")
        self.assertIn("seeing", client.search("seeing")["name"])
        self.assertEqual(len(client.logs("nothing")), 0)
        self.assertEqual(len(client.tables(RUNS[0])), 1)
        self.assertEqual(client.tables()["n_rows"].sum(), 78)
        self.assertEqual(len(client.jobs()), 0)

    def test_writing(self) -> None:
        note = self.client(WRITE).annotate("clouds", run=RUNS[0], visit=3)
        self.assertEqual((note["author"], note["visit"]), ("writer", 3))
        self.assertEqual(list(self.client().annotations(visit=3)["text"]), ["clouds"])
        self.assertEqual(self.client(WRITE).start("demo")["state"], "queued")
        for client, message in ((self.client(), "who asks"), (self.client(READ), "change nothing")):
            with self.assertRaisesRegex(AccessError, message):
                client.annotate("clouds", run=RUNS[0])
        with self.assertRaisesRegex(AccessError, "not known"):
            self.client("x" * 20).runs()

    def test_token_of_the_environment(self) -> None:
        with unittest.mock.patch.dict("os.environ", {"LSST_QA_TOKEN": WRITE}):
            self.assertEqual(self.client().annotate("x", metric="PA1")["author"], "writer")

    def test_complaints(self) -> None:
        client = self.client()
        with self.assertRaisesRegex(NotThereError, "Did you mean 'PA1'"):
            client.measurements(metric="PA11")
        with self.assertRaisesRegex(LookupError, "no run"):
            client.verdicts("none")
        with self.assertRaisesRegex(InputError, "width"):
            client.series("PA1", width=10**6)
        with self.assertRaisesRegex(NotThereError, "no dataset"):
            client.table("00000000-0000-0000-0000-000000000000")
        with self.assertRaisesRegex(InputError, "is no address"):
            lsst.qa.Client("localhost:8765")

    def test_nobody_answers(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        with lsst.qa.Client(f"http://localhost:{port}") as client:
            with self.assertRaisesRegex(ServerError, "does not answer"):
                client.runs()

    def test_something_else_answers(self) -> None:
        class Other(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_error(404)

            def log_message(self, *args: object) -> None:
                pass

        with HTTPServer(("127.0.0.1", 0), Other) as server:
            thread = threading.Thread(target=server.handle_request)
            thread.start()
            asking = Asking(f"http://localhost:{server.server_port}", None)
            self.addCleanup(asking.close)
            with self.assertRaisesRegex(ServerError, "not as a dashboard does"):
                asking.got("runs")
            thread.join()

    def test_light(self) -> None:
        heavy = ["httpx", "pyarrow", "astropy", "numpy"]
        program = f"import sys, lsst.qa; lsst.qa.Client; print(*[m for m in {heavy} if m in sys.modules])"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout.split(), [])


if __name__ == "__main__":
    unittest.main()
