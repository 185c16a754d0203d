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

"""Numbers and times as a reader sees them on a page."""

from __future__ import annotations

__all__ = [
    "change",
    "finite",
    "iso",
    "labelled",
    "moment",
    "number",
    "rounded",
    "short",
    "to_json",
    "unit",
    "utc",
]

import datetime
import functools
import json
import math
import re
import warnings
from typing import Any

from ..judge.rounding import format_value

_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_WHOLE, _LONG = 1e7, 1e5
_POWER = re.compile(r"(?<=[A-Za-z])-?\d+\b")


def finite(value: float | None) -> float | None:
    """Return a number that can be drawn, or nothing.

    Parameters
    ----------
    value : `float` or `None`
        A number; may be NaN or infinite.

    Returns
    -------
    value : `float` or `None`
        The number if it is finite.
    """
    return value if value is not None and math.isfinite(value) else None


def rounded(value: float | None, error: float | None = None) -> str:
    """Write a value with its error, rounded to what the error supports.

    Parameters
    ----------
    value : `float` or `None`
        The value.
    error : `float` or `None`, optional
        Its 1-sigma error.

    Returns
    -------
    text : `str`
        As in "4.41 ± 0.12" or "(4.41 ± 0.12) × 10⁻⁷"; a whole number without
        error as in "103"; a dash for a value that is not finite.
    """
    if not error and _whole(value, _WHOLE):
        return _signed(f"{value:.0f}")
    text, _, exponent = format_value(
        math.nan if value is None else value, math.nan if error is None else error
    ).partition("e")
    return _signed(f"{text} {_power(exponent)}" if exponent else text)


def _power(exponent: str) -> str:
    return f"× 10{str(int(exponent)).translate(_SUPERSCRIPT)}"


def _signed(text: str) -> str:
    return text.replace("-", "−")


def _whole(value: float | None, limit: float) -> bool:
    return value is not None and abs(value) < limit and value == math.floor(value)


def number(value: float | None) -> str:
    """Write a number without error as short as it can be without loss.

    Parameters
    ----------
    value : `float` or `None`
        A threshold, or a value in full precision.

    Returns
    -------
    text : `str`
        As in "5", "7.5" or "2 × 10⁻⁷"; a dash if it is not finite.
    """
    shown = finite(value)
    if shown is None:
        return "–"
    mantissa, _, exponent = repr(float(shown)).partition("e")
    text = _signed(mantissa.removesuffix(".0"))
    return f"{text} {_power(exponent)}" if exponent else text


def change(before: float | None, after: float | None) -> str:
    """Write two numbers with as many digits as tell them apart.

    Parameters
    ----------
    before, after : `float` or `None`
        The numbers.

    Returns
    -------
    text : `str`
        As in "24.03 → 23.96".
    """
    for digits in range(3, 9):
        texts = short(before, digits), short(after, digits)
        if texts[0] != texts[1]:
            break
    return " → ".join(texts)


def short(value: float | None, digits: int = 3) -> str:
    """Write a number with a few significant digits.

    Parameters
    ----------
    value : `float` or `None`
        A number.
    digits : `int`, optional
        How many.

    Returns
    -------
    text : `str`
        As in "4.41"; all the digits of whole numbers, and all before the
        point, up to five; a dash if it is not finite.
    """
    shown = finite(value)
    if shown is None:
        return "–"
    if _whole(shown, _LONG) or 10.0**digits <= abs(shown) < _LONG:
        return _signed(f"{shown:.0f}")
    mantissa, _, exponent = f"{shown:#.{digits}g}".partition("e")
    text = _signed(mantissa.removesuffix("."))
    return f"{text} {_power(exponent)}" if exponent else text


def unit(name: str | None) -> str:
    """Write a unit as people do.

    Parameters
    ----------
    name : `str` or `None`
        As Astropy writes it.

    Returns
    -------
    text : `str`
        As in "mag / arcsec²"; empty for none.
    """
    return _POWER.sub(lambda match: match[0].translate(_SUPERSCRIPT), name or "")


def labelled(name: str, of: str | None) -> str:
    """Write the name of an axis.

    Parameters
    ----------
    name : `str`
        What is drawn.
    of : `str` or `None`
        Its unit.

    Returns
    -------
    text : `str`
        As in "PA1 (mmag)".
    """
    return f"{name} ({unit(of)})" if of else name


def utc(time: datetime.datetime | None) -> str:
    """Write a time to the minute.

    Parameters
    ----------
    time : `datetime.datetime` or `None`
        A time; without a zone it is UTC.

    Returns
    -------
    text : `str`
        As in "2026-03-01 04:30 UTC", or a dash.
    """
    return "–" if time is None else f"{_naive(time):%Y-%m-%d %H:%M} UTC"


def moment(time: datetime.datetime) -> str:
    """Write a time in full, in both scales.

    Parameters
    ----------
    time : `datetime.datetime`
        A time; without a zone it is UTC.

    Returns
    -------
    text : `str`
        As in "2026-03-01 04:30:00 UTC = 04:30:37 TAI", to the millisecond
        unless that is 0.
    """
    exact = _naive(time)
    atomic = exact + datetime.timedelta(seconds=_tai_minus_utc(exact.date()))
    day = "" if atomic.date() == exact.date() else f"{atomic:%Y-%m-%d} "
    return f"{exact:%Y-%m-%d} {_clock(exact)} UTC = {day}{_clock(atomic)} TAI"


@functools.lru_cache(4096)
def _tai_minus_utc(day: datetime.date) -> float:
    import erfa  # slow to import, and pages of nothing yet need no times

    with warnings.catch_warnings():
        # Of a far future, whose leap seconds nobody knows, the latest known
        # ones are as good as any.
        warnings.simplefilter("ignore", erfa.ErfaWarning)
        return float(erfa.dat(day.year, day.month, day.day, 0.0))


def _clock(time: datetime.datetime) -> str:
    return f"{time:%H:%M:%S}" + (f".{time.microsecond // 1000:03d}" if time.microsecond >= 1000 else "")


def _naive(time: datetime.datetime) -> datetime.datetime:
    return time if time.tzinfo is None else time.astimezone(datetime.UTC).replace(tzinfo=None)


def iso(time: datetime.datetime) -> str:
    """Write a time for machines.

    Parameters
    ----------
    time : `datetime.datetime`
        A time; without a zone it is UTC.

    Returns
    -------
    text : `str`
        As in "2026-03-01T04:30:00Z".
    """
    return f"{_naive(time).isoformat()}Z"


def to_json(data: Any) -> str:
    """Write what a page holds as JSON.

    Parameters
    ----------
    data : `typing.Any`
        Nested dictionaries and sequences of plain values and times, without
        NaN.

    Returns
    -------
    text : `str`
        JSON.

    Raises
    ------
    ValueError
        Raised if a number is not finite.
    """
    return json.dumps(data, default=iso, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
