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

"""The exceptions of the package, one tree.

Callers branch on a class, never on a text.

    QaError                      anything this package refuses to do
    ├── DefinitionError          a declaration is wrong (ValueError)
    ├── UnknownNameError         a name is in no catalogue (LookupError)
    ├── InputError               an input cannot be used (ValueError)
    │   ├── NotATableError       not a table, or a file cut short
    │   ├── AmbiguousTableError  several kinds of table fit, or none
    │   └── MissingColumnError   columns that a metric needs are absent
    ├── CollectionError          a repository lacks datasets (LookupError)
    ├── DatabaseError            a database does not answer (RuntimeError)
    ├── SimulationError          a survey cannot be simulated (ValueError)
    ├── MetricRunError           metrics of a quantum failed (RuntimeError)
    ├── TargetError              a place to publish to (RuntimeError)
    │   ├── RejectedError        it rejects what it is sent (ValueError)
    │   ├── TargetDownError      it does not answer, or asks to wait
    │   └── TargetRefusedError   it refuses who asks
    ├── AccessError              who asks may not (PermissionError)
    ├── ServerError              a dashboard does not answer (RuntimeError)
    │   └── NotThereError        it has no such thing (LookupError)
    └── BudgetError              a memory budget cannot be kept (ValueError)
"""

from __future__ import annotations

__all__ = [
    "AccessError",
    "AmbiguousTableError",
    "BudgetError",
    "CollectionError",
    "DatabaseError",
    "DefinitionError",
    "InputError",
    "MetricRunError",
    "MissingColumnError",
    "NotATableError",
    "NotThereError",
    "QaError",
    "RejectedError",
    "ServerError",
    "SimulationError",
    "TargetDownError",
    "TargetError",
    "TargetRefusedError",
    "UnknownNameError",
    "closest",
]

import difflib
from collections.abc import Iterable


class QaError(Exception):
    """Base of all the errors that a user can cause and mend.

    Attributes
    ----------
    code : `str`
        Stable name of the kind of error, for logs and for the API.
    """

    code: str = "error"


class DefinitionError(QaError, ValueError):
    """A declaration is wrong; the message lists all its faults at once."""

    code = "definition"


class UnknownNameError(QaError, LookupError):
    """A name is not in the catalogue that was asked.

    Parameters
    ----------
    kind : `str`
        What was looked for, "metric" for instance.
    name : `str`
        The name that is unknown.
    known : `~collections.abc.Iterable` [`str`]
        The names that exist.
    """

    code = "unknown_name"

    def __init__(self, kind: str, name: str, known: Iterable[str]):
        self.name = name
        super().__init__(f"There is no {kind} {name!r}.{closest(name, known)}")


class InputError(QaError, ValueError):
    """An input cannot be used as it is."""

    code = "input"


class NotATableError(InputError):
    """A file is not a table that can be read, or is cut short."""

    code = "not_a_table"


class AmbiguousTableError(InputError):
    """The kind of table cannot be told from its columns."""

    code = "ambiguous_table"


class MissingColumnError(InputError):
    """Columns that are needed are absent.

    Parameters
    ----------
    message : `str`
        What is missing, what is there, and what would still work.
    missing : `tuple` [`str`]
        Names of the absent columns.
    """

    code = "missing_column"

    def __init__(self, message: str, missing: tuple[str, ...] = ()):
        self.missing = missing
        super().__init__(message)


class CollectionError(QaError, LookupError):
    """A repository lacks a collection, a dataset type or datasets."""

    code = "collection"


class DatabaseError(QaError, RuntimeError):
    """A metrics database does not answer, or is not of this schema."""

    code = "database"


class SimulationError(QaError, ValueError):
    """A simulated survey is declared wrongly, or its place is taken."""

    code = "simulation"


class MetricRunError(QaError, RuntimeError):
    """Some metrics of a quantum failed; their rows say why."""

    code = "metric_run"


class TargetError(QaError, RuntimeError):
    """A place that results are published to cannot be used."""

    code = "target"


class RejectedError(TargetError, ValueError):
    """A target rejects what it is sent, and will whenever it is sent.

    Parameters
    ----------
    message : `str`
        What it says.
    number : `int` or `None`
        The number that the target gives to the error.
    """

    code = "rejected"

    def __init__(self, message: str, number: int | None = None):
        self.number = number
        super().__init__(message)


class TargetDownError(TargetError):
    """A target does not answer now, or asks to be left alone for a while.

    Parameters
    ----------
    message : `str`
        What happened.
    retry_after : `float` or `None`
        Seconds to wait, where the target says so.
    """

    code = "target_down"

    def __init__(self, message: str, retry_after: float | None = None):
        self.retry_after = retry_after
        super().__init__(message)


class TargetRefusedError(TargetError):
    """A target refuses who asks: a token is missing, wrong or too weak."""

    code = "target_refused"


class AccessError(QaError, PermissionError):
    """Who asks is not known, or may not do what they ask for.

    Parameters
    ----------
    message : `str`
        What they may not, and what would let them.
    status : `int`, optional
        HTTP status: 401 for who is not known, 403 for who may not.
    """

    code = "access"

    def __init__(self, message: str, status: int = 403):
        self.status = status
        super().__init__(message)


class ServerError(QaError, RuntimeError):
    """A dashboard does not answer, or not as a dashboard does."""

    code = "server"


class NotThereError(ServerError, LookupError):
    """A dashboard does not have what it was asked for."""

    code = "not_there"


class BudgetError(QaError, ValueError):
    """A declared memory budget cannot be kept."""

    code = "budget"


def closest(name: str, known: Iterable[str]) -> str:
    """Say which known names a misspelt one may have meant.

    Parameters
    ----------
    name : `str`
        The unknown name.
    known : `~collections.abc.Iterable` [`str`]
        The names that exist.

    Returns
    -------
    hint : `str`
        A sentence beginning with a space, or "" where nothing is near.
    """
    folded = {k.lower(): k for k in sorted(known)}
    near = [folded[k] for k in difflib.get_close_matches(name.lower(), list(folded), n=3, cutoff=0.6)]
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
