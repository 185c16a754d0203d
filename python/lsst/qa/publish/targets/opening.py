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

"""From the URL of a target to the target."""

from __future__ import annotations

__all__ = ["SCHEMES", "open_target"]

import importlib
from typing import Any
from urllib.parse import urlsplit

from ...errors import InputError, closest
from ..settings import Settings
from .base import Target

SCHEMES = {
    "file": "file",
    "influxdb": "influxdb",
    "influxdb+http": "influxdb",
    "influxdb+https": "influxdb",
    "kafka": "kafka",
    "postgresql": "database",
    "postgresql+psycopg2": "database",
    "sasquatch+http": "sasquatch",
    "sasquatch+https": "sasquatch",
    "sqlite": "database",
}
"""Modules of targets by the scheme of their URLs."""


def open_target(url: str, settings: Settings | None = None) -> Target:
    """Open a target.

    Parameters
    ----------
    url : `str`
        Its URL, or a name that the settings give to one.
    settings : `Settings`, optional
        Names, tokens and the like; from the environment if there are none.

    Returns
    -------
    target : `Target`
        The target; nothing has been sent to it.

    Raises
    ------
    InputError
        Raised if that is no URL of a target, or if something secret is in
        it.
    """
    settings = settings or Settings.load()
    url = settings.url_of(url)
    scheme = urlsplit(url).scheme
    if scheme == "recording":
        from .recording import RecordingTarget

        return RecordingTarget(url)
    module = SCHEMES.get(scheme)
    if module is None:
        names = f", or one of the names {', '.join(sorted(settings.targets))}" if settings.targets else ""
        raise InputError(
            f"That is no target: its URL begins with {repr(scheme) if scheme else 'no scheme'}."
            f"{closest(scheme, SCHEMES)}"
            f" Expected one of {', '.join(f'{name}://' for name in sorted(SCHEMES))}{names}."
        )
    _refuse_secrets(url, module)
    made: Any = importlib.import_module(f".{module}", __package__)
    target: Target = made.open_url(url, settings)
    return target


def _refuse_secrets(url: str, module: str) -> None:
    """Refuse what would end in logs and in the ledger."""
    parts = urlsplit(url)
    if module != "database" and (parts.username or parts.password):
        raise InputError(
            f"A user or a password is in the URL of {parts.hostname}; "
            "give it in the settings or the environment."
        )
    if module != "database" and any(word in parts.query.lower() for word in ("token=", "password=")):
        raise InputError(
            f"A token is in the URL of {parts.hostname}; give it in the settings or the environment."
        )
