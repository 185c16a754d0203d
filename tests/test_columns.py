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

"""Columns by whatever name, unit and type a release gives them."""

from __future__ import annotations

import math
import unittest
from typing import Any

import numpy as np
from support import LARGEST_ID
from support_seeded import in_bands, make_table

from lsst.qa import measure
from lsst.qa.columns import BAND_PREFIX, TABLES
from lsst.qa.errors import InputError, QaError
from lsst.qa.resolution import fitting_tables, resolve


def get(kind: str, name: str, columns: dict[str, Any], units: dict[str, str] | None = None, **at: str) -> Any:
    """Resolve a column in a table of given columns, and compute it."""
    available = {column: (units or {}).get(column, "") for column in columns}
    plan = resolve(TABLES[kind], available, name, **at)
    if plan is None:
        return None
    return plan.compute({leaf: leaf.cast(np.asarray(columns[leaf.physical])) for leaf in plan.reads})


class NamesTestCase(unittest.TestCase):
    """A column is found by its own name or by that of another release."""

    def test_aliases(self) -> None:
        one = np.array([1.0])
        for kind, name, physical in (
            ("source", "psfFlux", "PsFlux"),
            ("source", "ixx", "Ixx"),
            ("source", "iyyPSF", "IyyPsf"),
            ("source", "ixy", "slot_Shape_xy"),
            ("source", "dec", "decl"),
            ("source", "ra", "coord_ra"),
            ("source", "extendedness", "base_ClassificationExtendedness_value"),
            ("source", "psf_snr", "base_PsfFlux_snr"),
        ):
            with self.subTest(physical=physical):
                found = get(kind, name, {physical: one}, {physical: TABLES[kind].columns[name].unit})
                self.assertEqual(found[0], 1.0)
        for kind, name, physical in (
            ("source", "visit", "visitId"),
            ("source", "sourceId", "id"),
            ("matched", "star", "isolated_star_id"),
            ("matched", "star", "obj_index"),
            ("matched", "star", "object"),
            ("visit_summary", "detector", "detectorId"),
        ):
            with self.subTest(physical=physical):
                self.assertEqual(get(kind, name, {physical: np.array([7])})[0], 7)
        for physical in ("PixelFlags_bad", "base_PixelFlags_flag_bad"):
            self.assertTrue(get("source", "pixelFlags_bad", {physical: np.array([True])})[0])

    def test_own_name_comes_first(self) -> None:
        both = {"ra": np.array([1.0]), "coord_ra": np.array([2.0])}
        self.assertEqual(get("source", "ra", both, {"ra": "rad", "coord_ra": "rad"})[0], 1.0)

    def test_detector_of_an_exposure_catalogue(self) -> None:
        """Its own column "detector" points elsewhere."""
        both = {"detector": np.array([900]), "detectorId": np.array([4])}
        self.assertEqual(get("visit_summary", "detector", both)[0], 4)

    def test_bands(self) -> None:
        columns = {"g_psfFlux": np.array([10.0]), "r_psfFlux": np.array([1000.0])}
        self.assertEqual(get("object", "psfFlux", columns, band="g")[0], 10.0)
        self.assertEqual(get("object", "psfFlux", columns, band="r")[0], 1000.0)
        self.assertEqual(get("object", "r_psfFlux", columns, band="g")[0], 1000.0, "it names its band")
        self.assertIsNone(get("object", "psfFlux", columns, band="i"))
        self.assertAlmostEqual(get("object", "psf_mag", columns, band="r")[0], 31.4 - 7.5)

    def test_none(self) -> None:
        self.assertIsNone(get("source", "psfFlux", {"flux": np.array([1.0])}))
        self.assertIsNone(get("source", "no_such_column", {"no_such_column": np.array([1.0])}))

    def test_no_name_stands_for_two(self) -> None:
        """A physical column is the alias of one column of a table only."""
        for table in TABLES.values():
            names = [name for column in table.columns.values() for name in {column.name, *column.aliases}]
            twice = {name for name in names if names.count(name) > 1}
            self.assertEqual(twice, set(), table.name)

    def test_derived_from_what_exists(self) -> None:
        for table in TABLES.values():
            for column in table.columns.values():
                for way in column.derived:
                    unknown = [name for name in way.inputs if table.column(name) is None]
                    self.assertEqual(unknown, [], column.name)
                self.assertEqual(BAND_PREFIX in column.name, column.name.startswith(BAND_PREFIX))


