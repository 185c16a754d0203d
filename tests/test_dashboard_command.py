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

from __future__ import annotations

import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path

from click.testing import CliRunner

from lsst.qa.cli import main
from lsst.qa.store.database import connect


class DashboardCommandTestCase(unittest.TestCase):
    """``lsst-qa dashboard``, from its start to its end."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.file = self.folder / "qa.sqlite3"

    def refused(self, *arguments: str) -> str:
        done = CliRunner().invoke(main, ["dashboard", "--port", "0", *arguments])
        self.assertEqual(done.exit_code, 2, done.output)
        return done.output

    def test_no_database(self) -> None:
        self.assertIn("There is no metrics database", self.refused("--db", str(self.file)))
        self.assertFalse(self.file.exists())

    def test_strange_database(self) -> None:
        with sqlite3.connect(self.file) as connection:
            connection.execute("CREATE TABLE run (a)")
        connection.close()
        self.assertIn("is not a metrics database", self.refused("--db", str(self.file)))
        self.assertIn("not the URL", self.refused("--db", "://"))

    def test_port_in_use(self) -> None:
        connect(str(self.file), create=True).dispose()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            message = self.refused("--db", str(self.file), "--port", port)
        self.assertIn(f"Cannot listen at 127.0.0.1 port {port}", message)

    def test_served(self) -> None:
        connect(str(self.file), create=True).dispose()
        program = "from lsst.qa.cli import main; main()"
        options = ["dashboard", "--db", str(self.file), "--port", "0", "--root-path", "/qa"]
        command = [sys.executable, "-c", program, *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
            try:
                address = server.stdout.readline().split()[-1]
                self.assertRegex(address, r"^http://127\.0\.0\.1:\d+/qa/$")
                with urllib.request.urlopen(address, timeout=30) as answer:
                    self.assertIn("No runs yet", answer.read().decode())
            finally:
                server.send_signal(signal.SIGINT)
            _, complaints = server.communicate(timeout=30)
        self.assertEqual((server.returncode, complaints), (0, ""))

    def test_light(self) -> None:
        """The command's help costs no server and no charts."""
        heavy = ["bokeh", "fastapi", "sqlalchemy", "uvicorn", "jinja2"]
        program = f"import sys, lsst.qa.cli.dashboard; print(*[m for m in {heavy} if m in sys.modules])"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout.split(), [])


if __name__ == "__main__":
    unittest.main()
