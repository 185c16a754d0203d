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

"""Columns that are too long for the memory: arrays in files, which NumPy's
functions go over part by part.
"""

from __future__ import annotations

__all__ = ["Files", "NotInPartsError", "Stored"]

import math
import os
import uuid
import weakref
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..stats.selection import quantiles, slices

_AT_ONCE = 1 << 20
"""Values that may be asked for together."""


class NotInPartsError(TypeError):
    """What is to be done with a column takes all its values at once."""


class Stored(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of one dimension in a file.

    Operators and functions of NumPy that go value by value make another one;
    those that add up or count return a number, the same as of an array but
    for the order in which is added.

    Parameters
    ----------
    path : `~pathlib.Path`
        The file, of values and nothing else. What is made of them is put
        beside it, and removed as soon as nobody needs it.
    kind : `numpy.dtype`
        Type of the values.
    """

    def __init__(self, path: Path, kind: Any):
        self.dtype: np.dtype[Any] = np.dtype(kind)
        self._path = path
        self._size = path.stat().st_size // self.dtype.itemsize

    @classmethod
    def made(cls, beside: Path, parts: Iterator[np.ndarray]) -> Stored:
        """Write values to a file that goes when nobody needs it any more.

        Parameters
        ----------
        beside : `~pathlib.Path`
            A file in the folder that it is put in.
        parts : `~collections.abc.Iterator` [`numpy.ndarray`]
            The values, at least one part.

        Returns
        -------
        column : `Stored`
            The column.
        """
        path, kind = beside.with_name(uuid.uuid4().hex), None
        with path.open("wb") as file:
            for part in parts:
                kind = part.dtype
                part.tofile(file)
        column = cls(path, kind)
        weakref.finalize(column, _remove, path)
        return column

    def __len__(self) -> int:
        return self._size

    @property
    def shape(self) -> tuple[int]:
        """Number of values."""
        return (self._size,)

    def parts(self) -> Iterator[np.ndarray]:
        """Go over the values.

        Yields
        ------
        part : `numpy.ndarray`
            The next values, at least one part.
        """
        return (self[part] for part in _slices(self._size))

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return self._slice(key)
        if isinstance(key, Stored) and key.dtype == bool and len(key) == len(self):
            both = zip(self.parts(), key.parts())
            return self.made(self._path, (values[kept] for values, kept in both))
        raise NotInPartsError("A column that is in a file cannot be indexed by that.")

    def _slice(self, key: slice) -> np.ndarray:
        start, stop, step = key.indices(self._size)
        if len(range(start, stop, step)) > _AT_ONCE or step < 1:
            raise NotInPartsError("So many values of a column that is in a file are not for the memory.")
        if step > 1:
            held = []
            for part in _slices(self._size):
                first = start if part.start <= start else part.start + (start - part.start) % step
                held.append(self._read(first, min(part.stop, stop))[::step])
            return np.concatenate(held)
        return self._read(start, stop)

    def _read(self, start: int, stop: int) -> np.ndarray:
        size = self.dtype.itemsize
        return np.fromfile(self._path, self.dtype, max(stop - start, 0), offset=start * size)

    def __iter__(self) -> Iterator[Any]:
        raise NotInPartsError("The values of a column that is in a file are not for a loop.")

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise NotInPartsError("A column that is in a file does not fit in the memory.")

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or ufunc.nout != 1 or "out" in options:
            raise NotInPartsError(f"numpy.{ufunc.__name__} cannot do that part by part.")
        return self._by_value(ufunc, inputs, options)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Sequence[Any], options: Mapping[str, Any]
    ) -> Any:
        if function is np.where and len(args) == 3:
            return self._by_value(function, args, options)
        if function in _WHOLE and isinstance(args[0], Stored):
            return _WHOLE[function](*args, **options)
        raise NotInPartsError(f"numpy.{function.__name__} takes all values of a column at once.")

    def _by_value(
        self, function: Callable[..., Any], inputs: Sequence[Any], options: Mapping[str, Any]
    ) -> Stored:
        """Apply a function to the values of the same rows."""
        for values in inputs:
            if isinstance(values, Stored | np.ndarray) and values.shape not in ((), self.shape):
                raise NotInPartsError(f"A column of {len(self)} values does not go with {values.shape}.")

        def rows(values: Any, part: slice) -> Any:
            return values[part] if getattr(values, "shape", ()) else values

        return self.made(
            self._path,
            (function(*(rows(values, part) for values in inputs), **options) for part in _slices(self._size)),
        )

    def copy(self) -> np.ndarray:
        """Return the values as an array, which must not be too long."""
        return self._read(0, self._size)

    def astype(self, kind: Any, **_: Any) -> Stored:
        """Return the values as another type.

        Parameters
        ----------
        kind : `numpy.dtype`
            The type.
        **_
            Whether to copy, which is no question here.

        Returns
        -------
        column : `Stored`
            The same values.
        """
        return self.made(self._path, (part.astype(kind) for part in self.parts()))

    def all(self) -> bool:
        """Tell whether all values are true."""
        return all(bool(part.all()) for part in self.parts())

    def any(self) -> bool:
        """Tell whether a value is true."""
        return any(bool(part.any()) for part in self.parts())

    def min(self) -> Any:
        """Return the least value."""
        return min(part.min() for part in self.parts())

    def max(self) -> Any:
        """Return the greatest value."""
        return max(part.max() for part in self.parts())

    def sum(self) -> np.float64:
        """Return the sum."""
        return np.float64(math.fsum(part.sum() for part in self.parts()))

    def mean(self) -> np.float64:
        """Return the mean, NaN of no value."""
        return self.sum() / self._size if self._size else np.float64(np.nan)

    def std(self, ddof: int = 0) -> np.float64:
        """Return the standard deviation.

        Parameters
        ----------
        ddof : `int`, optional
            By how much the number of values is lessened.

        Returns
        -------
        std : `float`
            NaN for too few values.
        """
        if self._size <= ddof:
            return np.float64(np.nan)
        mean = self.mean()
        squares = math.fsum(((part - mean) ** 2).sum() for part in self.parts())
        return np.sqrt(np.float64(squares / (self._size - ddof)))


class Files:
    """The rows of a sample in files, those of each context apart.

    Parameters
    ----------
    folder : `~pathlib.Path`
        Where they are, and nothing else.

    Attributes
    ----------
    rows : `~collections.Counter` [`tuple` [`int`, `int`]]
        How many rows there are, by level and number of the context.
    """

    def __init__(self, folder: Path):
        folder.mkdir()
        self._folder = folder
        self._places: dict[str, int] = {}
        self._kinds: dict[str, np.dtype[Any]] = {}
        self.rows: Counter[tuple[int, int]] = Counter()

    def put(self, columns: Mapping[str, list[np.ndarray]], numbers: Sequence[np.ndarray]) -> None:
        """Add rows to those of their contexts.

        Parameters
        ----------
        columns : `~collections.abc.Mapping` [`str`, `list` [`numpy.ndarray`]]
            What there is of each column; these lists are emptied.
        numbers : `~collections.abc.Sequence` [`numpy.ndarray`]
            For each level, the context of each row, or that of all.
        """
        orders = [np.argsort(number, kind="stable") if len(number) > 1 else None for number in numbers]
        for name, parts in columns.items():
            values = np.concatenate(parts)
            parts.clear()
            self._places.setdefault(name, len(self._places))
            self._kinds[name] = values.dtype
            if not len(values):
                continue
            for level, (number, order) in enumerate(zip(numbers, orders)):
                if order is None:
                    self._add(name, level, int(number[0]), values)
                    continue
                ordered = number[order]
                starts = np.flatnonzero(np.diff(ordered, prepend=ordered[0] - 1))
                for own, rows in zip(ordered[starts].tolist(), np.split(values[order], starts[1:])):
                    self._add(name, level, own, rows)

    def column(self, name: str, level: int, number: int) -> Stored:
        """Return a column of a context.

        Parameters
        ----------
        name : `str`
            Which column.
        level, number : `int`
            Which context.

        Returns
        -------
        column : `Stored`
            Its values, in the order they came.
        """
        path = self._path(name, level, number)
        path.touch()  # where a context has none
        return Stored(path, self._kinds[name])

    def _add(self, name: str, level: int, number: int, values: np.ndarray) -> None:
        if not self._places[name]:
            self.rows[level, number] += len(values)
        with self._path(name, level, number).open("ab") as file:
            values.tofile(file)

    def _path(self, name: str, level: int, number: int) -> Path:
        return self._folder / f"{self._places[name]}.{level}.{number}"


def _count(column: Stored) -> int:
    return sum(int(np.count_nonzero(part)) for part in column.parts())


_WHOLE: dict[Callable[..., Any], Callable[..., Any]] = {
    np.count_nonzero: _count,
    np.median: lambda column: np.float64(quantiles(column, 0.5)[0] if len(column) else np.nan),
    np.sum: Stored.sum,
    np.mean: Stored.mean,
    np.std: Stored.std,
}


def _slices(size: int) -> Iterator[slice]:
    """Cut a column into parts, an empty one into one that is empty."""
    return slices(size) if size else iter((slice(0, 0),))


def _remove(path: Path) -> None:
    # The folder may be gone already.
    if path.exists():
        os.unlink(path)
