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

"""The files that pages refer to: ours, and Bokeh's from its package."""

from __future__ import annotations

__all__ = ["ASSETS", "Asset", "load"]

import functools
import gzip
import hashlib
import importlib.resources
from importlib.resources.abc import Traversable
from typing import NamedTuple

_OURS, _BOKEH = "lsst.qa.dashboard", "bokeh.server"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

ASSETS = {
    file.name: (_OURS, f"static/{file.name}", _TYPES[suffix])
    for file in importlib.resources.files(_OURS).joinpath("static").iterdir()
    if (suffix := file.name[file.name.rfind(".") :]) in _TYPES
} | {"bokeh.js": (_BOKEH, "static/js/bokeh.min.js", _TYPES[".js"])}
"""Package, file and media type by name in the URL; no other file is served."""


class Asset(NamedTuple):
    """A file that is served as it is.

    Attributes
    ----------
    body, zipped : `bytes`
        Its content, plain and compressed with gzip.
    media_type : `str`
        Its media type.
    digest : `str`
        Changes whenever the content does.
    """

    body: bytes
    zipped: bytes
    media_type: str
    digest: str


@functools.cache
def load(name: str) -> Asset:
    """Read a file once.

    Parameters
    ----------
    name : `str`
        One of `ASSETS`.

    Returns
    -------
    asset : `Asset`
        The file, ready to be sent.
    """
    package, path, media_type = ASSETS[name]
    file: Traversable = importlib.resources.files(package) / path
    body = file.read_bytes()
    digest = hashlib.blake2b(body, digest_size=8).hexdigest()
    return Asset(body, gzip.compress(body, 6, mtime=0), media_type, digest)
