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
"""The dimensions of what is measured."""

from __future__ import annotations

__all__ = ["DATA_ID"]

DATA_ID = (
    "instrument",
    "physical_filter",
    "day_obs",
    "visit",
    "exposure",
    "detector",
    "skymap",
    "tract",
    "patch",
)
"""Columns of results that say what was measured, in the Butler's words; null
where a dimension does not apply."""
