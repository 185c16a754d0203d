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
"""The folder of a copy, which is replaced as a whole."""

from __future__ import annotations

__all__ = ["Folder"]

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ...errors import InputError

_LIST = ".lsst-qa-site"


class Folder:
    """A folder that holds a copy, or shall hold one.

    Parameters
    ----------
    path : `pathlib.Path`
        Where it is.

    Attributes
    ----------
    path : `pathlib.Path`
        Where it is, without links.
    size : `int`
        Bytes that were written.

    Raises
    ------
    InputError
        Raised if something else is there.
    """

    def __init__(self, path: Path):
        self.path = path.resolve()
        self.size = 0
        if self.path.exists() and not self.path.is_dir():
            raise InputError(f"{path} is a file: name a folder that is new, empty, or an earlier copy.")
        held = sorted(p.relative_to(self.path).as_posix() for p in self.path.rglob("*") if not p.is_dir())
        list_ = self.path / _LIST
        own = {_LIST, *list_.read_text().splitlines()} if list_.is_file() else set()
        if other := [name for name in held if name not in own]:
            raise InputError(
                f"{path} holds {other[0]}{f' and {len(other) - 1} more files' if len(other) > 1 else ''} "
                "that no copy of pages has made: name a folder that is new, empty, or an earlier copy."
            )

    @contextlib.contextmanager
    def writing(self) -> Iterator[Callable[[str, bytes], None]]:
        """Replace what the folder holds at the end of a block.

        Yields
        ------
        write : `~collections.abc.Callable`
            Takes the path of a file in the folder and its content.

        Raises
        ------
        InputError
            Raised if the folder cannot be written.
        """
        names: list[str] = []
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=f".{self.path.name}-", dir=self.path.parent) as made:
                new, old = Path(made) / "new", Path(made) / "old"
                new.mkdir()

                def write(name: str, content: bytes) -> None:
                    file = new / name
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_bytes(content)
                    names.append(name)
                    self.size += len(content)

                yield write
                (new / _LIST).write_text("".join(f"{name}\n" for name in names))
                if self.path.exists():
                    self.path.rename(old)
                new.rename(self.path)
        except OSError as error:
            raise InputError(f"{self.path} cannot be written: {error.strerror or error}.") from error
