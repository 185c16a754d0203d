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

"""Finding the logs and metadata of quanta in a repository, and reading their
files.
"""

from __future__ import annotations

__all__ = ["Pair", "pairs", "read_pair"]

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from lsst.daf.butler import Butler, DatasetRef
from lsst.resources import ResourcePath

from ..errors import InputError
from .figures import Metadata
from .found import Found, data_id_words
from .keeper import Keeper
from .logs import LogEnd, read_log
from .policy import Policy

_KINDS = {"_metadata": ("TaskMetadata", "PropertySet"), "_log": ("ButlerLogRecords",)}


class Pair(NamedTuple):
    """The metadata and the log of a quantum, either of which may be absent.

    Attributes
    ----------
    task : `str`
        Label of the task.
    words : `str`
        Data ID in words.
    metadata, log : `lsst.daf.butler.DatasetRef` or `None`
        The datasets.
    """

    task: str
    words: str
    metadata: DatasetRef | None
    log: DatasetRef | None

    @property
    def refs(self) -> list[DatasetRef]:
        """The datasets that are there, at least one."""
        return [ref for ref in (self.metadata, self.log) if ref is not None]


def pairs(butler: Butler, run: str, where: str = "") -> Iterator[tuple[str, list[Pair]]]:
    """List the quanta of a run that left something, task by task.

    Parameters
    ----------
    butler : `lsst.daf.butler.Butler`
        A repository.
    run : `str`
        A RUN collection.
    where : `str`, optional
        Expression that the data IDs must fulfil.

    Yields
    ------
    task : `str`
        Label of a task.
    pairs : `list` [`Pair`]
        Its quanta, sorted by data ID.
    """
    (info,) = butler.collections.query_info(run, include_summary=True)
    held = set(info.dataset_types or ())
    labels = {name.removesuffix(kind) for name in held for kind in _KINDS if name.endswith(kind)}
    for label in sorted(labels):
        found: dict[str, dict[str, DatasetRef]] = {}
        for kind, classes in _KINDS.items():
            if label + kind not in held:
                continue
            for ref in butler.query_datasets(
                label + kind, run, find_first=False, where=where, explain=False, limit=None
            ):
                if ref.datasetType.storageClass_name in classes:
                    found.setdefault(data_id_words(ref.dataId.required), {})[kind] = ref
        if found:
            made = (
                (words, found[words].get("_metadata"), found[words].get("_log")) for words in sorted(found)
            )
            yield label, [Pair(label, *fields) for fields in made]


def read_pair(
    pair: Pair,
    uris: Mapping[DatasetRef, ResourcePath],
    known: Callable[[Pair], str | None],
    policy: Policy,
    told: Callable[[str], None],
) -> Found | None:
    """Read the files of a quantum.

    Parameters
    ----------
    pair : `Pair`
        The quantum.
    uris : `~collections.abc.Mapping`
        Files of its datasets.
    known : `~collections.abc.Callable`
        Returns the hash of what the database holds of it.
    policy : `Policy`
        Bounds.
    told : `~collections.abc.Callable`
        Is told about a file that cannot be read, or in part only.

    Returns
    -------
    found : `Found` or `None`
        The quantum; `None` if nothing of it has changed.
    """
    digest = hashlib.blake2b(repr(policy).encode(), digest_size=16)
    keeper = Keeper(policy)
    with contextlib.ExitStack() as stack:
        paths: dict[DatasetRef, str] = {}
        for ref in pair.refs:
            digest.update(ref.id.bytes)
            try:
                # A file that is far away is fetched once, for both readings.
                paths[ref] = stack.enter_context(uris[ref].as_local()).ospath
                with open(paths[ref], "rb") as stream:
                    while piece := stream.read(1 << 20):
                        digest.update(piece)
            except (OSError, KeyError) as error:
                paths.pop(ref, None)
                reason = "it is not stored any more" if isinstance(error, KeyError) else str(error)
                told(_complaint(ref, reason))
        content = digest.hexdigest()
        if known(pair) == content:
            return None
        metadata = _metadata(pair, paths, policy, told)
        end = _log(pair, paths, keeper, policy, told)
    status = "failed" if pair.metadata is None else "succeeded"
    return Found(
        pair.task,
        _values(pair.refs[0]),
        pair.words,
        status,
        end.attempts,
        metadata if metadata is not None else end.metadata,
        end.exception,
        end.n_before,
        keeper,
        str(pair.refs[-1].id),
        content,
    )


def _metadata(
    pair: Pair, paths: Mapping[DatasetRef, str], policy: Policy, told: Callable[[str], None]
) -> Metadata | None:
    if pair.metadata is None or pair.metadata not in paths:
        return None
    try:
        with open(paths[pair.metadata], "rb") as stream:
            text = stream.read(policy.most_bytes + 1)
        if len(text) > policy.most_bytes:
            raise InputError(f"it has more than {policy.most_bytes} bytes")
        read = json.loads(text)
        if not isinstance(read, Mapping):
            raise InputError("it is no object of JSON")
        return read
    except (OSError, ValueError) as error:
        told(_complaint(pair.metadata, str(error)))
        return None


def _log(
    pair: Pair,
    paths: Mapping[DatasetRef, str],
    keeper: Keeper,
    policy: Policy,
    told: Callable[[str], None],
) -> LogEnd:
    if pair.log is not None and pair.log in paths:
        try:
            with open(paths[pair.log], "rb") as stream:
                size = stream.seek(0, 2)
                stream.seek(0)
                return read_log(stream, size, keeper, policy)
        except (OSError, ValueError) as error:
            told(_complaint(pair.log, str(error)))
    return LogEnd(1, None, None, None)


def _complaint(ref: DatasetRef, reason: str) -> str:
    return f"{ref.datasetType.name} {ref.dataId} in {ref.run} ({ref.id}): {' '.join(reason.split())}"


def _values(ref: DatasetRef) -> Mapping[str, Any]:
    return dict((ref.dataId.mapping if ref.dataId.hasFull() else ref.dataId.required).items())
