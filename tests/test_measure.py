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

"""Measuring tables of every format, and the command that does."""

from __future__ import annotations

import gzip
import json
import math
import subprocess
import sys
import unittest
from typing import Any

import astropy.table
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy import units
from astropy.io import fits
from click.testing import CliRunner
from support import FolderTestCase, same, shuffled
from support_seeded import in_bands, make_table

from lsst.qa import list_metrics, measure
from lsst.qa.catalogue import of_table
from lsst.qa.cli import main
from lsst.qa.results import SCHEMA

SOME = {
    "matched": ("PA1", "PF1", "AM1"),
    "source": ("e1_residual_median", "size_residual_scatter", "sky_flux_mean", "n_stars", "n_sources"),
    "object": ("coadd_e2_residual_median", "coadd_sky_flux_stdev", "coadd_n_stars", "coadd_n_objects"),
    "visit_summary": ("seeing", "zero_point", "m5_background", "n_detectors"),
}
"""Metrics that take columns of each type between them."""


class FormatsTestCase(FolderTestCase):
    """The same table in any format gives the same rows."""

    def assertSame(self, found: Any, expected: Any, rtol: float = 1e-12) -> None:
        self.assertEqual(same(list(expected), list(found), rtol), [])

    def test_every_kind(self) -> None:
        for kind in SOME:
            table, names = in_bands(make_table(kind), "gr"), SOME[kind]
            expected = measure(table, names)
            self.assertEqual({row["status"] for row in expected}, {"ok"})
            astro = astropy.table.Table(table)
            structured = np.array(astro)
            self.assertTrue(structured.dtype.names)
            astro.write(self.folder / f"{kind}.ecsv")
            astro.write(self.folder / f"{kind}.fits")
            astro.write(self.folder / f"{kind}.parquet")
            with (
                open(self.folder / f"{kind}.fits", "rb") as plain,
                gzip.open(self.folder / f"{kind}.gz", "w") as zipped,
            ):
                zipped.write(plain.read())
            for form, given in (
                ("lists", {name: values.tolist() for name, values in table.items()}),
                ("structured", structured),
                ("astropy", astro),
                ("qtable", astropy.table.QTable(table)),
                ("arrow", pa.table(table)),
                ("parquet", self.parquet(table)),
                ("parquet, row groups", self.parquet(table, "groups.parq", row_group_size=100)),
                ("parquet of astropy", self.folder / f"{kind}.parquet"),
                ("ecsv", self.folder / f"{kind}.ecsv"),
                ("fits", self.folder / f"{kind}.fits"),
                ("fits.gz", str(self.folder / f"{kind}.gz")),
            ):
                with self.subTest(kind=kind, form=form):
                    self.assertSame(measure(given, names, kind=kind), expected)

    def test_pandas(self) -> None:
        try:
            import pandas
        except ImportError:
            self.skipTest("pandas is not installed")
        for kind in SOME:
            table = in_bands(make_table(kind), "gr")
            frame = pandas.DataFrame(table)
            expected = measure(table, SOME[kind])
            self.assertSame(measure(frame, SOME[kind]), expected)
            self.assertSame(measure(frame.convert_dtypes(), SOME[kind]), expected)
        frame = pandas.DataFrame(make_table("source")).astype(
            {"pixelFlags_edge": "boolean", "band": "category"}
        )
        frame.loc[:, "pixelFlags_edge"] = pandas.NA
        self.assertEqual({row["status"] for row in measure(frame, "sky_flux_mean")}, {"empty"})

    def test_units_are_heeded(self) -> None:
        """Fluxes in Jy and positions in rad, wherever a format keeps units."""
        table = make_table("source")
        expected = measure(table, ["sky_flux_mean", "e1_residual_median", "n_stars"])
        astro = astropy.table.Table(table)
        for name in ("psfFlux", "psfFluxErr", "ap09Flux"):
            astro[name] = astro[name] * 1e-9
            astro[name].unit = units.Jy
        for name in ("ra", "dec"):
            astro[name] = np.radians(astro[name])
            astro[name].unit = units.rad
        from lsst.daf.butler.formatters.parquet import astropy_to_arrow

        arrow = astropy_to_arrow(astro)
        pq.write_table(arrow, self.folder / "butler.parq")
        for name in ("x.ecsv", "x.fits", "x.parquet"):
            astro.write(self.folder / name)
        for given in (
            astro,
            astropy.table.QTable(astro),
            arrow,
            *(self.folder / name for name in ("butler.parq", "x.ecsv", "x.fits", "x.parquet")),
        ):
            names = ["sky_flux_mean", "e1_residual_median", "n_stars"]
            self.assertSame(measure(given, names), expected, 1e-9)

    def test_masked(self) -> None:
        """A masked number is NaN, a masked flag is not good."""
        table = make_table("source")
        gone = np.arange(600) % 3 == 0
        plain = {**table, "ap09Flux": np.where(gone, np.nan, table["ap09Flux"])}
        masked = astropy.table.Table(table, masked=True)
        masked["ap09Flux"].mask = gone
        self.assertSame(measure(masked, "sky_flux_mean"), measure(plain, "sky_flux_mean"))
        masked = astropy.table.Table(table, masked=True)
        masked["sky_source"].mask = gone
        plain = {**table, "sky_source": table["sky_source"] & ~gone}
        self.assertSame(measure(masked, "sky_flux_mean"), measure(plain, "sky_flux_mean"))
        arrow = pa.table({**table, "sky_source": pa.array(table["sky_source"], mask=gone)})
        self.assertSame(measure(arrow, "sky_flux_mean"), measure(plain, "sky_flux_mean"))
        pq.write_table(arrow, self.folder / "null.parq")
        self.assertSame(measure(self.folder / "null.parq", "sky_flux_mean"), measure(plain, "sky_flux_mean"))

    def test_text_in_chunks(self) -> None:
        """Dictionaries that differ from chunk to chunk number text alike."""
        table = make_table("source")
        parts = [
            pa.table({name: values[rows] for name, values in table.items()})
            for rows in (slice(200), slice(200, None))
        ]
        coded = [
            part.set_column(part.column_names.index("band"), "band", part["band"].dictionary_encode())
            for part in (
                parts[0],
                pa.table(
                    shuffled({n: c.to_numpy() for n, c in zip(parts[1].column_names, parts[1].columns)}, 1)
                ),
            )
        ]
        for given in (pa.concat_tables(parts), pa.concat_tables(coded)):
            self.assertSame(measure(given, SOME["source"]), measure(table, SOME["source"]))
            pq.write_table(given, self.folder / "chunks.parq", row_group_size=90)
            self.assertSame(
                measure(self.folder / "chunks.parq", SOME["source"]), measure(table, SOME["source"])
            )

    def test_fits_of_afw(self) -> None:
        """Flags in bits, aliases, radians, and big-endian numbers."""
        table = make_table("source")
        names = [name for name, values in table.items() if values.dtype.kind == "b"]
        columns = [
            fits.Column("id", "K", array=table["sourceId"]),
            fits.Column("coord_ra", "D", array=np.radians(table["ra"])),
            fits.Column("coord_dec", "D", array=np.radians(table["dec"])),
            fits.Column("flags", f"{len(names)}X", array=np.stack([table[name] for name in names], axis=1)),
        ]
        columns += [
            fits.Column(f"base_{name}" if name == "ap09Flux" else name, "D", array=values)
            for name, values in table.items()
            if values.dtype.kind == "f" and name not in ("ra", "dec")
        ]
        columns += [fits.Column(name, "K", array=table[name]) for name in ("visit", "detector")]
        columns += [fits.Column("band", "8A", array=table["band"])]
        hdu = fits.BinTableHDU.from_columns(columns)
        hdu.header["AFW_TYPE"] = "SOURCE"
        for number, name in enumerate(names):
            hdu.header[f"TFLAG{number + 1}"] = name
        hdu.header.append(("ALIAS", "ap09Flux:base_ap09Flux"), end=True)
        hdu.header.append(("ALIAS", "other:visit"), end=True)
        hdu.writeto(self.folder / "afw.fits")
        names = [*SOME["source"], *(metric.name for metric in of_table("source") if "flag" in metric.name)]
        self.assertSame(measure(self.folder / "afw.fits", names), measure(table, names))

    def test_fits_of_others(self) -> None:
        """Only afw's own files hold radians without saying so."""
        table = make_table("matched")
        renamed = {{"ra": "coord_ra", "dec": "coord_dec"}.get(name, name): v for name, v in table.items()}
        astropy.table.Table(renamed).write(self.folder / "degrees.fits")
        self.assertSame(measure(self.folder / "degrees.fits", "AM1"), measure(table, "AM1"))

    def test_unsigned_ids(self) -> None:
        table = make_table("source")
        unsigned = {**table, "sourceId": table["sourceId"].astype(np.uint64)}
        astropy.table.Table(unsigned).write(self.folder / "unsigned.fits")
        expected = measure(table, SOME["source"])
        self.assertSame(measure(self.folder / "unsigned.fits", SOME["source"]), expected)
        self.assertSame(measure(self.parquet(unsigned), SOME["source"]), expected)


