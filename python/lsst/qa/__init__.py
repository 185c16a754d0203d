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

"""Quality-assurance metrics for Rubin Observatory data."""

from __future__ import annotations

__all__ = ["Client", "__version__", "find_metric", "list_metrics", "measure"]

from typing import TYPE_CHECKING, Any

from .version import __version__

if TYPE_CHECKING:
    from .catalogue import find as find_metric
    from .client import Client
    from .tables.measure import measure


def list_metrics() -> list[str]:
    """List the names of all metrics.

    Returns
    -------
    names : `list` [`str`]
        Names in the catalogue, by family.
    """
    from .catalogue import METRICS

    return list(METRICS)


def __getattr__(name: str) -> Any:
    # What reads tables is imported when it is used: importing the package must
    # stay light.
    if name == "measure":
        from .tables.measure import measure

        return measure
    if name == "find_metric":
        from .catalogue import find

        return find
    if name == "Client":
        from .client import Client

        return Client
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
