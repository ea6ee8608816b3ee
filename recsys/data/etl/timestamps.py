"""Times: which unit a column is in, and how it becomes microseconds since 1970 in UTC."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import polars as pl

from recsys.errors import InputError

SECOND: Final = 1_000_000
DAY: Final = 86_400 * SECOND
EARLIEST: Final = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp()) * SECOND
# Microseconds in a unit, as numerator and denominator.
_UNITS: Final = {
    "seconds": (SECOND, 1),
    "milliseconds": (1_000, 1),
    "microseconds": (1, 1),
    "nanoseconds": (1, 1_000),
}
_FORMATS: Final = (
    "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z",
    "%Y-%m-%d %H:%M:%S%.f UTC", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%d", "%Y/%m/%d %H:%M:%S",
    "%Y/%m/%d", "%Y%m%d", "%m %d, %Y",
)  # fmt: skip
# Whether day or month comes first is decided by the whole column.
_EITHER_WAY: Final = (
    ("%m/%d/%Y", "%d/%m/%Y"), ("%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M"),
    ("%m/%d/%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S"), ("%m-%d-%Y", "%d-%m-%Y"),
    ("%m-%d-%Y %H:%M", "%d-%m-%Y %H:%M"), ("%m-%d-%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S"),
)  # fmt: skip
_SPANS: Final = {"s": SECOND, "m": 60 * SECOND, "h": 3_600 * SECOND, "d": DAY, "w": 7 * DAY, "y": 365 * DAY}


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How a column of times is read. ``unit`` is a unit of numbers, ``text`` or ``datetime``."""

    unit: str
    format: str | None = None
    whole: bool = True

    @property
    def described(self) -> str:
        """For messages and the manifest."""
        if self.unit in _UNITS:
            return f"{self.unit} since 1970"
        return f"text as {self.format}" if self.unit == "text" else "date and time"

    def micros(self, column: pl.Expr) -> pl.Expr:
        """Microseconds since 1970; null where the time cannot be read."""
        if self.unit == "datetime":
            return column.dt.epoch("us")
        if self.unit in _UNITS:
            times, over = _UNITS[self.unit]
            if self.whole:
                return column.cast(pl.Int64, strict=False) * times // over
            return (column.cast(pl.Float64, strict=False) * times / over).cast(pl.Int64, strict=False)
        return _parsed(column, self.format or "").cast(pl.Int64)


Unread: TypeAlias = Callable[[TimeFormat], int]


def latest() -> int:
    """The latest plausible time: a day from now."""
    return (int(time.time()) + 86_400) * SECOND


def time_format(sample: pl.Series, name: str, format_: str | None, unread: Unread) -> TimeFormat:
    """Find how a column of times is to be read.

    Args:
        sample: Some of it, not null.
        name: Of the column, for messages.
        format_: strptime format, where it was given.
        unread: Counts the times of the whole column that a format cannot read; called only if the sample
            does not decide.

    Raises:
        InputError: If no unit or format makes plausible times of it.
    """
    if sample.dtype.is_temporal():
        return TimeFormat("datetime")
    texts = sample.cast(pl.String)
    if format_ is not None:
        return _with_format(texts, name, format_)
    numbers = texts.cast(pl.Float64, strict=False)
    if numbers.null_count() * 2 < len(texts):
        compact = texts.str.contains(r"^(19[89]\d|20\d\d)[01]\d[0-3]\d$").mean()
        if compact != 1:
            return _of_numbers(texts, numbers, name)
    for each in _FORMATS:
        parsed = pl.select(_parsed(pl.lit(texts), each)).to_series()
        if parsed.null_count() * 20 <= len(texts):
            return _plausible(TimeFormat("text", each), parsed, texts, name)
    for month_first, day_first in _EITHER_WAY:
        either = (pl.select(_parsed(pl.lit(texts), each)).to_series() for each in (month_first, day_first))
        if any(parsed.null_count() == 0 for parsed in either):
            return _told_apart(
                TimeFormat("text", month_first), TimeFormat("text", day_first), texts, name, unread
            )
    raise InputError(
        f"column {name!r} has times such as {texts[0]!r}, which is neither a number nor an ISO time; "
        "give --time-format, as '%d.%m.%Y %H:%M', or --time none to leave it out"
    )


