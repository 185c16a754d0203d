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

"""The pipelines: what their tasks are told, and pipelines of one's own."""

from __future__ import annotations

import re
import unittest
import unittest.mock
from pathlib import Path
from typing import Any

import yaml
from support_pipelines import (
    EXPECTED,
    GENERAL,
    INGREDIENTS,
    WITHOUT_METRICS,
    files,
    graph_of,
    written,
)

from lsst.pex.config import FieldValidationError
from lsst.qa.catalogue import METRICS
from lsst.qa.variants import chosen_metrics
from lsst.resources import ResourcePath


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
        # What compares detectors is nothing that each of them has.
        over_the_field = {"SX", "SF1", "Z2", "DF2"}
        self.assertEqual(
            [name for name in configs["visitTableMetrics"].metrics if name not in over_the_field],
            list(configs["visitSummaryMetrics"].metrics),
        )

    def test_every_metric_can_be_measured(self) -> None:
        """By a task of a pipeline; what has thresholds is, unasked."""
        shipped: dict[str, set[str]] = {}
        for name in files(INGREDIENTS) - set(WITHOUT_METRICS):
            config: Any = graph_of(f"_ingredients/{name}").tasks[name].config
            shipped.setdefault(config.table, set()).update(config.metrics)
        self.assertEqual([m.name for m in METRICS.values() if m.table not in shipped], [])
        required = {m.name for m in METRICS.values() if m.specs and "." not in m.name}
        # The tables of isolated stars hold no galaxy.
        galaxies = {f"modelPhotRepGal{number}" for number in range(1, 5)}
        self.assertEqual(required - set().union(*shipped.values()), galaxies)

    def test_camera_of_objects(self) -> None:
        """Their table does not tell it, so a camera's pipelines do."""
        for name in ("HSC/qa", "HSC/tract"):
            with self.subTest(name):
                config: Any = graph_of(name).tasks["objectMetrics"].config
                self.assertEqual(config.camera, "HSC")

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
            for kind in ("qa", "visit", "choice"):
                with self.subTest(name + kind):
                    label, connection = ("visitSummaryMetrics", "table")
                    if kind == "choice":
                        label, connection = ("coaddChoiceMetrics", "summaries")
                    node = graph_of(f"{name}{kind}").tasks[label]
                    self.assertEqual(node.get_input_edge(connection).storage_class_name, stored)

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
            ("coaddChoiceMetrics", "coaddNImage", "template_coadd_n_image"),
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

    def test_parameters_are_documented(self) -> None:
        """And so are the pipelines that have them."""
        page = (Path(__file__).resolve().parents[1] / "doc/lsst.qa/pipelines.rst").read_text()
        named = set(re.findall(r"``(\w+)``", page))
        for name in files(INGREDIENTS):
            text = ResourcePath(f"{INGREDIENTS}/{name}.yaml").read().decode()
            self.assertEqual(set(yaml.safe_load(text).get("parameters", ())) - named, set(), name)
        self.assertEqual({name for name in GENERAL if "/" not in name} - named, set())

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
