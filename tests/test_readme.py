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

"""Every command and every example of the README."""

from __future__ import annotations

import contextlib
import re
import shlex
import subprocess
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import yaml
from astropy.table import Table
from click.testing import CliRunner

from lsst.ctrl.mpexec.cli.cmd import run as pipetask_run
from lsst.pipe.base import Pipeline
from lsst.qa.cli import main
from lsst.qa.metric import Metric
from lsst.resources import ResourcePath

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return [body for name, body in BLOCK.findall(README) if name == language]


def commands(program: str) -> list[list[str]]:
    """Return the arguments of a program in each of its command lines."""
    lines = [shlex.split(line) for block in blocks("sh") for line in block.splitlines()]
    return [words[1:] for words in lines if words and words[0] == program]


@contextlib.contextmanager
def empty_folder() -> Iterator[None]:
    """Work in a folder that goes away."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        yield


def command(verb: str) -> click.Command:
    """Return a command of the package."""
    found = main.get_command(click.Context(main), verb)
    assert found is not None, verb
    return found


def sources(n: int = 200) -> Table:
    """Make a small source table."""
    random = np.random.default_rng(3)
    return Table(
        {
            "sourceId": np.arange(n),
            "visit": np.full(n, 7),
            "detector": np.full(n, 1),
            "band": np.full(n, "i"),
            "coord_ra": random.uniform(10.0, 10.1, n),
            "coord_dec": random.uniform(-1.0, -0.9, n),
            "ap09Flux": random.normal(0.0, 30.0, n),
            "sky_source": np.ones(n, bool),
            "pixelFlags_edge": np.zeros(n, bool),
            "pixelFlags_nodata": np.zeros(n, bool),
        }
    )


class ReadmeTestCase(unittest.TestCase):
    """What the README says can be done, can be done."""

    def test_nothing_escapes(self) -> None:
        """Every command line is of a program that a test below looks at."""
        programs = {line.split()[0] for block in blocks("sh") for line in block.splitlines() if line}
        self.assertEqual(programs, {"make", "lsst-qa", "pipetask"})
        self.assertEqual({name for name, _ in BLOCK.findall(README)}, {"sh", "python", "yaml"})

    def test_make(self) -> None:
        for arguments in [*commands("make"), ["lint"], ["doc"], ["clean"]]:
            with self.subTest(arguments=arguments):
                subprocess.run(["make", "-n", *arguments], cwd=ROOT, check=True, capture_output=True)

    def test_commands_are_understood(self) -> None:
        for verb, *arguments in commands("lsst-qa"):
            with self.subTest(verb=verb, arguments=arguments), empty_folder():
                Path("sources.parquet").touch()
                Path("REPO").mkdir()
                command(verb).make_context(verb, arguments)

    def test_pipetask_is_understood(self) -> None:
        for verb, *arguments in commands("pipetask"):
            self.assertEqual(verb, "run")
            context = pipetask_run.make_context("run", list(arguments))
            self.assertEqual(context.params["register_dataset_types"], True)
            file = arguments[arguments.index("-p") + 1]
            self.assertTrue(Pipeline.from_uri(ResourcePath(file)).task_labels)

    def test_submission(self) -> None:
        (text,) = blocks("yaml")
        self.assertTrue(ResourcePath(yaml.safe_load(text)["pipelineYaml"]).exists())

    def test_measuring_a_file(self) -> None:
        with empty_folder():
            sources().write("sources.parquet")
            for arguments in commands("lsst-qa"):
                if arguments[0] in ("measure", "metrics"):
                    with self.subTest(arguments=arguments):
                        done = CliRunner().invoke(main, arguments)
                        self.assertEqual(done.exit_code, 0, done.output)
                        self.assertIn("PA1" if arguments[0] == "metrics" else "sky_flux_median", done.output)

    def test_measuring_in_python(self) -> None:
        with empty_folder():
            sources().write("sources.parquet")
            names: dict[str, object] = {}
            exec(blocks("python")[0], names)
        self.assertIn("sky_flux_median", repr(names["rows"]))

    def test_metric(self) -> None:
        names: dict[str, object] = {}
        with tempfile.TemporaryDirectory() as folder:
            # The declaration reads its own signature, which wants a file.
            file = Path(folder) / "sky.py"
            file.write_text(blocks("python")[1])
            exec(compile(file.read_text(), file, "exec"), names)
        declared = names["sky_flux_level"]
        self.assertIsInstance(declared, Metric)
        self.assertEqual(declared.columns, ("ap09Flux", "pixelFlags_edge", "sky_source"))

    def test_places_exist(self) -> None:
        for cell in re.findall(r"^\|.*\| (`.*`) \|$", README, re.MULTILINE):
            for place in re.findall(r"`([^`]+)`", cell):
                self.assertTrue((ROOT / place).exists(), place)


if __name__ == "__main__":
    unittest.main()
