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

"""Who asks, and what they may do."""

from __future__ import annotations

__all__ = ["FORM_TOKEN", "FORM_TOKEN_HEADER", "SESSION", "USER_HEADER", "Access", "Identity"]

import hashlib
import hmac
import ipaddress
import logging
import os
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.requests import Request

from ..errors import AccessError
from .settings import Settings

SESSION = "qa_session"
"""Name of the cookie of who signed in."""

SESSION_SECONDS = 12 * 3600
"""How long one stays signed in."""

FORM_TOKEN = "form_token"
"""Field of a form that shows that it was on a page of this site."""

FORM_TOKEN_HEADER = "x-qa-form-token"
"""Header that shows the same for a script."""

USER_HEADER = "x-auth-request-user"
"""Header in which a trusted proxy names the user."""

_LOG = logging.getLogger(__name__)
_LONGEST_NAME = 200
_HOW = "Sign in, or send a token that may write in the header 'Authorization: Bearer TOKEN'."


class Identity(NamedTuple):
    """Who asks.

    Attributes
    ----------
    name : `str`
        The user.
    may_write : `bool`
        Whether they may start jobs and annotate.
    ambient : `str`
        What a browser sends on its own and so proves nothing about who made
        it ask: the session, or the name from the proxy. Empty for a token in
        a header.
    """

    name: str
    may_write: bool
    ambient: str


class Access:
    """Tells who asks, and refuses what they may not do.

    Parameters
    ----------
    settings : `Settings`
        Tokens and proxies to believe.
    """

    def __init__(self, settings: Settings):
        self.settings = settings
        self._secret = os.urandom(32)

    def identify(self, request: Request) -> Identity | None:
        """Tell who asks.

        Parameters
        ----------
        request : `starlette.requests.Request`
            The request.

        Returns
        -------
        identity : `Identity` or `None`
            Who it is, as far as they say.

        Raises
        ------
        AccessError
            Raised if they send a token that is none.
        """
        if (header := request.headers.get("authorization")) is not None:
            kind, _, word = header.partition(" ")
            found = self.by_token(word.strip()) if kind.lower() == "bearer" else None
            if found is None:
                raise AccessError("This token is not known here.", 401)
            return found
        return self._by_proxy(request) or self._by_session(request.cookies.get(SESSION, ""))

    def by_token(self, word: str) -> Identity | None:
        """Tell whose token a word is.

        Parameters
        ----------
        word : `str`
            A word.

        Returns
        -------
        identity : `Identity` or `None`
            Whose it is.
        """
        digest = hashlib.sha256(word.encode()).digest()
        # All are compared, so that the time tells nothing.
        matches = [token for token in self.settings.tokens if hmac.compare_digest(token.digest, digest)]
        return Identity(matches[0].name, matches[0].may_write, "") if matches else None

    def session(self, identity: Identity) -> str:
        """Return what the cookie of who signed in holds.

        Parameters
        ----------
        identity : `Identity`
            Who signed in.

        Returns
        -------
        value : `str`
            Value of the cookie, of no use when the server was started anew.
        """
        scope = "write" if identity.may_write else "read"
        said = f"{int(time.time()) + SESSION_SECONDS} {scope} {identity.name}".encode()
        return f"{said.hex()}.{self._signed('session', said)}"

    def form_token(self, identity: Identity | None) -> str:
        """Return the word that a form needs.

        Parameters
        ----------
        identity : `Identity` or `None`
            Who is shown the form.

        Returns
        -------
        token : `str`
            The word; empty for who may not write.
        """
        if identity is None or not identity.may_write:
            return ""
        return self._signed("form", f"{identity.name} {identity.ambient}".encode())

    def require_reader(self, identity: Identity | None) -> None:
        """Refuse who may not read.

        Parameters
        ----------
        identity : `Identity` or `None`
            Who asks.

        Raises
        ------
        AccessError
            Raised if they may not.
        """
        if self.settings.private and identity is None:
            raise AccessError(
                "Reading needs a token here: sign in, or send 'Authorization: Bearer TOKEN'.", 401
            )

    def require_writer(self, request: Request, identity: Identity | None, form_token: str) -> str:
        """Refuse who may not write, and a browser that another site misuses.

        Parameters
        ----------
        request : `starlette.requests.Request`
            The request.
        identity : `Identity` or `None`
            Who asks.
        form_token : `str`
            What the form, or the header, holds.

        Returns
        -------
        who : `str`
            The user.

        Raises
        ------
        AccessError
            Raised if they may not.
        """
        if identity is None:
            raise AccessError(f"This needs to know who asks. {_HOW}", 401)
        if not identity.may_write:
            raise AccessError(f"{identity.name} may read here, but change nothing. {_HOW}")
        if identity.ambient:
            self.require_same_site(request)
            if not hmac.compare_digest(form_token.encode(), self.form_token(identity).encode()):
                raise AccessError("This form is out of date. Load its page again, and send it once more.")
        _LOG.info("%r is let to %s %r", identity.name, request.method, request.url.path)
        return identity.name

    def require_same_site(self, request: Request) -> None:
        """Refuse what a page of another site made a browser ask.

        Parameters
        ----------
        request : `starlette.requests.Request`
            The request.

        Raises
        ------
        AccessError
            Raised if that is so.
        """
        headers = request.headers
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise AccessError("This request came from a page of another site.")
        origin = headers.get("origin")
        if origin is None:
            return
        named = urlsplit(origin)
        if named.netloc != headers.get("host") and named.hostname not in self.settings.hosts:
            raise AccessError("This request came from a page of another site.")

    def _by_proxy(self, request: Request) -> Identity | None:
        name = request.headers.get(USER_HEADER, "").strip()
        if not name or request.client is None or not self.settings.proxies:
            return None
        try:
            address = ipaddress.ip_address(request.client.host)
        except ValueError:
            return None
        if not any(address in network for network in self.settings.proxies):
            return None
        if len(name) > _LONGEST_NAME or not name.isprintable():
            raise AccessError("The proxy's name of the user is no name.", 401)
        return Identity(name, True, f"proxy {name}")

    def _by_session(self, cookie: str) -> Identity | None:
        held, _, signature = cookie.partition(".")
        try:
            said = bytes.fromhex(held)
        except ValueError:
            return None
        if not hmac.compare_digest(signature.encode(), self._signed("session", said).encode()):
            return None
        until, scope, name = said.decode().split(" ", 2)
        return Identity(name, scope == "write", f"session {cookie}") if time.time() < int(until) else None

    def _signed(self, purpose: str, said: bytes) -> str:
        return hmac.new(self._secret, purpose.encode() + b" " + said, hashlib.sha256).hexdigest()
