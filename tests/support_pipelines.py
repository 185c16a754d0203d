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

"""What the pipelines read and write, and ways to look at them."""

from __future__ import annotations

__all__ = [
    "COMCAM_NAMES",
    "EXPECTED",
    "GENERAL",
    "HSC_NAMES",
    "INGREDIENTS",
    "INSTRUMENTS",
    "KINDS",
    "PIPELINES",
    "STARS",
    "WITHOUT_METRICS",
    "files",
    "graph_of",
    "written",
]

import tempfile
from pathlib import Path
from typing import Any

from lsst.pipe.base import Pipeline
from lsst.pipe.base.pipeline_graph import PipelineGraph
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
    "qa_coadd_choice_metrics",
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
    "choice": (
        {"visit_summary", "deep_coadd_input_summary_tract", "deep_coadd_n_image"},
        {"qa_coadd_choice_metrics"},
    ),
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
    "choice",
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
    "deep_coadd_n_image": "deepCoadd_nImage",
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
