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

"""Metrics of a survey, from its visits' results."""

from __future__ import annotations

__all__ = ["SurveyMetricsConfig", "SurveyMetricsConnections", "SurveyMetricsTask"]

import contextlib
from typing import Any, ClassVar

from lsst.pipe.base import PipelineTaskConnections

from ..readers.connections import results_input, results_output
from ..tables.readable import Readable, from_arrow
from ..tables.visit_values import visit_values
from ._base import MetricsConfig, MetricsTask
from ._many import input_tables


class SurveyMetricsConnections(PipelineTaskConnections, dimensions=("instrument",)):
    """Results of an instrument's visits in, rows of results out."""

    summaries = results_input("qa_visit_summary_metrics", "instrument", "visit")
    sources = results_input("qa_source_metrics", "instrument", "visit")
    visits = results_input("qa_visit_table_metrics", "instrument")
    metrics = results_output("qa_survey_metrics", "instrument")


class SurveyMetricsConfig(MetricsConfig, pipelineConnections=SurveyMetricsConnections):
    """Configuration of `SurveyMetricsTask`."""

    table: ClassVar[str] = "visit_values"


class SurveyMetricsTask(MetricsTask):
    """Measure how visits are distributed: depth, seeing, residual shapes.

    It runs as a step of its own over collections that are complete.
    """

    ConfigClass = SurveyMetricsConfig
    _DefaultName = "surveyMetrics"

    def open(self, butlerQC: Any, inputRefs: Any, stack: contextlib.ExitStack) -> Readable:
        """Put the results of visits side by side.

        Parameters
        ----------
        butlerQC : `lsst.pipe.base.QuantumContext`
            The quantum's butler.
        inputRefs : `lsst.pipe.base.InputQuantizedConnection`
            The inputs.
        stack : `contextlib.ExitStack`
            Not needed: all is read here.

        Returns
        -------
        source : `Readable`
            A row per visit and band.
        """
        found = (inputRefs.summaries, inputRefs.sources, inputRefs.visits)
        _, tables = input_tables(butlerQC, found)
        return from_arrow(visit_values(tables), "the visits' results")
