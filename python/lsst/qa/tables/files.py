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

"""Opening a table file: Parquet, FITS (afw catalogues too) or ECSV."""

from __future__ import annotations

__all__ = ["ParquetTable", "open_table"]

import gzip
import zlib
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..errors import NotATableError
from .ahead import ahead
from .images import mask_of, mask_tally, tally_table
from .readable import BATCH_ROWS, InMemory, Readable, arrow_text, arrow_units, as_numpy, from_astropy

_BUFFER = 1 << 20
_AFW_UNITS = {
    "coord_ra": "rad",
    "coord_dec": "rad",
}  # afw's catalogues hold radians, older ones do not say so


def open_table(path: str | Path) -> Readable:
    """Open a table file, whose format its first bytes tell.

    Parameters
    ----------
    path : `str` or `~pathlib.Path`
        Name of the file.

    Returns
    -------
    table : `Readable`
        The table.

    Raises
    ------
    NotATableError
        Raised if there is no such file, or it is not a table, or cut short.
    """
    path = Path(path)
    try:
        start = _first_bytes(path)
        if start.startswith(b"PAR1"):
            return ParquetTable(path)
        if start.startswith(b"SIMPLE  ="):
            return _open_fits(path)
        if start.startswith(b"# %ECSV"):
            return _open_ecsv(path)
    except (OSError, EOFError, zlib.error, pa.ArrowException, ValueError, TypeError, IndexError) as error:
        if isinstance(error, FileNotFoundError):
            raise NotATableError(f"There is no file {str(path)!r}.") from error
        if isinstance(error, NotATableError):
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise NotATableError(f"{path} cannot be read as a table, it may be cut short: {reason}") from error
    raise NotATableError(f"{path} is no table: it is neither Parquet, FITS nor ECSV.")


class ParquetTable:
    """A Parquet file, read in batches of rows.

    Parameters
    ----------
    path : `~pathlib.Path`
        Name of the file.
    """

    def __init__(self, path: str | Path):
        self.name = Path(path).name
        # Read once: of a wide table it is long.
        metadata = pq.read_metadata(path)
        texts = [field.name for field in metadata.schema.to_arrow_schema() if arrow_text(field.type)]
        # Batches bound memory, not row groups: those of a butler hold up to a
        # gigabyte.
        self._file = pq.ParquetFile(
            path, metadata=metadata, buffer_size=_BUFFER, pre_buffer=False, read_dictionary=texts
        )
        self.n_rows = metadata.num_rows
        schema = self._file.schema_arrow
        self.units = arrow_units(schema)
        self.texts = frozenset(field.name for field in schema if arrow_text(field.type))

    def pieces(self, names: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Read columns, some rows at a time.

        Parameters
        ----------
        names : `~collections.abc.Sequence` [`str`]
            Columns to read.

        Yields
        ------
        piece : `dict` [`str`, `numpy.ndarray`]
            The columns of the next rows.

        Raises
        ------
        NotATableError
            Raised if the file is damaged.
        """
        # The second core decodes the next rows: to share out the columns of
        # each batch among threads takes more than it saves.
        pieces = self._decoded(names)
        return ahead(pieces) if self.n_rows > BATCH_ROWS else pieces

    def _decoded(self, names: Sequence[str]) -> Generator[dict[str, Any], None, None]:
        try:
            for batch in self._file.iter_batches(BATCH_ROWS, columns=list(names), use_threads=False):
                yield {name: as_numpy(batch.column(name)) for name in names}
        except (OSError, pa.ArrowException) as error:
            raise NotATableError(f"{self.name} is damaged: {error}") from error
        finally:
            pa.default_memory_pool().release_unused()


def _first_bytes(path: Path) -> bytes:
    with _unzipped(path) as file:
        return file.read(16)


def _unzipped(path: Path) -> gzip.GzipFile | BinaryIO:
    with open(path, "rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    return gzip.GzipFile(path) if zipped else open(path, "rb")


def _open_ecsv(path: Path) -> InMemory:
    from astropy.table import Table

    return from_astropy(Table.read(path, format="ascii.ecsv"), path.name)


def _open_fits(path: Path) -> InMemory:
    import warnings

    from astropy.io import fits
    from astropy.utils.exceptions import AstropyUserWarning

    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*truncated.*", category=AstropyUserWarning)
        warnings.filterwarnings("ignore", message=".*Error validating header.*", category=AstropyUserWarning)
        try:
            # Opened here: Astropy leaves a file open that it cannot read.
            with _unzipped(path) as file, fits.open(file, memmap=False) as hdus:
                _require_whole(path, file, [hdu.fileinfo() for hdu in hdus])
                if mask_of(hdus) is not None:
                    return tally_table([({}, mask_tally(path))], path.name)
                table = next((hdu for hdu in hdus if isinstance(hdu, fits.BinTableHDU)), None)
                if table is None:
                    raise NotATableError(f"{path} is a FITS file without a table, or a mask.")
                return _from_fits(table, path.name)
        except AstropyUserWarning as warning:
            raise NotATableError(f"{path} is cut short: {warning}") from warning


def _require_whole(path: Path, file: Any, places: list[dict[str, int]]) -> None:
    """Refuse a file that ends within one of its parts, even after the table:
    Astropy reads what comes before, and says nothing.
    """
    end = places[-1]["datLoc"] + places[-1]["datSpan"]
    file.seek(0)
    length = sum(map(len, iter(lambda: file.read(1 << 20), b"")))
    file.seek(min(end, length))
    if length < end or file.read(8) == b"XTENSION":
        raise NotATableError(f"{path} is cut short: it has {length} bytes, and its parts go on after that.")


def _from_fits(hdu: Any, name: str) -> InMemory:
    """Take the columns of a table HDU, with afw's flags and aliases where it
    has them.
    """
    header, data = hdu.header, hdu.data
    own_units = _AFW_UNITS if "AFW_TYPE" in header else {}
    columns: dict[str, np.ndarray] = {}
    units: dict[str, str] = {}
    for column in hdu.columns:
        values = np.asarray(data[column.name])
        if column.name == "flags" and "TFLAG1" in header:
            columns.update(_flags(values, header))
        elif values.ndim > 1:
            columns.update({f"{column.name}_{i}": _native(values[:, i]) for i in range(values.shape[1])})
        else:
            columns[column.name] = _native(values)
            units[column.name] = column.unit or own_units.get(column.name, "")
    if header.get("AFW_TYPE") == "EXPOSURE":
        # Its detector column points into the file's archive; the detector's
        # number is the record's id.
        columns["detectorId"], units["detectorId"] = columns["id"], ""
    for alias, target in _aliases(header):
        for original in [key for key in columns if key == target or key.startswith(f"{target}_")]:
            columns.setdefault(alias + original[len(target) :], columns[original])
            units.setdefault(alias + original[len(target) :], units.get(original, ""))
    return InMemory(columns, units, name)


def _flags(bits: np.ndarray, header: Any) -> dict[str, np.ndarray]:
    named = {header[f"TFLAG{i + 1}"]: i for i in range(bits.shape[1]) if f"TFLAG{i + 1}" in header}
    return {name: np.ascontiguousarray(bits[:, i]) for name, i in named.items()}


def _aliases(header: Any) -> list[tuple[str, str]]:
    """List afw's aliases, "name:target", of which a header has many under one
    keyword.
    """
    pairs = (str(card.value).split(":", 1) for card in header.cards if card.keyword == "ALIAS")
    return [(pair[0], pair[1]) for pair in pairs if len(pair) == 2]


def _native(values: np.ndarray) -> np.ndarray:
    return values.astype(values.dtype.newbyteorder("="), copy=False)
