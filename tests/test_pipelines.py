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

"""The pipelines: what each reads and writes, and what its tasks are told."""

from __future__ import annotations

import os
import re
import tempfile
import unittest
import unittest.mock
from pathlib import Path
from typing import Any

import yaml

from lsst.pex.config import FieldValidationError
from lsst.pipe.base import Pipeline
from lsst.pipe.base.pipeline_graph import PipelineGraph
from lsst.qa.variants import chosen_metrics
from lsst.resources import ResourcePath

PIPELINES = "$QA_DIR/pipelines"
INGREDIENTS = f"{PIPELINES}/_ingredients"

STARS = {"isolated_star_presources", "isolated_star_presource_associations"}

GENERAL = {
    "gather": (
        {
            "qa_matched_star_metrics",
            "qa_object_metrics",
            "qa_source_metrics",
            "qa_visit_summary_metrics",
            "qa_visit_table_metrics",
            "qa_survey_metrics",
        },
        {"qa_gathered_metrics"},
    ),
    "publish": (
        {
            "qa_matched_star_metrics",
            "qa_object_metrics",
            "qa_source_metrics",
            "qa_visit_summary_metrics",
            "qa_visit_table_metrics",
            "qa_survey_metrics",
        },
        {"qa_publication"},
    ),
    "survey": (
        {"qa_source_metrics", "qa_visit_summary_metrics", "qa_visit_table_metrics"},
        {"qa_survey_metrics"},
    ),
    "qa": (
        {"source", "visit_summary", "object"} | STARS,
        {
            "qa_matched_star_metrics",
            "qa_object_metrics",
            "qa_source_metrics",
            "qa_visit_summary_metrics",
        },
    ),
    "table": ({"visit_detector_table"}, {"qa_visit_table_metrics"}),
    "tract": (STARS | {"source", "object"}, {"qa_matched_star_metrics", "qa_object_metrics"}),
    "visit": ({"source", "visit_summary"}, {"qa_source_metrics", "qa_visit_summary_metrics"}),
}
WITHOUT_METRICS = ("gatherMetrics", "publishMetrics")
"""Tasks that take what others measured."""

HSC_NAMES = {"source": "sourceTable_visit", "object": "objectTable_tract"}

EXPECTED = {
    **GENERAL,
    **{
        f"{instrument}/{name}": GENERAL[name]
        for instrument in ("LSSTCam", "LSSTComCam")
        for name in ("qa", "table", "tract", "visit")
    },
    **{
        f"HSC/{name}": ({HSC_NAMES.get(read, read) for read in GENERAL[name][0]}, GENERAL[name][1])
        for name in ("qa", "table", "tract", "visit")
    },
}
"""What each pipeline reads from a repository, and what it adds to it."""


def files(folder: str) -> set[str]:
    """Return the files of a folder and its folders, without their suffix."""
    place = ResourcePath(folder, forceDirectory=True)
    found = ResourcePath.findFileResources([place], file_filter=r".*\.yaml$")
    return {str(uri.relative_to(place)).removesuffix(".yaml") for uri in found}


def graph_of(name: str, **settings: Any) -> PipelineGraph:
    """Return the graph of a pipeline; ``settings`` are of its only task."""
    pipeline = Pipeline.from_uri(f"{PIPELINES}/{name}.yaml")
    for field, value in settings.items():
        (label,) = pipeline.task_labels
        pipeline.addConfigOverride(label, field, value)
    return pipeline.to_graph()


