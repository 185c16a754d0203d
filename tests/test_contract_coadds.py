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

"""The contract of metrics, kept by those of coadds and difference images."""

from __future__ import annotations

import unittest

import test_contract


class DiaSourceTestCase(test_contract.ContractTests, unittest.TestCase):
    """Sources of difference images."""

    kind = "dia_source"
    ids = ("diaSourceId", "visit")


class DiaFakeTestCase(test_contract.ContractTests, unittest.TestCase):
    """Fakes of difference images."""

    kind = "dia_fake"
    ids = ("injection_id", "visit")


class ObjectParentTestCase(test_contract.ContractTests, unittest.TestCase):
    """What was deblended."""

    kind = "object_parent"
    ids = ("objectId",)


class CoaddDepthTestCase(test_contract.ContractTests, unittest.TestCase):
    """Depths of patches."""

    kind = "coadd_depth"
    ids = ("patch",)


class CoaddInputTestCase(test_contract.ContractTests, unittest.TestCase):
    """Images of coadds."""

    kind = "coadd_input"
    ids = ("visit", "patch")


class CoaddChoiceTestCase(test_contract.ContractTests, unittest.TestCase):
    """Images that may be in coadds."""

    kind = "coadd_choice"
    ids = ("visit", "patch")


class ImageMaskTestCase(test_contract.ContractTests, unittest.TestCase):
    """Counted masks."""

    kind = "image_mask"
    ids = ("patch",)


if __name__ == "__main__":
    unittest.main()
