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

"""What cannot be measured is refused in words that help, with an exit code."""

from __future__ import annotations

import gzip
import unittest
from pathlib import Path
from typing import Any

import astropy.io.fits
import astropy.table
import numpy as np
from astropy.io import fits
from support import LARGEST_ID, FolderTestCase, taken
from support_seeded import make_table

from lsst.qa import measure
from lsst.qa.errors import (
    AmbiguousTableError,
    InputError,
    MissingColumnError,
    NotATableError,
    QaError,
    UnknownNameError,
)
from lsst.qa.tables.files import open_table


class BadInputTestCase(FolderTestCase):
    """Each fault has an error in Python, and a text and code in the shell."""

    def assertRefused(
        self, error: type[QaError], path: Any, *texts: str, words: tuple[str, ...] = ()
    ) -> None:
        names = [word for option, word in zip(words, words[1:]) if option == "--metric"]
        kinds = [word for option, word in zip(words, words[1:]) if option == "--table"]
        with self.assertRaises(error) as caught:
            measure(path, names or None, kind=kinds[0] if kinds else None)
        done = self.run_cli(path, *words)
        self.assertEqual(done.exit_code, 2, done.output)
        self.assertEqual(done.stderr, f"lsst-qa: {caught.exception}\n")
        self.assertEqual(done.stdout, "")
        for text in texts:
            self.assertIn(text, done.stderr)

    def test_missing_column(self) -> None:
        """It is named, with what is there and what could still run."""
        table = {n: v for n, v in make_table("source").items() if n not in ("ap09Flux", "extendedness")}
        self.assertRefused(
            MissingColumnError,
            self.parquet(table),
            "'sky_flux_mean' needs 'ap09Flux'",
            "'n_stars' needs 'extendedness'",
            "detect_isPrimary, detector",
            "that can run: ",
            " n_primary,",
            " n_sources,",
            words=("--metric", "sky_flux_mean", "--metric", "n_stars", "--metric", "n_sources"),
        )
        with self.assertRaises(MissingColumnError) as caught:
            measure(table, ["sky_flux_mean", "n_stars"])
        self.assertEqual(caught.exception.missing, ("ap09Flux", "extendedness"))

    def test_what_could_still_run(self) -> None:
        """Of all metrics, where one alone was asked for."""
        table = {n: v for n, v in make_table("source").items() if n != "ap09Flux"}
        self.assertRefused(
            MissingColumnError,
            self.parquet(table),
            "'ap09Flux'",
            "n_sources",
            "e1_residual_median",
            words=("--metric", "sky_flux_mean"),
        )

    def test_missing_column_of_a_band(self) -> None:
        table = {n: v for n, v in make_table("object").items() if n != "r_ap09Flux"}
        self.assertRefused(
            MissingColumnError,
            self.parquet(table),
            "'r_ap09Flux'",
            "coadd_n_objects",
            words=("--metric", "coadd_sky_flux_mean"),
        )
        bare = {n: v for n, v in table.items() if not n.endswith("pixelFlags_edge")}
        with self.assertRaisesRegex(MissingColumnError, "'r_ap09Flux'"):
            measure(bare, "coadd_sky_flux_mean", assume_applied=["pixelFlags_edge"])

    def test_without_names_the_rest_runs(self) -> None:
        table = {n: v for n, v in make_table("source").items() if n != "ap09Flux"}
        done = self.run_cli(self.parquet(table))
        self.assertEqual(done.exit_code, 0)
        self.assertNotIn("sky_flux", done.stdout)

    def test_misspelt(self) -> None:
        path = self.parquet(make_table("source"))
        self.assertRefused(UnknownNameError, path, "'n_star'", "'n_stars'", words=("--metric", "n_star"))
        self.assertRefused(UnknownNameError, path, "table 'sorce'", "'source'", words=("--table", "sorce"))
        self.assertRefused(
            InputError, path, "PA1", "'source'", words=("--metric", "PA1", "--metric", "n_stars")
        )
        self.assertRefused(
            InputError, path, "PA1", "'source'", words=("--metric", "PA1", "--table", "source")
        )
        self.assertEqual(self.run_cli(path, "--metrc", "PA1").exit_code, 2)
        self.assertEqual(self.run_cli().exit_code, 2)

    def test_no_table(self) -> None:
        for name, content in (
            ("text.txt", b"star visit\n1 2\n"),
            ("empty.parq", b""),
            ("page.fits", b"<html></html>"),
            ("magic.parq", b"PAR1"),
            ("twice.parq", b"PAR1" * 20),
            ("head.fits", b"SIMPLE  =                    T"),
            ("head.ecsv", b"# %ECSV 1.0\n# ---\n"),
            ("broken.ecsv", b"# %ECSV 1.0\n# ---\n# datatype: [\n"),
            ("zip.gz", gzip.compress(b"nothing")),
            ("half.gz", gzip.compress(b"SIMPLE  =" + bytes(range(256)) * 40)[:60]),
            ("random", bytes(range(256)) * 20),
        ):
            (self.folder / name).write_bytes(content)
            with self.subTest(name=name):
                self.assertRefused(NotATableError, self.folder / name, name)
        self.assertRefused(NotATableError, self.folder / "none.parq", "There is no file", "none.parq")
        self.assertRefused(NotATableError, self.folder, str(self.folder))

    def test_fits_without_a_table(self) -> None:
        fits.PrimaryHDU(np.zeros((4, 4))).writeto(self.folder / "image.fits")
        self.assertRefused(NotATableError, self.folder / "image.fits", "without a table")

    def test_objects_that_are_no_table(self) -> None:
        for strange in (7, None, [1, 2], np.zeros(3), object(), b"path"):
            with self.subTest(strange=strange), self.assertRaisesRegex(InputError, "is no table"):
                measure(strange)
        with self.assertRaisesRegex(InputError, "differ in length"):
            measure({"sourceId": [1, 2], "ra": [1.0], "dec": [1.0, 2.0]})

    def cut(self, path: Path, part: float) -> Path:
        content = path.read_bytes()
        short = path.with_name("short_" + path.name)
        short.write_bytes(content[: int(len(content) * part)])
        return short

    def test_cut_short(self) -> None:
        """Wherever it was cut, it is noticed, also where the rest reads."""
        table = astropy.table.Table(make_table("source"))
        for name in ("whole.fits", "whole.parquet"):
            table.write(self.folder / name)
        zipped = self.folder / "whole.fits.gz"
        zipped.write_bytes(gzip.compress((self.folder / "whole.fits").read_bytes()))
        for path in (self.folder / "whole.fits", self.folder / "whole.parquet", zipped):
            for part in (0.02, 0.3, 0.5, 0.9, 0.99):
                with self.subTest(path=path.name, part=part):
                    self.assertRefused(NotATableError, self.cut(path, part), f"short_{path.name}")

    def test_cut_after_the_table(self) -> None:
        """The rest of the file is not read, but where it lacks it was cut."""
        hdus = astropy.io.fits.HDUList([astropy.io.fits.PrimaryHDU()])
        hdus.append(astropy.io.fits.table_to_hdu(astropy.table.Table(make_table("source"))))
        table_end = sum(hdu.filebytes() for hdu in hdus)
        hdus.append(astropy.io.fits.table_to_hdu(astropy.table.Table({"archive": np.arange(5000)})))
        path = self.folder / "whole.fits"
        hdus.writeto(path)
        self.assertGreater(open_table(path).n_rows, 0)
        content = path.read_bytes()
        for length in (table_end + 80, table_end + 2880, len(content) - 2880):
            with self.subTest(length=length - table_end):
                short = self.folder / "short.fits"
                short.write_bytes(content[:length])
                self.assertRefused(NotATableError, short, "cut short")

    def test_damaged_in_the_middle(self) -> None:
        """Pages whose bytes are lost, behind a footer that is whole."""
        path = self.parquet(make_table("source"), compression="zstd")
        content = bytearray(path.read_bytes())
        content[200 : len(content) // 2] = bytes(len(content) // 2 - 200)
        path.write_bytes(bytes(content))
        self.assertRefused(NotATableError, path, "table.parq")

    def test_empty(self) -> None:
        for kind in ("matched", "source", "object", "visit_summary"):
            empty = taken(make_table(kind), slice(0))
            self.assertRefused(InputError, self.parquet(empty), "is empty", "no row")
            astropy.table.Table(empty).write(self.folder / f"{kind}.fits")
            self.assertRefused(InputError, self.folder / f"{kind}.fits", "is empty")
        self.assertRefused(AmbiguousTableError, self.parquet({}), "none")

    def test_kind_that_cannot_be_told(self) -> None:
        self.assertRefused(
            AmbiguousTableError,
            self.parquet({"x": np.zeros(2)}),
            "of no kind",
            "matched needs star",
            "there: x",
        )

    def test_tables_that_nothing_is_measured_in(self) -> None:
        """Not even where they number something as known tables do."""
        for names, told in (
            (("id", "coord_ra", "coord_dec", "pm_ra", "pm_dec"), "a reference catalogue"),
            (("id", "coord_ra", "coord_dec", "r_flux", "r_fluxErr"), "a reference catalogue"),
            (("objectId", "coord_ra", "coord_dec", "base_TransformedCentroid_x"), "forced photometry"),
            (("diaObjectId", "ra", "dec", "nDiaSources"), "objects of difference images"),
        ):
            table = {name: np.zeros(2) for name in names}
            self.assertRefused(AmbiguousTableError, self.parquet(table), f"looks like {told}", "its kind")

    def test_all_nan(self) -> None:
        """No number, no value: not even where the rows are counted."""
        for kind, column, name in (
            ("matched", "psfFlux", "PA1"),
            ("matched", "ra", "AM1"),
            ("source", "ap09Flux", "sky_flux_mean"),
            ("visit_summary", "seeing", "seeing"),
        ):
            table = make_table(kind)
            table[column] = np.full(len(table[column]), np.nan)
            done = self.run_cli(self.parquet(table), "--metric", name)
            self.assertEqual(done.exit_code, 1, done.output)
            self.assertRegex(done.stderr, f"^lsst-qa: {name} is empty: nothing")
            if kind != "matched":
                self.assertEqual(self.run_cli(self.parquet(table)).exit_code, 0, "others have values")

    def test_one_star_and_one_visit(self) -> None:
        table = make_table("matched")
        star = self.parquet(taken(table, table["star"] == 1_000_000))
        visit = self.parquet(taken(table, table["visit"] == table["visit"][0]), "visit.parq")
        for path, name in ((star, "AM1"), (visit, "AM1"), (visit, "PA1"), (visit, "PF1")):
            done = self.run_cli(path, "--metric", name)
            self.assertEqual(done.exit_code, 1, done.output)
            self.assertIn(f"{name} is empty", done.stderr)
        (row,) = measure(star, "PA1")
        self.assertEqual((row["status"], row["n"]), ("ok", 1))
        self.assertTrue(np.isnan(row["error"]))

    def test_ids(self) -> None:
        """The largest id is an id; one more is not, nor is a float."""
        table = make_table("matched")
        table["sourceId"] = LARGEST_ID - table["sourceId"]
        table["star"] = LARGEST_ID - table["star"]
        self.assertEqual(self.run_cli(self.parquet(table), "--metric", "PA1").exit_code, 0)
        for ids, text in (
            (table["star"].astype(np.uint64) + np.uint64(2_000_000), "2^63"),
            (table["star"].astype(np.float64), "float64"),
        ):
            self.assertRefused(
                InputError, self.parquet({**table, "star": ids}), "'star'", text, words=("--metric", "PA1")
            )

    def test_unit_that_does_not_convert(self) -> None:
        table = astropy.table.Table(make_table("source"))
        table["ap09Flux"].unit = "deg"
        table.write(self.folder / "deg.ecsv")
        self.assertRefused(
            InputError,
            self.folder / "deg.ecsv",
            "'ap09Flux' is in 'deg'",
            words=("--metric", "sky_flux_mean"),
        )


if __name__ == "__main__":
    unittest.main()
