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

"""Every way to install the package: wheel, source archive, checkout, scons."""

from __future__ import annotations

import configparser
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile
from pathlib import Path

import lsst.qa.version

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path("python/lsst/qa")
DATA = {".css", ".html", ".j2", ".js", ".svg", ".typed", ".yaml"}

BUILD = """
import sys
from setuptools import build_meta
kind, place = sys.argv[1:]
print(getattr(build_meta, f"build_{kind}")(place))
"""

RESOLVE = """
import lsst.qa
from lsst.pipe.base import Pipeline
from lsst.resources import ResourcePath
uri = ResourcePath("$QA_DIR/pipelines/qa.yaml")
with uri.as_local() as local:
    print(lsst.qa.__path__[0], local.ospath, sep="\\n")
# Config files that a pipeline names are read when its graph is made.
print(*Pipeline.from_uri(uri).to_graph().tasks)
"""


def run(*command: str, cwd: Path, **variables: str) -> str:
    """Run a program without the settings of a stack or of a checkout."""
    # A report of what failed is worth more than the exit code alone.
    kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "QA_DIR")}
    done = subprocess.run(command, cwd=cwd, env=kept | variables, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def copy_checkout(place: Path) -> None:
    """Copy what a fresh clone has, with its symbolic links."""
    waste = shutil.ignore_patterns(
        ".*", "*.egg-info", "*.dist-info", "__pycache__", "bin", "build", "demo", "dist"
    )
    shutil.copytree(ROOT, place, symlinks=True, ignore=waste)
    shutil.copy(ROOT / ".gitignore", place)


def build(kind: str, source: Path, place: Path) -> Path:
    """Build a "wheel" or an "sdist" with the setuptools that is here."""
    place.mkdir(exist_ok=True)
    return place / run(sys.executable, "-c", BUILD, kind, str(place), cwd=source).split()[-1]


def expected_files() -> set[str]:
    """List the files of an installed package, by their place in it."""
    files = {p.relative_to(ROOT / PACKAGE) for p in (ROOT / PACKAGE).rglob("*") if p.is_file()}
    for folder in ("config", "pipelines"):
        files |= {"resources" / p.relative_to(ROOT) for p in (ROOT / folder).rglob("*") if p.is_file()}
    return {f"lsst/qa/{p.as_posix()}" for p in files if p.suffix in DATA | {".py"}}


class ArchivesTestCase(unittest.TestCase):
    """Both archives hold real files, and the pipelines are found."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        copy_checkout(cls.folder / "source")
        wheel = build("wheel", cls.folder / "source", cls.folder / "wheel")
        with zipfile.ZipFile(wheel) as archive:
            cls.in_wheel = {info.filename for info in archive.infolist()}
            archive.extractall(cls.folder / "installed")
        sdist = build("sdist", cls.folder / "source", cls.folder / "sdist")
        with tarfile.open(sdist) as archive:
            cls.in_sdist = archive.getmembers()
            archive.extractall(cls.folder / "unpacked", filter="data")
        cls.unpacked = next((cls.folder / "unpacked").iterdir())

    def test_wheel_holds_the_package(self) -> None:
        self.assertEqual(expected_files() - self.in_wheel, set())
        surplus = {f for f in self.in_wheel - expected_files() if ".dist-info/" not in f}
        self.assertEqual(surplus, {"lsst/__init__.py"})
        for path in sorted((self.folder / "installed").rglob("*")):
            self.assertFalse(path.is_symlink(), path)

    def test_resources_and_assets_are_there(self) -> None:
        for name in (
            "resources/pipelines/qa.yaml",
            "resources/pipelines/_ingredients/sourceMetrics.yaml",
            "store/schema.yaml",
            "py.typed",
        ):
            self.assertIn(f"lsst/qa/{name}", self.in_wheel)
        for suffix in (".html", ".css"):
            self.assertTrue(
                [f for f in self.in_wheel if f.startswith("lsst/qa/dashboard/") and f.endswith(suffix)]
            )

    def test_metadata(self) -> None:
        facts = self.folder / "installed" / f"lsst_qa-{lsst.qa.version.__version__}.dist-info"
        self.assertIn("lsst-qa = lsst.qa.cli:main", (facts / "entry_points.txt").read_text())
        self.assertTrue((facts / "licenses" / "LICENSE").is_file())
        self.assertTrue((facts / "licenses" / "COPYRIGHT").is_file())
        metadata = (facts / "METADATA").read_text()
        self.assertIn("License: GPL-3.0-or-later", metadata)
        self.assertNotIn("lsst-verify", metadata)

    def test_sdist_has_no_links_and_makes_the_same_wheel(self) -> None:
        self.assertEqual([m.name for m in self.in_sdist if m.issym() or m.islnk()], [])
        wheel = build("wheel", self.unpacked, self.folder / "again")
        with zipfile.ZipFile(wheel) as archive:
            self.assertEqual({info.filename for info in archive.infolist()}, self.in_wheel)

    def test_sdist_can_be_tested_and_built_on(self) -> None:
        for name in ("Makefile", "SConstruct", "pyproject.toml", "ups/qa.table", "tests/test_package.py"):
            self.assertTrue((self.unpacked / name).is_file(), name)

    def resolve(self, cwd: Path, **variables: str) -> tuple[Path, Path, list[str]]:
        package, pipeline, labels = run(sys.executable, "-c", RESOLVE, cwd=cwd, **variables).splitlines()
        return Path(package), Path(pipeline), labels.split()

    def test_pipelines_of_a_wheel(self) -> None:
        site = self.folder / "installed"
        package, pipeline, labels = self.resolve(self.folder, PYTHONPATH=str(site))
        self.assertEqual(package, site / "lsst/qa")
        self.assertEqual(pipeline, site / "lsst/qa/resources/pipelines/qa.yaml")
        self.assertIn("sourceMetrics", labels)

    def test_pipelines_of_a_checkout(self) -> None:
        """With QA_DIR, as EUPS sets it; and without, as pip leaves it."""
        source = self.folder / "source"
        variables = {"PYTHONPATH": str(source / "python")}
        package, pipeline, labels = self.resolve(self.folder, QA_DIR=str(source), **variables)
        self.assertEqual(package, source / PACKAGE)
        self.assertEqual(pipeline, source / "pipelines/qa.yaml")
        self.assertIn("sourceMetrics", labels)
        package, pipeline, again = self.resolve(self.folder, **variables)
        self.assertEqual(package, source / PACKAGE)
        self.assertEqual(pipeline.resolve(), source / "pipelines/qa.yaml")
        self.assertEqual(labels, again)


class CheckoutTestCase(unittest.TestCase):
    """The checkout itself, and scons in it where there is no EUPS."""

    @unittest.skipUnless((ROOT / ".git").exists(), "a source archive has files in the place of links")
    def test_resources_are_links(self) -> None:
        for name in ("config", "pipelines"):
            link = ROOT / PACKAGE / "resources" / name
            self.assertTrue(link.is_symlink())
            self.assertEqual(link.resolve(), ROOT / name)

    def test_dependencies_agree(self) -> None:
        """EUPS sets up the LSST packages that pip installs."""
        settings = configparser.ConfigParser()
        settings.read(ROOT / "setup.cfg")
        names = settings["options"]["install_requires"].split()
        lsst_names = {n.removeprefix("lsst-").replace("-", "_") for n in names if n.startswith("lsst-")}
        table = (ROOT / "ups/qa.table").read_text().splitlines()
        self.assertEqual({t[14:-1] for t in table if t.startswith("setupRequired(")}, lsst_names)

    def test_scons(self) -> None:
        folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        source, prefix = folder / "qa", folder / "installed"
        copy_checkout(source)
        scons = (sys.executable, "-m", "SCons", "-Q", "--no-tests")
        run(*scons, cwd=source, QA_DIR=str(source))
        run(*scons, "install", f"prefix={prefix}", "version=1", cwd=source, QA_DIR=str(source))
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        for place in (source, prefix):
            variables = {"PYTHONPATH": str(place / "python"), "QA_DIR": str(place), "PATH": path}
            text = run(str(place / "bin/lsst-qa"), "--help", cwd=folder, **variables)
            self.assertIn("measure", text)
            self.assertTrue((place / "python/lsst_qa.dist-info/METADATA").is_file())
            self.assertTrue((place / PACKAGE / "resources/pipelines/qa.yaml").is_file())


if __name__ == "__main__":
    unittest.main()
