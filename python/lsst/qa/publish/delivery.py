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

"""Getting records to a target: attempts, waiting, and giving up."""

from __future__ import annotations

__all__ = ["Policy", "deliver"]

import random
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_random_exponential

from ..errors import RejectedError, TargetDownError
from .record import Record
from .targets.base import Reply, Target


class Policy(NamedTuple):
    """How patient an uploader is.

    Attributes
    ----------
    attempts : `int`
        How many attempts in a row may achieve nothing. If the target did
        not answer them, it counts as down, and nothing more is sent to it.
    first_wait, longest_wait : `float`
        Seconds before the second attempt, and the most before any; between
        them the time doubles, and a random part of it is waited.
    longest_asked : `float`
        The most seconds that a target may ask to wait.
    """

    attempts: int = 8
    first_wait: float = 0.25
    longest_wait: float = 30.0
    longest_asked: float = 300.0


DEFAULT_POLICY = Policy()


def deliver(
    target: Target,
    request: Sequence[Record],
    report: Callable[[Record, Reply], None],
    policy: Policy,
    alive: Callable[[], None] = lambda: None,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Send a request, as often as it takes.

    Parameters
    ----------
    target : `Target`
        Where to.
    request : `~collections.abc.Sequence` [`Record`]
        One of the target's requests.
    report : `~collections.abc.Callable`
        Is told the fate of each record as soon as it is known: acknowledged,
        dead, or failed if the target keeps answering that it cannot take it.
    policy : `Policy`
        How patiently.
    alive : `~collections.abc.Callable`, optional
        Is called before every attempt.
    sleep : `~collections.abc.Callable`, optional
        Waits some seconds.

    Raises
    ------
    TargetDownError
        Raised if the target did not answer the last attempt either.
    TargetRefusedError
        Raised if it refuses who asks.
    """
    retrying = Retrying(
        stop=stop_after_attempt(policy.attempts),
        wait=_Waiting(policy),
        retry=retry_if_exception_type((TargetDownError, _NothingDoneError)),
        sleep=sleep,
        reraise=True,
    )
    parts = [list(request)]
    while parts:
        part = parts.pop()
        try:
            left = retrying(_attempt, target, part, report, alive)
        except _NothingDoneError as error:
            for record, reply in zip(part, error.replies, strict=True):
                report(record, reply)
        except RejectedError as error:
            # One record can make the target reject all: halves tell which.
            if len(part) == 1:
                report(part[0], Reply("dead", str(error)))
            else:
                parts += [part[len(part) // 2 :], part[: len(part) // 2]]
        else:
            parts += [left] if left else []


def _attempt(
    target: Target, part: list[Record], report: Callable[[Record, Reply], None], alive: Callable[[], None]
) -> list[Record]:
    """Attempt once; return the records that are still to be sent."""
    alive()
    replies = target.send(part)
    if all(reply.state == "failed" for reply in replies):
        raise _NothingDoneError(replies)
    left = []
    for record, reply in zip(part, replies, strict=True):
        if reply.state == "failed":
            left.append(record)
        else:
            report(record, reply)
    return left


class _NothingDoneError(Exception):
    """Every record of a request failed."""

    def __init__(self, replies: Sequence[Reply]):
        self.replies = replies
        super().__init__(replies[0].detail)


class _Waiting:
    """How long to wait before the next attempt."""

    def __init__(self, policy: Policy):
        self._longest_asked = policy.longest_asked
        self._own = wait_random_exponential(multiplier=policy.first_wait, max=policy.longest_wait)

    def __call__(self, state: RetryCallState) -> float:
        own = self._own(state)
        asked = getattr(state.outcome.exception() if state.outcome else None, "retry_after", None)
        if asked is None:
            return own
        # Not before what was asked for, and not all uploaders at once.
        return min(asked, self._longest_asked) + random.uniform(0.0, min(own, 1.0))
