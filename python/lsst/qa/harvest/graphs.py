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

"""Reading quanta from provenance graphs, which hold logs and metadata in one
file.
"""

from __future__ import annotations

__all__ = ["GRAPH_TYPE", "graph_quanta"]

import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from lsst.daf.butler.logging import ButlerLogRecords
from lsst.pipe.base import QuantumAttemptStatus
from lsst.pipe.base.quantum_graph import ProvenanceQuantumGraphReader
from lsst.resources import ResourcePath

from .found import Found, data_id_words
from .keeper import Keeper
from .policy import Policy

GRAPH_TYPE = "run_provenance"
"""Dataset type of provenance graphs."""

_LEFT = ("log_id", "metadata_id")
_AT_ONCE = 200  # quanta whose logs are in memory together
_STATES = {
    QuantumAttemptStatus.SUCCESSFUL: "succeeded",
    QuantumAttemptStatus.ABORTED_SUCCESS: "succeeded",
    QuantumAttemptStatus.FAILED: "failed",
    QuantumAttemptStatus.BLOCKED: "blocked",
    QuantumAttemptStatus.ABORTED: "aborted",
    QuantumAttemptStatus.UNKNOWN: "unknown",
}


def graph_quanta(
    uri: ResourcePath,
    known: Callable[[str, str], str | None],
    policy: Policy,
    wanted: set[uuid.UUID] | None = None,
) -> Iterator[list[tuple[str, str, Found | None]]]:
    """Read the quanta of a provenance graph.

    Parameters
    ----------
    uri : `lsst.resources.ResourcePath`
        The graph.
    known : `~collections.abc.Callable`
        Returns, for task and data ID in words, the hash of what the database
        holds.
    policy : `Policy`
        Bounds.
    wanted : `set` [`uuid.UUID`], optional
        Identifiers of logs or metadata: only the quanta of these are read.
        Without them all are, also those that were never run.

    Yields
    ------
    quanta : `list` [`tuple`]
        Some of the quanta: task, data ID in words, and the quantum, or
        `None` in its place where nothing of it has changed.
    """
    with uri.as_local() as local, ProvenanceQuantumGraphReader.open(local) as reader:
        reader.read_quanta()
        nodes = reader.graph.quantum_only_xgraph.nodes
        chosen = [
            (task, data_id, quantum)
            for task, quanta in reader.graph.quanta_by_task.items()
            for data_id, quantum in quanta.items()
            if wanted is None or {nodes[quantum][name] for name in _LEFT} & wanted
        ]
        for start in range(0, len(chosen), _AT_ONCE):
            some = chosen[start : start + _AT_ONCE]
            found: list[tuple[str, str, Found | None]] = []
            changed = []
            for task, data_id, quantum in some:
                words, content = data_id_words(data_id.required), _hash(nodes[quantum], policy)
                if known(task, words) == content:
                    found.append((task, words, None))
                else:
                    changed.append((task, data_id, quantum, words, content))
            ids = [quantum for _, _, quantum, _, _ in changed]
            logs, metadata = reader.fetch_logs(ids), reader.fetch_metadata(ids)
            for task, data_id, quantum, words, content in changed:
                made = _found(
                    task,
                    data_id.mapping,
                    words,
                    nodes[quantum],
                    logs.get(quantum) or (),
                    metadata.get(quantum) or (),
                    Keeper(policy),
                    content,
                )
                found.append((task, words, made))
            yield found


def _found(
    task: str,
    data_id: Any,
    words: str,
    node: Any,
    logs: Sequence[ButlerLogRecords | None],
    metadata: Sequence[Any],
    keeper: Keeper,
    content: str,
) -> Found:
    for age, records in enumerate(reversed(logs)):
        keeper.begin(-age)
        for record in records or ():
            keeper.add(record.model_dump())
    attempts = node["attempts"]
    last = metadata[-1] if metadata else None
    raised = node["exception"]
    return Found(
        task,
        dict(data_id.items()),
        words,
        _STATES.get(node["status"], "unknown"),
        len(attempts),
        None if last is None else last.model_dump(),
        None if raised is None else (raised.type_name, raised.message),
        len(attempts[-1].previous_process_quanta) if attempts else None,
        keeper,
        str(node["log_id"]),
        content,
    )


def _hash(node: Any, policy: Policy) -> str:
    """Hash what tells one state of a quantum from another: its attempts."""
    digest = hashlib.blake2b(repr(policy).encode(), digest_size=16)
    digest.update(node["log_id"].bytes + node["metadata_id"].bytes)
    for attempt in node["attempts"]:
        digest.update(attempt.model_dump_json().encode())
    return digest.hexdigest()
