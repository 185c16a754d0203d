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

"""The address of every view."""

from __future__ import annotations

__all__ = ["Links", "split_twin"]

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

Parameter = str | int | Sequence[str] | None

_TWIN = ".json"


def split_twin(path: str) -> tuple[str, bool]:
    """Tell a page's name from its JSON twin's.

    Parameters
    ----------
    path : `str`
        Last part of a URL's path.

    Returns
    -------
    name : `str`
        The path without ``.json``.
    twin : `bool`
        Whether the JSON twin is asked for.
    """
    return path.removesuffix(_TWIN), path.endswith(_TWIN)


class Links:
    """Paths of the views below one prefix, quoted.

    Parameters
    ----------
    root : `str`
        Path prefix that a proxy adds, as in "/qa"; "" where there is none.

    Attributes
    ----------
    prefix, root : `str`
        The prefix, plain and as URLs have it; "" or beginning with a slash.
    """

    def __init__(self, root: str = ""):
        self.prefix = f"/{root.strip('/')}" if root.strip("/") else ""
        self.root = quote(self.prefix)

    def page(self, view: str = "", twin: bool = False, **query: Parameter) -> str:
        """Return the path of a page that is not about one thing.

        Parameters
        ----------
        view : `str`, optional
            Path of the page, as in "runs"; "" is the landing page.
        twin : `bool`, optional
            Whether to return the path of the JSON twin.
        **query
            Parameters; those that are `None` are left out, and those that
            are lists repeated.

        Returns
        -------
        path : `str`
            Path and query.
        """
        return self._join(f"{view or 'index'}{_TWIN}" if twin else view, query)

    def thing(self, folder: str, page: str, name: str, twin: bool = False, **query: Parameter) -> str:
        """Return the path of a page about one thing.

        Parameters
        ----------
        folder : `str`
            Path below which there is a page for each name.
        page : `str`
            Path of the page that takes ``name`` as a parameter, for names
            that a path cannot hold.
        name : `str`
            What the page is about; may contain slashes.
        twin : `bool`, optional
            Whether to return the path of the JSON twin.
        **query
            Parameters; as for `page`.

        Returns
        -------
        path : `str`
            Path and query.
        """
        if name.endswith(_TWIN) or any(part in ("", ".", "..") for part in name.split("/")):
            # A browser or this site would read such a path as another one.
            return self.page(page, twin, name=name, **query)
        return self._join(f"{folder}/{quote(name)}{_TWIN if twin else ''}", query)

    def run(self, name: str, twin: bool = False, **query: Parameter) -> str:
        """Return the path of a run's page.

        Parameters
        ----------
        name : `str`
            Name of the run's collection; may contain slashes.
        twin : `bool`, optional
            Whether to return the path of the JSON twin.
        **query
            Parameters; those that are `None` are left out.

        Returns
        -------
        path : `str`
            Path and query.
        """
        return self.thing("runs", "run", name, twin, **query)

    def metric(self, name: str, twin: bool = False, **query: Parameter) -> str:
        """Return the path of a metric's page.

        Parameters
        ----------
        name : `str`
            Name of the metric.
        twin : `bool`, optional
            Whether to return the path of the JSON twin.
        **query
            Parameters; those that are `None` are left out.

        Returns
        -------
        path : `str`
            Path and query.
        """
        return self.thing("metrics", "metric", name, twin, **query)

    def _join(self, path: str, query: Mapping[str, Parameter]) -> str:
        given = {key: value for key, value in query.items() if value is not None}
        return f"{self.root}/{path}{'?' if given else ''}{urlencode(given, doseq=True)}"
