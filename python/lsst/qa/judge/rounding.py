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

"""Writing a value and its error with as many digits as the error supports."""

from __future__ import annotations

__all__ = ["format_value"]

import math

_LARGE, _SMALL = 1e7, 1e-4
_PRECISION = 1e-15  # relative; an error below it says nothing about a float
_NOTHING = "–"


def format_value(value: float, error: float = math.nan) -> str:
    """Write a value with its error.

    Parameters
    ----------
    value : `float`
        The value; NaN and infinities are a dash.
    error : `float`, optional
        Its 1-sigma error, NaN if unknown.

    Returns
    -------
    text : `str`
        As in "12.34 ± 0.56": the error has two significant digits and the
        value as many decimals. Without an error, or with none to speak of,
        the value has four significant digits.
    """
    known = math.isfinite(error) and error > _PRECISION * abs(value)
    if not math.isfinite(value) or not (value or known):
        return "0" if value == 0 else _NOTHING
    size = max(abs(value), error if known else 0.0)
    exponent = math.floor(math.log10(size)) if size and not _SMALL <= size < _LARGE else 0
    # A division in two halves, since 10**308 and beyond have no inverse.
    mantissa = value / 10.0 ** (exponent // 2) / 10.0 ** (exponent - exponent // 2)
    power = f"e{exponent:+03d}" if exponent else ""
    if not known:
        return _fixed(mantissa, _decimals(mantissa, 4)) + power
    sigma = error / 10.0 ** (exponent // 2) / 10.0 ** (exponent - exponent // 2)
    decimals = _decimals(sigma, 2)
    text = f"{_fixed(mantissa, decimals)} ± {_fixed(sigma, decimals)}"
    return f"({text}){power}" if power else text


def _decimals(value: float, digits: int) -> int:
    """Return the decimals that leave a number its significant digits."""
    # Formatting rounds first: 0.0996 with two digits is 0.10, which has
    # another exponent.
    return digits - 1 - int(f"{value:.{digits - 1}e}".partition("e")[2])


def _fixed(value: float, decimals: int) -> str:
    text = f"{round(value, decimals):.{max(decimals, 0)}f}"
    return text.removeprefix("-") if float(text) == 0 else text