class DerivedTestCase(unittest.TestCase):
    """Columns computed from others."""

    def test_magnitude(self) -> None:
        flux = np.array([1.0, 1e9, 0.0, -3.0, math.nan, math.inf])
        found = get("source", "psf_mag", {"psfFlux": flux})
        np.testing.assert_allclose(found, [31.4, 8.9, *[math.nan] * 4], atol=1e-12)

    def test_signal_to_noise(self) -> None:
        columns = {"psfFlux": np.array([10.0, 10.0, -10.0]), "psfFluxErr": np.array([2.0, 0.0, 2.0])}
        np.testing.assert_array_equal(get("source", "psf_snr", columns), [5.0, math.nan, -5.0])

    def test_calibrated_by_hand(self) -> None:
        columns = {"LocalPhotoCalib": np.array([2.0]), "base_PsfFlux_instFlux": np.array([50.0])}
        self.assertEqual(get("source", "psfFlux", columns)[0], 100.0)
        self.assertAlmostEqual(get("source", "psf_mag", columns)[0], 26.4)

    def test_ellipticity(self) -> None:
        columns = {name: np.array([value]) for name, value in (("ixx", 3.0), ("iyy", 1.0), ("ixy", 0.5))}
        self.assertEqual(get("source", "e1", columns)[0], 0.5)
        self.assertEqual(get("source", "e2", columns)[0], 0.25)
        self.assertIsNone(get("source", "psf_e1", columns))

    def test_clean(self) -> None:
        names = ("bad", "cr", "edge", "saturated")
        for bad in (None, *names):
            columns = {f"pixelFlags_{name}": np.array([name == bad]) for name in names}
            self.assertEqual(get("source", "clean", columns).tolist(), [bad is None])

    def test_pixel_scale(self) -> None:
        """A detector of 0.2 arcsec pixels, off the equator and at RA 0."""
        dec, half = -30.0, 0.1
        east = half / math.cos(math.radians(dec))
        signs = ((-1, -1), (-1, 1), (1, 1), (1, -1))  # around it, as ll, ul, ur, lr
        columns: dict[str, Any] = {}
        for corner, (x, y) in zip(("ll", "ul", "ur", "lr"), signs):
            columns[f"{corner}cra"] = np.array([(x * east) % 360.0])
            columns[f"{corner}cdec"] = np.array([dec + y * half])
        for axis in "xy":
            columns |= {f"bbox_min_{axis}": np.array([0]), f"bbox_max_{axis}": np.array([3600])}
        self.assertAlmostEqual(get("visit_summary", "pixelScale", columns)[0], 0.2, places=6)
        columns["psfSigma"] = np.array([2.0])
        self.assertAlmostEqual(get("visit_summary", "seeing", columns)[0], 2.355 * 0.4, places=5)

    def test_rubin_visit(self) -> None:
        """A packed id of 2024-11-08, exposure 246, detector 5."""
        days = (np.datetime64("2024-11-08") - np.datetime64("2010-01-01")).astype(int)
        packed = {"ccdVisitId": np.array([(int(days) * 2**15 + 246) * 256 + 5])}
        self.assertEqual(get("visit_summary", "visit", packed)[0], 2024110800246)
        self.assertEqual(get("visit_summary", "detector", packed)[0], 5)
        for strange in (-1, 2**62):
            with self.assertRaisesRegex(InputError, "'visit' column"):
                get("visit_summary", "visit", {"ccdVisitId": np.array([strange])})


class UnitsTestCase(unittest.TestCase):
    """Values are handed over in the unit that metrics expect."""

    def test_conversions(self) -> None:
        for name, unit, factor in (
            ("ra", "", math.pi / 180.0),  # Parquet tables hold degrees, silently
            ("ra", "deg", math.pi / 180.0),
            ("ra", "rad", 1.0),
            ("psfFlux", "", 1.0),
            ("psfFlux", "nJy", 1.0),
            ("psfFlux", "Jy", 1e9),
            ("psfFlux", "uJy", 1e3),
            ("psf_mag", "mag(AB)", 1.0),
            ("ixx", "pixel^2", 1.0),
            ("ixx", "pix2", 1.0),
            ("psf_inst_flux", "count", 1.0),
        ):
            with self.subTest(name=name, unit=unit):
                found = get("source", name, {name: np.array([2.0])}, {name: unit})
                self.assertAlmostEqual(found[0], 2.0 * factor, delta=1e-15 * factor)

    def test_no_conversion(self) -> None:
        for name, unit in (("psfFlux", "deg"), ("ra", "nJy"), ("psfFlux", "furlong"), ("psf_mag", "nJy")):
            with self.subTest(unit=unit), self.assertRaisesRegex(InputError, f"'{name}' is in '{unit}'"):
                get("source", name, {name: np.array([2.0])}, {name: unit})


