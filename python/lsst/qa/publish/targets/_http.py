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

"""Requests to targets that speak HTTP, and what their answers mean."""

from __future__ import annotations

__all__ = ["Http", "said"]

import email.utils
import json
import time
from collections.abc import Callable
from typing import Any

import httpx

from ...errors import RejectedError, TargetDownError, TargetRefusedError

_MOST_TEXT = 300
_LATER = frozenset({408, 425, 429})
_REFUSED = frozenset({401, 403, 404, 407})


class Http:
    """A server, over connections that are kept alive.

    Parameters
    ----------
    url : `str`
        What the paths of requests are relative to.
    timeout : `float`
        Seconds that a request may take.
    headers : `dict` [`str`, `str`], optional
        Sent with every request.
    auth : `tuple` [`str`, `str`], optional
        User and password.
    """

    def __init__(
        self,
        url: str,
        timeout: float,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ):
        self._url = url.rstrip("/")
        self._client = httpx.Client(timeout=timeout, headers=headers, auth=auth)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Attempt a request.

        Parameters
        ----------
        method, path : `str`
            The request.
        **options : `object`
            As of `httpx.Client.request`.

        Returns
        -------
        response : `httpx.Response`
            A good answer, read to its end.

        Raises
        ------
        TargetDownError
            Raised if there is no answer, half of one, or one that asks to
            try again.
        TargetRefusedError
            Raised if who asks, or what is asked for, is not known there.
        RejectedError
            Raised if the request is wrong.
        """
        try:
            response = self._client.request(method, f"{self._url}{path}", **options)
        except httpx.HTTPError as error:
            raise TargetDownError(f"{self._url} does not answer: {type(error).__name__} {error}") from error
        if response.is_success:
            return response
        what = f"{self._url} answers {response.status_code}: {said(response)}"
        if response.status_code in _LATER or response.status_code >= 500:
            raise TargetDownError(what, _retry_after(response))
        if response.status_code in _REFUSED or response.is_redirect:
            raise TargetRefusedError(what)
        raise RejectedError(what, _number(response))

    def json(self, method: str, path: str, whole: Callable[[str], Any] = int, **options: Any) -> Any:
        """Attempt a request whose answer is JSON.

        Parameters
        ----------
        method, path : `str`
            The request.
        whole : `~collections.abc.Callable`, optional
            Parses the whole numbers of the answer.
        **options : `object`
            As of `httpx.Client.request`.

        Returns
        -------
        answer : `object`
            The parsed answer.

        Raises
        ------
        TargetError
            Raised as by `call`; an answer that is no JSON was cut short.
        """
        response = self.call(method, path, **options)
        try:
            return response.json(parse_int=whole)
        except (ValueError, RecursionError) as error:
            raise TargetDownError(f"{self._url} answers what is no JSON: {said(response)}") from error


def said(response: httpx.Response) -> str:
    """Return what an answer says, in short.

    Parameters
    ----------
    response : `httpx.Response`
        The answer.

    Returns
    -------
    text : `str`
        Its message, or the begin of its text.
    """
    try:
        found = json.loads(response.text)
        text = (
            str(found.get("message") or found.get("error") or found)
            if isinstance(found, dict)
            else str(found)
        )
    except (ValueError, RecursionError):
        text = response.text
    return " ".join(text.split())[:_MOST_TEXT]


def _number(response: httpx.Response) -> int | None:
    """Return the number that an answer gives to its error."""
    try:
        number = json.loads(response.text).get("error_code")
    except (ValueError, RecursionError, AttributeError):
        return None
    return number if isinstance(number, int) else None


def _retry_after(response: httpx.Response) -> float | None:
    """Return the seconds that an answer asks to wait."""
    value = response.headers.get("Retry-After", "").strip()
    if value.isdecimal() and value.isascii():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
