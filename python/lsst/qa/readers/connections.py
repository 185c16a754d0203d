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

"""How tasks name the results of this package, as inputs and as outputs."""

from __future__ import annotations

__all__ = ["STORAGE_CLASS", "ResultsConnections", "results_input", "results_output"]

from lsst.pipe.base import PipelineTaskConnections
from lsst.pipe.base.connectionTypes import Output, PrerequisiteInput

STORAGE_CLASS = "ArrowTable"
"""Storage class of results."""


def results_input(name: str, *dimensions: str) -> PrerequisiteInput:
    """Declare an input of results, of which there may be none.

    Parameters
    ----------
    name : `str`
        Their dataset type.
    *dimensions : `str`
        What they are stored by.

    Returns
    -------
    connection : `lsst.pipe.base.connectionTypes.PrerequisiteInput`
        The input.
    """
    return PrerequisiteInput(
        doc=f"Rows of results that are stored by {' and '.join(dimensions)}.",
        name=name,
        storageClass=STORAGE_CLASS,
        dimensions=dimensions,
        multiple=True,
        deferLoad=True,
        minimum=0,
    )


def results_output(name: str, *dimensions: str) -> Output:
    """Declare the results that a task makes.

    Parameters
    ----------
    name : `str`
        Their dataset type.
    *dimensions : `str`
        What they are stored by.

    Returns
    -------
    connection : `lsst.pipe.base.connectionTypes.Output`
        The output.
    """
    return Output(doc="Rows of results.", name=name, storageClass=STORAGE_CLASS, dimensions=dimensions)


class ResultsConnections(PipelineTaskConnections, dimensions=()):
    """All results of the input collections."""

    matched = results_input("qa_matched_star_metrics", "instrument", "skymap", "tract")
    objects = results_input("qa_object_metrics", "skymap", "tract")
    sources = results_input("qa_source_metrics", "instrument", "visit")
    summaries = results_input("qa_visit_summary_metrics", "instrument", "visit")
    visits = results_input("qa_visit_table_metrics", "instrument")
    survey = results_input("qa_survey_metrics", "instrument")
    source_references = results_input("qa_source_reference_metrics", "instrument", "visit")
    object_references = results_input("qa_object_reference_metrics", "skymap", "tract")
    truths = results_input("qa_truth_metrics", "skymap", "tract")
    truth_matches = results_input("qa_truth_match_metrics", "skymap", "tract")
    parents = results_input("qa_object_parent_metrics", "skymap", "tract")
    depths = results_input("qa_coadd_depth_metrics", "skymap", "tract")
    inputs_of_coadds = results_input("qa_coadd_input_metrics", "skymap", "tract")
    choices_of_coadds = results_input("qa_coadd_choice_metrics", "instrument", "skymap", "tract")
    coadd_masks = results_input("qa_coadd_mask_metrics", "skymap", "tract")
    visit_masks = results_input("qa_visit_mask_metrics", "instrument", "visit")
    dia_sources = results_input("qa_dia_source_metrics", "skymap", "tract")
    dia_visits = results_input("qa_dia_visit_metrics", "instrument", "visit")
    dia_fakes = results_input("qa_dia_fake_metrics", "instrument", "visit")
    calibrations = results_input("qa_calibrateImage_metadata_metrics", "instrument", "visit")
    subtractions = results_input("qa_subtractImages_metadata_metrics", "instrument", "visit")
    execution = results_input("qa_execution_metrics", "instrument")
