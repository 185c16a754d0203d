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

"""The pipelines: what each reads and writes, and where they are found."""

from __future__ import annotations

import os
import re
import unittest
import unittest.mock
from pathlib import Path

import yaml
from support_pipelines import (
    EXPECTED,
    INGREDIENTS,
    INSTRUMENTS,
    KINDS,
    PIPELINES,
    files,
    graph_of,
)

from lsst.resources import ResourcePath


class PipelinesTestCase(unittest.TestCase):
    """Every pipeline that is shipped."""

    def test_inputs_and_outputs(self) -> None:
        for name, expected in EXPECTED.items():
            with self.subTest(name):
                graph = graph_of(name)
                inputs = {dataset_type for dataset_type, _ in graph.iter_overall_inputs()}
                outputs = {
                    edge.dataset_type_name for task in graph.tasks.values() for edge in task.outputs.values()
                }
                self.assertEqual((inputs, outputs), expected)

    def test_all_are_expected(self) -> None:
        self.assertEqual(files(PIPELINES) - {f"_ingredients/{i}" for i in files(INGREDIENTS)}, set(EXPECTED))

    def test_no_ingredient_is_left_out(self) -> None:
        ingredients = files(INGREDIENTS)
        self.assertGreaterEqual(len(ingredients), 6)
        used = {label for name in EXPECTED for label in graph_of(name).tasks}
        self.assertEqual(ingredients, used)

    def test_ingredients_hold_one_task_each(self) -> None:
        for name in files(INGREDIENTS):
            with self.subTest(name):
                self.assertEqual(set(graph_of(f"_ingredients/{name}").tasks), {name})

    def test_only_ingredients_hold_tasks(self) -> None:
        """The others import, and no file holds code."""
        for name in EXPECTED:
            with self.subTest(name):
                text = ResourcePath(f"{PIPELINES}/{name}.yaml").read().decode()
                self.assertLessEqual(set(yaml.safe_load(text)), {"description", "imports", "parameters"})
        for name in files(INGREDIENTS):
            self.assertNotIn("python:", ResourcePath(f"{INGREDIENTS}/{name}.yaml").read().decode())

    def test_labels_are_the_tasks_names(self) -> None:
        """Rows carry the label, datasets of provenance the name."""
        for name in EXPECTED:
            for label, node in graph_of(name).tasks.items():
                self.assertEqual(node.task_class._DefaultName, label)

    def test_every_instrument_has_the_same(self) -> None:
        shipped = files(PIPELINES) - {f"_ingredients/{i}" for i in files(INGREDIENTS)}
        self.assertEqual({name.split("/")[0] for name in shipped if "/" in name}, set(INSTRUMENTS))
        for instrument in INSTRUMENTS:
            self.assertEqual({n.split("/")[1] for n in shipped if n.startswith(f"{instrument}/")}, set(KINDS))


class PlaceTestCase(unittest.TestCase):
    """Where the files are found."""

    def labels(self) -> set[str]:
        return set(graph_of("HSC/qa").tasks)

    def test_in_the_package(self) -> None:
        """Without a stack, and so without the variable."""
        with unittest.mock.patch.dict(os.environ):
            os.environ.pop("QA_DIR", None)
            self.assertTrue(ResourcePath(f"{PIPELINES}/HSC/qa.yaml").exists())
            self.assertEqual(len(self.labels()), 10)

    def test_in_a_product(self) -> None:
        """With the variable, as a stack sets it."""
        product = Path(__file__).resolve().parents[1]
        with unittest.mock.patch.dict(os.environ, QA_DIR=str(product)):
            with ResourcePath(f"{PIPELINES}/HSC/qa.yaml").as_local() as local:
                self.assertEqual(local.ospath, str(product / "pipelines/HSC/qa.yaml"))
            self.assertEqual(len(self.labels()), 10)

    def test_nowhere_else(self) -> None:
        """The files themselves name no other place."""
        for name in (*EXPECTED, *(f"_ingredients/{i}" for i in files(INGREDIENTS))):
            text = ResourcePath(f"{PIPELINES}/{name}.yaml").read().decode()
            places = re.findall(r"\$\S+", text)
            self.assertEqual([place for place in places if not place.startswith(f"{PIPELINES}/")], [])