def moment(text: str, option: str) -> int:
    """A time given as ISO text, in microseconds; UTC if it names no zone.

    Raises:
        InputError: If it is none.

    Example:
        >>> moment("1970-01-02", "--since")
        86400000000
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{option} {text!r} is not a time; give for example 2024-01-31 or 2024-01-31T12:00"
        ) from error
    since = (read if read.tzinfo else read.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1)


def span(text: str) -> int:
    """A duration, in microseconds.

    Raises:
        ValueError: If it is none.

    Example:
        >>> span("90d") // DAY
        90
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smhdwy])", text)
    if not match or float(match[1]) == 0:
        raise ValueError(f"{text!r} is not a duration; give a number and one of s m h d w y, as 90d")
    return round(float(match[1]) * _SPANS[match[2]])


def shown(micros: int) -> str:
    """A time as text.

    Example:
        >>> shown(0)
        '1970-01-01 00:00:00'
    """
    return str((datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).replace(tzinfo=None))[:19]


def _parsed(column: pl.Expr, format_: str) -> pl.Expr:
    if "%z" in format_ or "%#z" in format_:
        zoned = column.str.to_datetime(format_, time_unit="us", time_zone="UTC", strict=False)
        return zoned.dt.replace_time_zone(None)
    if any(part in format_ for part in ("%H", "%I", "%T", "%R")):
        return column.str.to_datetime(format_, time_unit="us", strict=False)
    return column.str.to_date(format_, strict=False).cast(pl.Datetime("us"))


def _with_format(texts: pl.Series, name: str, format_: str) -> TimeFormat:
    try:
        parsed = pl.select(_parsed(pl.lit(texts), format_)).to_series()
    except pl.exceptions.PolarsError as error:
        raise InputError(
            f"--time-format {format_!r} is not a strptime format ({error}); give one as '%Y-%m-%d'"
        ) from error
    if parsed.null_count() == len(texts):
        raise InputError(
            f"--time-format {format_!r} reads no time of column {name!r}, such as {texts[0]!r}; "
            "give one that does, as '%Y-%m-%d %H:%M:%S'"
        )
    return _plausible(TimeFormat("text", format_), parsed, texts, name)


def _of_numbers(texts: pl.Series, numbers: pl.Series, name: str) -> TimeFormat:
    middle = numbers.drop_nulls().drop_nans().median()
    assert isinstance(middle, float)
    for unit, (times, over) in _UNITS.items():
        if EARLIEST <= middle * times / over <= latest():
            return TimeFormat(unit, whole=not bool(texts.str.contains(r"[.eE]").any()))
    raise InputError(
        f"column {name!r} has times such as {texts[0]!r}: before 1990 or in the future, whether taken as "
        f"{', '.join(_UNITS)}; give --time COLUMN, --time-format, or --time none to leave it out"
    )


def _told_apart(
    month_first: TimeFormat, day_first: TimeFormat, texts: pl.Series, name: str, unread: Unread
) -> TimeFormat:
    """The one of two formats that reads more of the column."""
    by_month, by_day = unread(month_first), unread(day_first)
    if by_month == by_day:
        raise InputError(
            f"column {name!r} has times such as {texts[0]!r}, and all can be read with month or day first; "
            f"give --time-format {month_first.format!r} or {day_first.format!r}"
        )
    found = month_first if by_month < by_day else day_first
    parsed = pl.select(found.micros(pl.lit(texts)).cast(pl.Datetime("us"))).to_series()
    return _plausible(found, parsed, texts, name)


def _plausible(found: TimeFormat, parsed: pl.Series, texts: pl.Series, name: str) -> TimeFormat:
    middle = parsed.drop_nulls().cast(pl.Int64).median()
    assert isinstance(middle, float)
    if not EARLIEST <= middle <= latest():
        raise InputError(
            f"column {name!r} has times such as {texts[0]!r}, read as {found.format!r}: "
            f"{shown(int(middle))}, which is before 1990 or in the future; give --time COLUMN, "
            "--time-format, or --time none to leave it out"
        )
    return found
