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

"""Asking a dashboard from a notebook."""

from __future__ import annotations

__all__ = ["Client"]

import os
import types
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .asking import Asking

if TYPE_CHECKING:
    import datetime

    from astropy.table import Table

_TOKEN = "LSST_QA_TOKEN"


class Client:
    """A dashboard, asked for tables.

    Every method that returns a table asks for all of it, page by page; numbers
    have their units where all rows share one, and what is undefined is
    masked.

    Parameters
    ----------
    url : `str`
        Address of the dashboard, as in "http://localhost:8765".
    token : `str`, optional
        Token that lets one in; by default that of the environment variable
        ``LSST_QA_TOKEN``, if there is one.

    Examples
    --------
    >>> client = lsst.qa.Client("http://localhost:8765")
    >>> run = client.runs(1)["name"][0]
    >>> client.verdicts(run)["metric", "band", "value", "state"]
    """

    def __init__(self, url: str, token: str | None = None):
        self._ask = Asking(url, token or os.environ.get(_TOKEN))
        self.url = self._ask.url

    def __repr__(self) -> str:
        return f"Client({self.url!r})"

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: types.TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave the dashboard."""
        self._ask.close()

    def runs(self, limit: int | None = None) -> Table:
        """Return runs.

        Parameters
        ----------
        limit : `int`, optional
            The most to return; all by default.

        Returns
        -------
        runs : `astropy.table.Table`
            The latest first.
        """
        return self._ask.listed("runs", limit)

    def packages(self, run: str) -> dict[str, str | None]:
        """Return the packages that a run was made with.

        Parameters
        ----------
        run : `str`
            Name or identifier of the run.

        Returns
        -------
        packages : `dict` [`str`, `str`]
            Versions by name.
        """
        items = self._ask.got("packages", run=run).json()["items"]
        return {item["name"]: item["version"] for item in items}

    def metrics(self) -> Table:
        """Return the definitions of metrics.

        Returns
        -------
        metrics : `astropy.table.Table`
            By name; thresholds as JSON.
        """
        return self._ask.listed("metrics")

    def measurements(
        self,
        run: str | None = None,
        metric: str | None = None,
        band: str | None = None,
        *,
        detectors: bool = False,
        status: str | None = None,
        limit: int | None = None,
    ) -> Table:
        """Return measurements.

        Parameters
        ----------
        run, metric, band : `str`, optional
            Only of this run, metric and band.
        detectors : `bool`, optional
            Also those of single detectors.
        status : `str`, optional
            Only those of this status.
        limit : `int`, optional
            The most to return; all by default.

        Returns
        -------
        measurements : `astropy.table.Table`
            As they were loaded.
        """
        asked = {"run": run, "metric": metric, "band": band, "detectors": detectors, "status": status}
        return self._ask.listed("measurements", limit, **asked)

    def series(
        self,
        metric: str,
        band: str | None = None,
        *,
        run: str | None = None,
        over: str = "observations",
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
        width: int = 1000,
    ) -> Table:
        """Return a metric over time.

        Parameters
        ----------
        metric, band : `str`
            Which metric, and of which band; all bands by default.
        run : `str`, optional
            Only of this run.
        over : `str`, optional
            "observations" or "runs".
        since, until : `datetime.datetime`, optional
            Only from this time on, and up to that.
        width : `int`, optional
            The most stretches of time.

        Returns
        -------
        series : `astropy.table.Table`
            Lowest, highest and mean value by band and stretch.
        """
        times = {"since": since and since.isoformat(), "until": until and until.isoformat()}
        return self._ask.table("series", metric=metric, band=band, run=run, over=over, width=width, **times)

    def verdicts(self, run: str, state: str | None = None) -> Table:
        """Return the verdicts of a run.

        Parameters
        ----------
        run : `str`
            Name or identifier of the run.
        state : `str`, optional
            Only those in this state.

        Returns
        -------
        verdicts : `astropy.table.Table`
            By metric and band.
        """
        return self._ask.table("verdicts", run=run, state=state)

    def compare(self, before: str, after: str) -> Table:
        """Return what differs between two runs.

        Parameters
        ----------
        before, after : `str`
            Names or identifiers of the runs.

        Returns
        -------
        changes : `astropy.table.Table`
            By metric and band, what got worse most first.
        """
        return self._ask.table("compare", before=before, after=after)

    def search(self, text: str) -> Table:
        """Find metrics, runs, data IDs and quanta.

        Parameters
        ----------
        text : `str`
            Words, or numbers of visits and tracts.

        Returns
        -------
        hits : `astropy.table.Table`
            What was found.
        """
        return self._ask.table("search", q=text)

    def logs(self, text: str = "", *, run: str | None = None, level: int = 0, limit: int = 1000) -> Table:
        """Return what was logged.

        Parameters
        ----------
        text : `str`, optional
            Words to be in the record.
        run : `str`, optional
            Only of this run.
        level : `int`, optional
            The lowest level.
        limit : `int`, optional
            The most to return.

        Returns
        -------
        records : `astropy.table.Table`
            The latest harvested first.
        """
        return self._ask.listed("logs", limit, q=text, run=run, level=level)

    def annotations(self, **about: Any) -> Table:
        """Return notes.

        Parameters
        ----------
        **about
            What they are about: run, metric, band, or parts of a data ID.

        Returns
        -------
        notes : `astropy.table.Table`
            The latest first.
        """
        return self._ask.listed("annotations", **about)

    def annotate(self, text: str, **about: Any) -> dict[str, Any]:
        """Write a note down; needs a token that may write.

        Parameters
        ----------
        text : `str`
            What it says.
        **about
            What it is about: run, metric, band, or parts of a data ID.

        Returns
        -------
        note : `dict` [`str`, `typing.Any`]
            The note.
        """
        return self._ask.sent("annotations", {"text": text, **about})

    def jobs(self, limit: int | None = 100) -> Table:
        """Return jobs.

        Parameters
        ----------
        limit : `int`, optional
            The most to return.

        Returns
        -------
        jobs : `astropy.table.Table`
            The latest first.
        """
        return self._ask.listed("jobs", limit)

    def start(self, definition: str, **parameters: Any) -> dict[str, Any]:
        """Ask for a declared job to be run; needs a token that may write.

        Parameters
        ----------
        definition : `str`
            Name of the declared job.
        **parameters
            Values of its parameters.

        Returns
        -------
        job : `dict` [`str`, `typing.Any`]
            The job.
        """
        return self._ask.sent("jobs", {"definition": definition, "parameters": parameters})

    def tables(self, run: str | None = None, dataset_type: str | None = None) -> Table:
        """Return the tables of results that were loaded.

        Parameters
        ----------
        run, dataset_type : `str`, optional
            Only of these.

        Returns
        -------
        tables : `astropy.table.Table`
            One a row, with the identifier that `table` takes.
        """
        return self._ask.listed("tables", run=run, dataset_type=dataset_type)

    def table(
        self,
        uuid: str,
        columns: Sequence[str] = (),
        *,
        run: str | None = None,
        offset: int = 0,
        limit: int = 1000,
    ) -> Table:
        """Return a part of a table in a repository.

        Parameters
        ----------
        uuid : `str`
            Identifier of the dataset.
        columns : `~collections.abc.Sequence` [`str`], optional
            Names of columns; all by default.
        run : `str`, optional
            A run of the repository, for a table that was not loaded.
        offset, limit : `int`, optional
            The first row, and the most rows to return.

        Returns
        -------
        part : `astropy.table.Table`
            The rows.
        """
        path = f"tables/{uuid}/rows"
        return self._ask.table(path, run=run, column=list(columns), offset=offset, limit=limit)