class CommandTestCase(FolderTestCase):
    """``lsst-qa measure`` prints what ``measure`` returns."""

    def test_json(self) -> None:
        path = self.parquet(make_table("source"))
        done = self.run_cli(path, "--json", "--by", "detector")
        self.assertEqual(done.exit_code, 0, done.output)
        rows = json.loads(done.stdout)
        expected = measure(path, by=["detector"])
        self.assertEqual(len(rows), len(expected))
        self.assertEqual(list(rows[0]), SCHEMA.names)
        values = [row["value"] if math.isfinite(row["value"]) else None for row in expected]
        self.assertEqual([row["value"] for row in rows], values)

    def test_json_of_nothing(self) -> None:
        """NaN is null, and the exit code tells."""
        table = make_table("source")
        table["ap09Flux"] = np.full(600, np.nan)
        done = self.run_cli(self.parquet(table), "--metric", "sky_flux_mean", "--json")
        rows = json.loads(done.stdout, parse_constant=self.fail)
        self.assertEqual([(row["value"], row["error"], row["n"]) for row in rows], [(None, None, 0)] * 2)
        self.assertEqual(done.exit_code, 1)
        self.assertIn("sky_flux_mean is empty", done.stderr)

    def test_several_files_and_metrics(self) -> None:
        one = self.parquet(make_table("source", 1), "one.parq")
        two = self.parquet(make_table("source", 2), "two.parq")
        done = self.run_cli(one, two, "--metric", "n_stars", "--metric", "n_sources", "--json")
        self.assertEqual(
            [row["metric"] for row in json.loads(done.stdout)],
            ["n_stars", "n_stars", "n_sources", "n_sources"] * 2,
        )

    def test_table_for_reading(self) -> None:
        done = self.run_cli(self.parquet(make_table("source")))
        self.assertEqual(done.exit_code, 0, done.output)
        self.assertIn("table.parq", done.stdout)
        self.assertRegex(done.stdout, r"n_sources +g +\d+ +\d+ ± ")

    def test_data_id_of_the_command(self) -> None:
        table = make_table("matched")
        del table["band"]
        done = self.run_cli(self.parquet(table), "--metric", "PA1", "--band", "z", "--json")
        self.assertEqual([row["band"] for row in json.loads(done.stdout)], ["z"])

    def test_kind_and_cuts(self) -> None:
        table = {n: v for n, v in make_table("source").items() if n != "detect_isPrimary"}
        path = self.parquet(table)
        done = self.run_cli(
            path, "--table", "source", "--metric", "n_stars", "--assume-applied", "detect_isPrimary", "--json"
        )
        self.assertEqual(done.exit_code, 0, done.output)

    def test_installed_program(self) -> None:
        """As a process: rows on one stream, complaints on the other."""
        path = self.parquet(make_table("visit_summary"))
        program = "import sys; from lsst.qa.cli import main; sys.argv[0] = 'lsst-qa'; main()"
        words = [sys.executable, "-c", program, "measure", str(path), "--json"]
        done = subprocess.run(words, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(len(json.loads(done.stdout)), 2 * len(of_table("visit_summary")))
        words[-2:] = [str(self.folder / "none"), "--json"]
        done = subprocess.run(words, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, r"^lsst-qa: .*There is no file .*none")
        self.assertNotIn("Traceback", done.stderr)

    def test_metrics_command(self) -> None:
        listed = CliRunner().invoke(main, ["metrics", "--json"])
        self.assertEqual(listed.exit_code, 0)
        names = [facts["name"] for facts in json.loads(listed.stdout)]
        self.assertEqual(names, list_metrics())
        one = CliRunner().invoke(main, ["metrics", "PA1"])
        for word in ("median_stars", "mmag", "psf_mag", "design <= 5", "LPM-17", "bytes"):
            self.assertIn(word, one.stdout)
        wrong = CliRunner().invoke(main, ["metrics", "PA1l"])
        self.assertEqual(wrong.exit_code, 2)
        self.assertRegex(wrong.stderr, "Did you mean .*'PA1'")


if __name__ == "__main__":
    unittest.main()