class TypesTestCase(unittest.TestCase):
    """Flags may come in many types, ids in one; nothing else is guessed."""

    def test_flags(self) -> None:
        for values in (
            np.array([True, False]),
            np.array([1, 0], dtype=np.uint8),
            np.array([1.0, 0.0]),
            np.array([True, False], dtype=object),
        ):
            self.assertEqual(
                get("source", "pixelFlags_bad", {"pixelFlags_bad": values}).tolist(), [True, False]
            )

    def test_unknown_flag_is_not_good(self) -> None:
        for values in (np.array([None, False], dtype=object), np.array([math.nan, 0.0])):
            self.assertEqual(
                get("source", "pixelFlags_bad", {"pixelFlags_bad": values}).tolist(), [True, False]
            )
        for values in (np.array([None, True], dtype=object), np.array([math.nan, 1.0])):
            found = get("source", "detect_isPrimary", {"detect_isPrimary": values})
            self.assertEqual(found.tolist(), [False, True])

    def test_ids(self) -> None:
        for kind in (np.int64, np.uint64, np.int32, np.uint8):
            self.assertEqual(get("source", "sourceId", {"sourceId": np.array([5], kind)}).dtype, np.int64)
        large = get("source", "sourceId", {"sourceId": np.array([LARGEST_ID], np.uint64)})
        self.assertEqual(large[0], LARGEST_ID)

    def test_ids_that_have_lost_digits(self) -> None:
        for values, what in (
            (np.array([1.0, 2.0]), "float64"),
            (np.array([1, None], dtype=object), "object"),
            (np.array(["1", "2"]), "text|<U1"),
            (np.array([LARGEST_ID + 1], np.uint64), r"2\^63"),
        ):
            with self.subTest(what=what), self.assertRaisesRegex(InputError, f"'sourceId'.*({what})"):
                get("source", "sourceId", {"sourceId": values})

    def test_text_where_numbers_should_be(self) -> None:
        """A table of it is refused with a word for the user."""
        for name in ("ap09Flux", "sky_source", "visit"):
            table = {**make_table("source"), name: np.full(600, "many")}
            with self.subTest(name=name), self.assertRaisesRegex(QaError, f"'{name}'.*text"):
                measure(table, "sky_flux_mean")

    def test_real(self) -> None:
        for kind in (np.float32, np.int16, ">f8", np.uint8):
            found = get("source", "psfFlux", {"psfFlux": np.array([3], kind)})
            self.assertEqual((found.dtype, found[0]), (np.float64, 3.0))


class AssumedTestCase(unittest.TestCase):
    """A cut is taken for applied where the caller says so, else missed."""

    def test_assume_applied(self) -> None:
        table = make_table("source")
        kept = table["detect_isPrimary"]
        primary = {name: values[kept] for name, values in table.items() if name != "detect_isPrimary"}
        said = measure(primary, "n_stars", assume_applied=["detect_isPrimary"])
        self.assertEqual([row["value"] for row in said], [row["value"] for row in measure(table, "n_stars")])
        with self.assertRaisesRegex(InputError, "'detect_isPrimary'"):
            measure(primary, "n_stars")

    def test_a_flag_is_assumed_unset(self) -> None:
        table = make_table("source")
        bare = {name: values for name, values in table.items() if name != "pixelFlags_edge"}
        unset = {**table, "pixelFlags_edge": np.zeros(600, dtype=bool)}
        said = measure(bare, "sky_flux_mean", assume_applied=["pixelFlags_edge"])
        self.assertEqual(list(said), list(measure(unset, "sky_flux_mean")))

    def test_of_every_band(self) -> None:
        table = {
            n: v
            for n, v in in_bands(make_table("object"), "gr").items()
            if not n.endswith("pixelFlags_nodata")
        }
        said = measure(table, "coadd_sky_flux_mean", assume_applied=["pixelFlags_nodata"])
        self.assertEqual([row["band"] for row in said], ["g", "r"])

    def test_a_column_that_is_there_is_used(self) -> None:
        table = make_table("source")
        said = measure(table, "n_stars", assume_applied=["detect_isPrimary"])
        self.assertEqual(list(said), list(measure(table, "n_stars")))

    def test_only_quality_columns(self) -> None:
        with self.assertRaisesRegex(InputError, "psfFlux.*detect_isPrimary"):
            measure(make_table("source"), "n_stars", assume_applied=["psfFlux"])


class KindsTestCase(unittest.TestCase):
    """A table's columns tell its kind."""

    def test_each_is_told(self) -> None:
        for kind in TABLES:
            self.assertEqual(fitting_tables(dict.fromkeys(make_table(kind), "")), [kind])

    def test_none(self) -> None:
        self.assertEqual(fitting_tables({"x": "", "y": ""}), [])
        self.assertEqual(fitting_tables({}), [])

    def test_declarations(self) -> None:
        for name, table in TABLES.items():
            self.assertEqual(name, table.name)
            self.assertTrue(table.doc.endswith("."))
            self.assertLessEqual({*table.split, *filter(None, [table.group])}, set(table.columns))
            for column in table.columns.values():
                self.assertIn(column.kind, ("real", "int", "flag", "text"), column.name)
                self.assertEqual(column.kind == "flag", column.applied is not None, column.name)


if __name__ == "__main__":
    unittest.main()
