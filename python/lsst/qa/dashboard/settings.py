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

"""What whoever starts a dashboard decides about it."""

from __future__ import annotations

__all__ = ["LOOPBACK", "Settings", "Token", "networks", "read_tokens"]

import dataclasses
import hashlib
import ipaddress
import os
import stat
from collections.abc import Iterable

from ..errors import InputError

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
"""Names that a browser on the same machine uses."""

_SHORTEST = 16
_SCOPES = ("read", "write")

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclasses.dataclass(frozen=True)
class Token:
    """A secret word that lets whoever knows it in.

    Attributes
    ----------
    name : `str`
        Who it was given to.
    may_write : `bool`
        Whether it allows to start jobs and to annotate.
    digest : `bytes`
        SHA-256 of the word, which is not kept itself.
    """

    name: str
    may_write: bool
    digest: bytes = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of a dashboard.

    Attributes
    ----------
    root_path : `str`
        Path prefix that a proxy adds, as in "/qa".
    hosts : `tuple` [`str`, ...]
        Names that browsers may use for it, besides those of the loopback.
    tokens : `tuple` [`Token`, ...]
        Who may come in.
    private : `bool`
        Whether reading needs a token or a user, too.
    proxies : `tuple`
        Networks of the proxies whose word about the user is believed.
    body_limit : `int`
        The most bytes that a request may send.
    rate : `float`
        The most requests that one client may send, per second in the long
        run; a hundredth of them may change something.
    """

    root_path: str = ""
    hosts: tuple[str, ...] = ()
    tokens: tuple[Token, ...] = ()
    private: bool = False
    proxies: tuple[Network, ...] = ()
    body_limit: int = 1 << 20
    rate: float = 200.0

    def __post_init__(self) -> None:
        if self.private and not (self.tokens or self.proxies):
            raise InputError("Nobody could read a private dashboard that has neither tokens nor a proxy.")


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Read the addresses of proxies.

    Parameters
    ----------
    texts : `~collections.abc.Iterable` [`str`]
        Addresses or networks, as in "10.0.0.7" or "10.0.0.0/24".

    Returns
    -------
    networks : `tuple`
        The networks.

    Raises
    ------
    InputError
        Raised if one is no address.
    """
    try:
        return tuple(ipaddress.ip_network(text) for text in texts)
    except ValueError as error:
        raise InputError(f"A trusted proxy is given by its address or network: {error}.") from error


def read_tokens(path: str) -> tuple[Token, ...]:
    """Read the file of tokens.

    Parameters
    ----------
    path : `str`
        File that only its owner can read, a line a token: a name, "read" or
        "write", and the token, separated by spaces. Lines that begin with
        "#" are comments.

    Returns
    -------
    tokens : `tuple` [`Token`, ...]
        The tokens.

    Raises
    ------
    InputError
        Raised if the file cannot be read, if others can read it, or if a
        line is wrong; the message does not repeat a token.
    """
    try:
        with open(path, encoding="utf-8") as stream:
            if os.name == "posix" and stat.S_IMODE(os.fstat(stream.fileno()).st_mode) & 0o077:
                raise InputError(f"Others can read or change the tokens in {path}: chmod 600 {path}.")
            lines = stream.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The tokens in {path} cannot be read: {error}.") from error
    found, faults = [], []
    for number, line in enumerate(lines, 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != 3 or words[1] not in _SCOPES:
            faults.append(f"line {number} is not 'NAME read TOKEN' or 'NAME write TOKEN'")
        elif len(words[2]) < _SHORTEST:
            faults.append(f"the token in line {number} has fewer than {_SHORTEST} characters")
        else:
            found.append(Token(words[0], words[1] == "write", hashlib.sha256(words[2].encode()).digest()))
    if faults or not found:
        raise InputError(f"{path}: {'; '.join(faults) or 'there is no token in it'}.")
    return tuple(found)
