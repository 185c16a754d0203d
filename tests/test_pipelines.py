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

COADD = (
    {"object_parent", "deep_coadd_depth_table", "deep_coadd_input_summary_tract"},
    {"qa_object_parent_metrics", "qa_coadd_depth_metrics", "qa_coadd_input_metrics"},
)
DIFFERENCE = ({"dia_source"}, {"qa_dia_source_metrics"})
IMAGES = {
    "qa_coadd_mask_metrics",
    "qa_visit_mask_metrics",
    "qa_dia_visit_metrics",
    "qa_dia_fake_metrics",
    "qa_truth_metrics",
    "qa_truth_match_metrics",
}
"""Results of what is run apart from the rest."""

REFERENCE = (
    {"source", "object", "the_monster_20250219"},
    {"qa_source_reference_metrics", "qa_object_reference_metrics"},
)

EXECUTION = {
    "qa_calibrateImage_metadata_metrics",
    "qa_subtractImages_metadata_metrics",
    "qa_execution_metrics",
}
"""Results of what tasks left in their metadata and logs."""

GENERAL = {
    "execution": (
        {
            f"{label}_{kind}"
            for label in ("matchedStarMetrics", "objectMetrics", "sourceMetrics", "visitSummaryMetrics")
            for kind in ("metadata", "log")
        },
        {"qa_execution_metrics"},
    ),
    "metadata": ({"calibrateImage_metadata"}, {"qa_calibrateImage_metadata_metrics"}),
    "reference": REFERENCE,
    "alert": ({"dia_source_detector"}, {"qa_dia_visit_metrics"}),
    "coadd": COADD,
    "difference": DIFFERENCE,
    "fakes": ({"injected_goodSeeingDiff_matchAssocDiaSrc"}, {"qa_dia_fake_metrics"}),
    "masks": ({"deep_coadd", "visit_image"}, {"qa_coadd_mask_metrics", "qa_visit_mask_metrics"}),
    "gather": (
        {
            "qa_matched_star_metrics",
            "qa_object_metrics",
            "qa_source_metrics",
            "qa_visit_summary_metrics",
            "qa_visit_table_metrics",
            "qa_survey_metrics",
        }
        | COADD[1]
        | DIFFERENCE[1]
        | IMAGES
        | EXECUTION
        | REFERENCE[1],
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
        }
        | COADD[1]
        | DIFFERENCE[1]
        | IMAGES
        | EXECUTION
        | REFERENCE[1],
        {"qa_publication"},
    ),
    "survey": (
        {"qa_source_metrics", "qa_visit_summary_metrics", "qa_visit_table_metrics"},
        {"qa_survey_metrics"},
    ),
    "qa": (
        {"source", "visit_summary", "object"} | STARS | COADD[0] | DIFFERENCE[0] | REFERENCE[0],
        {
            "qa_matched_star_metrics",
            "qa_object_metrics",
            "qa_source_metrics",
            "qa_visit_summary_metrics",
        }
        | COADD[1]
        | DIFFERENCE[1]
        | REFERENCE[1],
    ),
    "injected": (
        {"matched_injected_deep_coadd_predetection_catalog_tract_injected_object"},
        {"qa_truth_match_metrics"},
    ),
    "truth": ({"object", "sim_truth"}, {"qa_truth_metrics"}),
    "table": ({"visit_detector_table"}, {"qa_visit_table_metrics"}),
    "tract": (STARS | {"source", "object"}, {"qa_matched_star_metrics", "qa_object_metrics"}),
    "visit": ({"source", "visit_summary"}, {"qa_source_metrics", "qa_visit_summary_metrics"}),
}
WITHOUT_METRICS = ("gatherMetrics", "publishMetrics")
"""Tasks that take what others measured."""

KINDS = (
    "alert",
    "coadd",
    "difference",
    "fakes",
    "injected",
    "masks",
    "qa",
    "reference",
    "table",
    "tract",
    "truth",
    "visit",
)
"""The pipelines that every instrument has."""

