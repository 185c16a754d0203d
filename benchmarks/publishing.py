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

"""What publishing costs."""

from __future__ import annotations

__all__ = ["publish"]

import tempfile
import time
from collections.abc import Callable
from typing import Any

from .measurements import RUN, started

Answer = dict[str, Any]


def publish(repo: str, target: str) -> Callable[[], Answer]:
    """Publish a repository to an empty target, as the command does."""
    from lsst.qa.publish.publishing import publish as publish_results
    from lsst.qa.publish.targets import database, file, sasquatch  # noqa: F401

    folder = tempfile.TemporaryDirectory()
    ledger = f"sqlite:///{folder.name}/ledger.sqlite3"
    urls = {"file": f"file://{folder.name}/records.jsonl", "SQLite": f"sqlite:///{folder.name}/qa.sqlite3"}
    if target == "proxy":
        process, urls["proxy"] = started()

    def work() -> Answer:
        begun = time.perf_counter()
        (outcome,) = publish_results(repo, [RUN], [urls[target]], ledger).outcomes
        speed = outcome.records / (time.perf_counter() - begun)
        if target == "proxy":
            assert process.stdin is not None
            process.stdin.close()  # what it took is not waited for, nor counted
        if outcome.down is not None or outcome.counts["dead"]:
            return {"failed": [outcome.down or "some are dead"]}
        share = 1e3 * outcome.requests / outcome.records
        note = f"{speed:,.0f} records a second, {share:.2g} requests per 1,000"
        # The folder goes when nobody needs it any more.
        return {"records": outcome.records, "note": note, "folder": folder.name}

    return work