def written(text: str) -> PipelineGraph:
    """Return the graph of a pipeline that somebody wrote."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "own.yaml"
        file.write_text(text)
        return Pipeline.from_uri(str(file)).to_graph()


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
        kinds = {"qa", "table", "tract", "visit"}
        instruments = {name.split("/")[0] for name in EXPECTED if "/" in name}
        for instrument in instruments:
            self.assertEqual({n.split("/")[1] for n in EXPECTED if n.startswith(f"{instrument}/")}, kinds)


class PlaceTestCase(unittest.TestCase):
    """Where the files are found."""

    def labels(self) -> set[str]:
        return set(graph_of("HSC/qa").tasks)

    def test_in_the_package(self) -> None:
        """Without a stack, and so without the variable."""
        with unittest.mock.patch.dict(os.environ):
            os.environ.pop("QA_DIR", None)
            self.assertTrue(ResourcePath(f"{PIPELINES}/HSC/qa.yaml").exists())
            self.assertEqual(len(self.labels()), 4)

    def test_in_a_product(self) -> None:
        """With the variable, as a stack sets it."""
        product = Path(__file__).resolve().parents[1]
        with unittest.mock.patch.dict(os.environ, QA_DIR=str(product)):
            with ResourcePath(f"{PIPELINES}/HSC/qa.yaml").as_local() as local:
                self.assertEqual(local.ospath, str(product / "pipelines/HSC/qa.yaml"))
            self.assertEqual(len(self.labels()), 4)

    def test_nowhere_else(self) -> None:
        """The files themselves name no other place."""
        for name in (*EXPECTED, *(f"_ingredients/{i}" for i in files(INGREDIENTS))):
            text = ResourcePath(f"{PIPELINES}/{name}.yaml").read().decode()
            places = re.findall(r"\$\S+", text)
            self.assertEqual([place for place in places if not place.startswith(f"{PIPELINES}/")], [])


class SettingsTestCase(unittest.TestCase):
    """What the tasks of a pipeline are told."""

    def test_metrics(self) -> None:
        """All are known, of the task's table, and named once."""
        configs: dict[str, Any] = {
            label: node.config for name in GENERAL for label, node in graph_of(name).tasks.items()
        }
        for label in WITHOUT_METRICS:
            del configs[label]
        for label, config in configs.items():
            with self.subTest(label):
                chosen = chosen_metrics(config.table, config.metrics, config.variants)
                self.assertEqual([metric.name for metric in chosen], list(config.metrics))
        self.assertLessEqual(
            {"PA1", "PA2", "PF1", "AM1", "AD1", "AF1"}, set(configs["matchedStarMetrics"].metrics)
        )
        self.assertEqual(
            list(configs["visitTableMetrics"].metrics), list(configs["visitSummaryMetrics"].metrics)
        )

    def test_detectors(self) -> None:
        """A visit is measured by detector too, a table of visits is not."""
        found = set()
        for name in files(INGREDIENTS) - set(WITHOUT_METRICS):
            config: Any = graph_of(f"_ingredients/{name}").tasks[name].config
            found |= {(name, column) for column in config.by}
        self.assertEqual(found, {("sourceMetrics", "detector"), ("visitSummaryMetrics", "detector")})

    def test_summaries_of_real_cameras(self) -> None:
        """Those of the observatory are stored as afw's catalogues."""
        for name, stored in (
            ("", "ArrowAstropy"),
            ("HSC/", "ArrowAstropy"),
            ("LSSTCam/", "ExposureCatalog"),
            ("LSSTComCam/", "ExposureCatalog"),
        ):
            for kind in ("qa", "visit"):
                with self.subTest(name + kind):
                    node = graph_of(f"{name}{kind}").tasks["visitSummaryMetrics"]
                    self.assertEqual(node.get_input_edge("table").storage_class_name, stored)

    def test_older_columns(self) -> None:
        """The summaries of HSC lack columns, which is no failure there."""
        for name in EXPECTED:
            for label, node in graph_of(name).tasks.items():
                config: Any = node.config
                if label not in WITHOUT_METRICS:
                    with self.subTest(name, label=label):
                        expected = "undefined" if name.startswith("HSC/") else "fail"
                        self.assertEqual(config.lacking_columns, expected)

    def test_names_are_parameters(self) -> None:
        """A repository with other names needs no pipeline of its own."""
        for label, parameter, name in (
            ("matchedStarMetrics", "presources", "isolated_star_sources"),
            ("matchedStarMetrics", "associations", "isolated_star_cat"),
            ("matchedStarMetrics", "source", "source2"),
            ("objectMetrics", "object", "object_all"),
            ("sourceMetrics", "source", "source2"),
            ("visitSummaryMetrics", "visitSummary", "finalVisitSummary"),
            ("visitTableMetrics", "visitDetectorTable", "ccdVisitTable"),
        ):
            with self.subTest(label, parameter=parameter):
                graph = written(
                    f"description: own\nimports:\n  - location: {INGREDIENTS}/{label}.yaml\n"
                    f"parameters:\n  {parameter}: {name}\n"
                )
                self.assertIn(name, {dataset_type for dataset_type, _ in graph.iter_overall_inputs()})

    def test_stars_measured_in_their_own_table(self) -> None:
        graph = graph_of("_ingredients/matchedStarMetrics", measured_in="presources")
        self.assertEqual({name for name, _ in graph.iter_overall_inputs()}, {"isolated_star_presources"})


class OwnPipelinesTestCase(unittest.TestCase):
    """What somebody writes on top of the ingredients."""

    IMPORT = f"description: own\nimports:\n  - location: {INGREDIENTS}/matchedStarMetrics.yaml\n"
    CONFIG = (
        "tasks:\n  matchedStarMetrics:\n    class: lsst.qa.tasks.MatchedStarMetricsTask\n    config:\n      "
    )

    def config(self, text: str) -> Any:
        return written(self.IMPORT + self.CONFIG + text).tasks["matchedStarMetrics"].config

    def test_metrics(self) -> None:
        self.assertEqual(list(self.config("metrics: [PA1, AM1.faro]").metrics), ["PA1", "AM1.faro"])

    def test_misspelt_metric(self) -> None:
        with self.assertRaisesRegex(
            FieldValidationError, "There is no metric 'AM1.fargo'. Did you mean 'AM1.faro'"
        ):
            self.config("metrics: [PA1, AM1.fargo]")

    def test_misspelt_case(self) -> None:
        with self.assertRaisesRegex(FieldValidationError, "Did you mean 'PA1'"):
            self.config("metrics: [pa1]")

    def test_variant(self) -> None:
        config = self.config("variants: {PA1_deep: 'PA1(snr_min=100)'}")
        self.assertEqual(dict(config.variants), {"PA1_deep": "PA1(snr_min=100)"})
        metric = chosen_metrics("matched", config.metrics, config.variants)[-1]
        self.assertEqual((metric.name, metric.constants["snr_min"]), ("PA1_deep", 100))

    def test_misspelt_variants(self) -> None:
        for text, message in (
            ("PA1(snr_mim=100)", "Did you mean 'snr_min'"),
            ("PA11(snr_min=100)", "Did you mean 'PA1'"),
            ("PA1(100)", "should read like"),
            ("n_sources()", "is of table 'source'"),
        ):
            with self.subTest(text), self.assertRaisesRegex(FieldValidationError, message):
                self.config(f"variants: {{PA1_deep: '{text}'}}")

    def test_a_metric_of_another_task(self) -> None:
        with self.assertRaisesRegex(FieldValidationError, "'seeing' is of table 'visit_summary'"):
            self.config("metrics: [seeing]")


if __name__ == "__main__":
    unittest.main()