HSC_NAMES = {
    "source": "sourceTable_visit",
    "object": "objectTable_tract",
    "dia_source": "diaSourceTable_tract",
    "dia_source_detector": "goodSeeingDiff_assocDiaSrc",
    "injected_goodSeeingDiff_matchAssocDiaSrc": "fakes_goodSeeingDiff_matchAssocDiaSrc",
    "deep_coadd_depth_table": "deepCoadd_nImage",
    "deep_coadd": "deepCoadd_calexp",
    "visit_image": "calexp",
    "matched_injected_deep_coadd_predetection_catalog_tract_injected_object": (
        "matched_injected_deepCoadd_catalog_tract_injected_objectTable_tract"
    ),
    "the_monster_20250219": "gaia_dr3_20230707 ps1_pv3_3pi_20170110",
}
COMCAM_NAMES = {
    "the_monster_20250219": "the_monster_20240904",
    "deep_coadd_depth_table": "deep_coadd_n_image",
}
INSTRUMENTS: dict[str, dict[str, str]] = {"HSC": HSC_NAMES, "LSSTCam": {}, "LSSTComCam": COMCAM_NAMES}
"""What inputs are called there, where that is not their general name."""

EXPECTED = {
    **GENERAL,
    **{
        f"{instrument}/{name}": (
            {own for read in GENERAL[name][0] for own in names.get(read, read).split()},
            GENERAL[name][1],
        )
        for instrument, names in INSTRUMENTS.items()
        for name in KINDS
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
        labels = {
            "diaVisitMetrics",
            "sourceMetrics",
            "sourceReferenceMetrics",
            "taskMetadataMetrics",
            "visitMaskMetrics",
            "visitSummaryMetrics",
        }
        self.assertEqual(found, {(label, "detector") for label in labels})

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
            ("sourceReferenceMetrics", "refcat", "gaia_dr3"),
            ("objectReferenceMetrics", "refcat", "gaia_dr3"),
            ("sourceReferenceMetrics", "source", "source2"),
            ("objectReferenceMetrics", "object", "object_all"),
            ("objectParentMetrics", "objectParent", "object_parent2"),
            ("coaddDepthMetrics", "coaddDepth", "template_coadd_depth_table"),
            ("coaddInputMetrics", "coaddInputs", "template_coadd_input_summary_tract"),
            ("coaddMaskMetrics", "coadd", "template_coadd"),
            ("visitMaskMetrics", "visitImage", "preliminary_visit_image"),
            ("diaSourceMetrics", "diaSource", "dia_source2"),
            ("diaVisitMetrics", "diaSourceDetector", "preloaded_dia_source"),
            ("diaFakeMetrics", "diaFakes", "fakes_match"),
        ):
            with self.subTest(label, parameter=parameter):
                graph = written(
                    f"description: own\nimports:\n  - location: {INGREDIENTS}/{label}.yaml\n"
                    f"parameters:\n  {parameter}: {name}\n"
                )
                self.assertIn(name, {dataset_type for dataset_type, _ in graph.iter_overall_inputs()})

    def test_depth_measured_in_images(self) -> None:
        graph = graph_of("_ingredients/coaddDepthMetrics", measured_in="n_image")
        self.assertEqual({name for name, _ in graph.iter_overall_inputs()}, {"deep_coadd_n_image"})

    def test_images_stored_otherwise(self) -> None:
        for label in ("coaddMaskMetrics", "visitMaskMetrics"):
            node = graph_of(f"_ingredients/{label}", stored_as="MaskedImageF").tasks[label]
            self.assertEqual(node.get_input_edge("images").storage_class_name, "MaskedImageF")

    def test_reference_catalogues(self) -> None:
        """Stored and divided in whichever way, one or two, or none where
        tables are matched already.
        """
        for name in ("sourceReferenceMetrics", "objectReferenceMetrics"):
            settings = {"sharded_by": "healpix5", "stored_as": "SimpleCatalog", "separate_photometry": True}
            graph = graph_of(f"_ingredients/{name}", **settings)
            for connection in ("shards", "photometric"):
                edge = graph.tasks[name].prerequisite_inputs[connection]
                self.assertEqual(edge.storage_class_name, "SimpleCatalog")
                self.assertEqual(edge.raw_dimensions, {"healpix5"})
            graph = graph_of(f"_ingredients/{name}", matched=True)
            self.assertEqual(dict(graph.tasks[name].prerequisite_inputs), {})

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
