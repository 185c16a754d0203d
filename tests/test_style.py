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

"""Rules of the house that no linter knows."""

from __future__ import annotations

import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = Path(__file__).read_text().split('\n\n"""')[0]


class StyleTestCase(unittest.TestCase):
    """Every file says whose it is, and what it is."""

    def test_headers(self) -> None:
        files = [
            p
            for folder in ("python/lsst/qa", "tests", "benchmarks")
            for p in (ROOT / folder).rglob("*.py")
            if ".data" not in p.parts
        ]
        self.assertGreater(len(files), 10)
        bare = [str(p.relative_to(ROOT)) for p in sorted(files) if "resources" not in p.parts]
        bare = [name for name in bare if not (ROOT / name).read_text().startswith(HEADER)]
        self.assertEqual(bare, [])

    def test_namespace(self) -> None:
        """Packages of the namespace replace each other's copy of this file."""
        text = (ROOT / "python/lsst/__init__.py").read_text()
        code = [line for line in text.splitlines() if line and not line.startswith("#")]
        self.assertEqual(code, ["import pkgutil", "__path__ = pkgutil.extend_path(__path__, __name__)"])


if __name__ == "__main__":
    unittest.main()
