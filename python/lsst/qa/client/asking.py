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

"""Questions to the API of a dashboard, and what its complaints mean."""

from __future__ import annotations

__all__ = ["Asking"]

from typing import TYPE_CHECKING, Any

from ..errors import AccessError, InputError, NotThereError, ServerError
from .columns import as_arrow, as_astropy

if TYPE_CHECKING:
    import httpx
    from astropy.table import Table

_SECONDS = 60.0
_PAGE = 10_000


class Asking:
    """A connection to a dashboard.

    Parameters
    ----------
    url : `str`
        Its address.
    token : `str` or `None`
        Token that lets one in.

    Raises
    ------
    InputError
        Raised if that is no address.
    """

    def __init__(self, url: str, token: str | None):
        import httpx

        if not url.startswith(("http://", "https://")):
            raise InputError(f"{url!r} is no address of a dashboard: expected http://HOST:PORT.")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.url = url.rstrip("/")
        self._http = httpx.Client(base_url=f"{self.url}/api/v1/", headers=headers, timeout=_SECONDS)

    def close(self) -> None:
        """Leave the dashboard."""
        self._http.close()

    def listed(self, path: str, limit: int | None = None, **query: Any) -> Table:
        """Ask for a list to its end, or to its limit.

        Parameters
        ----------
        path : `str`
            The resource.
        limit : `int`, optional
            The most rows.
        **query
            Parameters; those that are `None` are left out.

        Returns
        -------
        table : `astropy.table.Table`
            The rows of all pages.
        """
        parts: list[Any] = []
        cursor: str | None = None
        left = limit
        while left is None or left > 0 or not parts:
            page = _PAGE if left is None else max(min(_PAGE, left), 1)
            answer = self.got(path, **query, limit=page, cursor=cursor, format="arrow")
            parts.append(as_arrow(answer.content))
            left = None if left is None else left - len(parts[-1])
            following = answer.links.get("next")
            if following is None:
                break
            cursor = self._http.base_url.join(following["url"]).params["cursor"]
        return as_astropy(parts)

    def table(self, path: str, **query: Any) -> Table:
        """Ask for a table that comes in one piece.

        Parameters
        ----------
        path : `str`
            The resource.
        **query
            Parameters; those that are `None` are left out.

        Returns
        -------
        table : `astropy.table.Table`
            The rows.
        """
        return as_astropy([as_arrow(self.got(path, **query, format="arrow").content)])

    def got(self, path: str, **query: Any) -> httpx.Response:
        """Ask for anything.

        Parameters
        ----------
        path : `str`
            The resource.
        **query
            Parameters; those that are `None` are left out.

        Returns
        -------
        answer : `httpx.Response`
            The answer.
        """
        given = {name: value for name, value in query.items() if value is not None}
        return self._answered("GET", path, params=given)

    def sent(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send something.

        Parameters
        ----------
        path : `str`
            The resource.
        body : `dict` [`str`, `typing.Any`]
            What to send.

        Returns
        -------
        answer : `dict` [`str`, `typing.Any`]
            What became of it.
        """
        found: dict[str, Any] = self._answered("POST", path, json=body).json()
        return found

    def _answered(self, method: str, path: str, **request: Any) -> httpx.Response:
        import httpx

        try:
            answer = self._http.request(method, path, **request)
        except httpx.HTTPError as error:
            raise ServerError(f"The dashboard at {self.url} does not answer: {error}.") from error
        if answer.is_success:
            return answer
        raise self._error(answer)

    def _error(self, answer: httpx.Response) -> AccessError | InputError | ServerError:
        """Return what the dashboard complains of, as it does itself."""
        try:
            said = answer.json()["error"]
            code, message = str(said["code"]), str(said["message"])
        except (ValueError, KeyError, TypeError):
            return ServerError(f"{self.url} answers {answer.status_code}, and not as a dashboard does.")
        if answer.status_code in (401, 403):
            return AccessError(message, answer.status_code)
        if answer.status_code == 404 and code != "not_found":
            return NotThereError(message)
        if answer.status_code == 422:
            return InputError(message)
        return ServerError(f"{self.url} answers {answer.status_code}: {message}")
