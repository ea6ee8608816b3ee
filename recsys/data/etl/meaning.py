"""What a row means: user, item, time and weight, or the reason why it is not kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import numpy as np
import polars as pl

from recsys.columns import ITEM, TIME, USER, WEIGHT
from recsys.data.etl.column_names import RATINGS, normal
from recsys.data.etl.conditions import Condition, conditions
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.parse.table import RawTable
from recsys.data.etl.roles import Roles
from recsys.data.etl.schema import FAULT, FILE, HARMLESS, LINE, OUTCOME, RAW, VALUE
from recsys.data.etl.timestamps import EARLIEST, TimeFormat, latest, moment, time_format
from recsys.errors import InputError

NO_WEIGHT = "event has no weight (--event-weights)"
_ASIDE = "recsys text of "
_LEAST, _MOST = float(np.finfo(np.float32).tiny), float(np.finfo(np.float32).max)
_BEYOND = f"is not a weight ({_LEAST:.2g} to {_MOST:.2g})"
_USER, _ITEM, _TIME, _WEIGHT = (f"recsys {part}" for part in (USER, ITEM, TIME, WEIGHT))


Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What rows mean; the same for every file of a log.

    Args:
        options: What was asked for.
        time_format: How times are read; None where the log has none.
        conditions: What rows must meet.
        since: First moment kept, in microseconds, or None.
        until: First moment no longer kept, or None.
    """

    options: EtlOptions
    time_format: TimeFormat | None
    conditions: list[Condition]
    since: int | None
    until: int | None

    def rules(self) -> list[str]:
        """Labels of rows that are left out by a rule of the user, or because they are not rows."""
        asked = [f"--keep {condition.sql}" for condition in self.conditions]
        asked += [f"--since {self.options.since}"] if self.since is not None else []
        asked += [f"--until {self.options.until}"] if self.until is not None else []
        asked += [NO_WEIGHT] if self.options.event_weights else []
        return [*HARMLESS, *asked, *([self.threshold] if self.options.positive_from is not None else [])]

    @property
    def threshold(self) -> str:
        """Label of rows below ``--positive-from``."""
        return f"--positive-from {self.options.positive_from:g}"

    def rows(self, table: RawTable, roles: Roles, file: int) -> pl.LazyFrame:
        """Lazy rows: user, item, time, weight, ``VALUE``, ``OUTCOME``, ``FILE``, ``LINE``, ``RAW``.

        A row has one outcome, the first that applies: unreadable, left out by rule, without ids, without
        a time, without a weight; so the counts of all outcomes add up to the rows read.
        """
        frame = self._judged(table)
        user, item = table.ids(roles.user), table.ids(roles.item)
        time = (
            self.time_format.micros(table.values(roles.time))
            if self.time_format and roles.time
            else pl.lit(0, pl.Int64)
        )
        value = table.values(roles.value).cast(pl.Float64, strict=False) if roles.value else pl.lit(1.0)
        checks: list[tuple[pl.Expr, str]] = [
            *((~pl.col(_flag(place)).fill_null(value=False), f"--keep {condition.sql}")
              for place, condition in enumerate(self.conditions)),
            (_absent(pl.col(_USER)), "no user id"),
            (_absent(pl.col(_ITEM)), "no item id"),
        ]  # fmt: skip
        if self.time_format and roles.time:
            checks += [
                (pl.col(roles.time).is_null(), "no time"),
                (pl.col(_TIME).is_null(), f"time is not {self.time_format.described}"),
                (pl.col(_TIME) < EARLIEST, "time before 1990"),
                (pl.col(_TIME) > latest(), "time in the future"),
            ]
        if self.since is not None:
            checks.append((pl.col(_TIME) < self.since, f"--since {self.options.since}"))
        if self.until is not None:
            checks.append((pl.col(_TIME) >= self.until, f"--until {self.options.until}"))
        checks += self._weighing(roles)
        outcome = pl.when(pl.col(FAULT).is_not_null()).then(pl.col(FAULT))
        for applies, label in checks:
            outcome = outcome.when(applies).then(pl.lit(label))  # type: ignore[assignment]
        return (
            frame.with_columns(user.alias(_USER), item.alias(_ITEM), time.alias(_TIME), value.alias(VALUE))
            .with_columns(self._weight(table, roles).cast(pl.Float32).alias(_WEIGHT))
            .with_columns(outcome.alias(OUTCOME), pl.lit(file, pl.UInt32).alias(FILE))
            .select(  # one shape for all files
                pl.col(_USER).alias(USER), pl.col(_ITEM).alias(ITEM), pl.col(_TIME).alias(TIME),
                pl.col(_WEIGHT).alias(WEIGHT), pl.col(VALUE).cast(pl.Float32), OUTCOME, FILE,
                pl.col(LINE).cast(pl.UInt64), RAW,
            )
        )  # fmt: skip

    def _judged(self, table: RawTable) -> pl.LazyFrame:
        """One boolean column for each condition, evaluated on columns of its types."""
        frame = table.frame
        for place, condition in enumerate(self.conditions):
            aside = [pl.col(name).alias(_ASIDE + name) for name in condition.kinds]
            typed = [table.values(name).cast(kind, strict=False) for name, kind in condition.kinds.items()]
            frame = (
                frame.with_columns(aside)
                .with_columns(typed)
                .with_columns(condition.holds.alias(_flag(place)))
                .with_columns(pl.col(_ASIDE + name).alias(name) for name in condition.kinds)
            )
        return frame

    def _weighing(self, roles: Roles) -> list[tuple[pl.Expr, str]]:
        value, options = pl.col(VALUE), self.options
        checks = []
        if roles.value:
            bad = value.is_null() | ~value.is_finite()
            checks.append((bad, f"{roles.value} is not a finite number"))
        if options.positive_from is not None:
            checks.append((value < options.positive_from, self.threshold))
        if options.event_weights:
            checks.append((pl.col(_WEIGHT).is_null(), NO_WEIGHT))
        elif roles.value and options.positive_from is None:
            checks.append((value <= 0, f"{roles.value} is not positive"))
            checks.append(((value < _LEAST) | (value > _MOST), f"{roles.value} {_BEYOND}"))
        return checks

    def _weight(self, table: RawTable, roles: Roles) -> pl.Expr:
        if self.options.event_weights and roles.event:
            weights = self.options.event_weights
            event = table.values(roles.event).cast(pl.String)
            return event.replace_strict(
                list(weights), list(weights.values()), default=None, return_dtype=pl.Float64
            )
        return pl.lit(1.0) if self.options.positive_from is not None else pl.col(VALUE)


def _flag(place: int) -> str:
    return f"recsys condition {place}"


def _absent(text: pl.Expr) -> pl.Expr:
    """True where there is no text or a blank one, else null or false.

    What begins with a visible ASCII character is not blank; a comparison tells so at a fifth of the cost.
    """
    unsure = pl.when((text < "!") | (text > "~")).then(text)
    return text.is_null() | (unsure.str.strip_chars() == "")


_SAMPLE: Final = 1_000
_FEW: Final = 11  # as many values as a scale of stars has


def meaning_of(
    tables: Sequence[RawTable], parts: Sequence[Roles], options: EtlOptions, note: Note
) -> Meaning:
    """Find what the rows of a log mean; what is guessed is noted.

    Raises:
        InputError: If times, conditions or values cannot be read as they were asked for.
    """
    if parts[0].value and options.positive_from is None and not options.event_weights:
        note(_weighing_note(tables[0], parts[0].value))
    reading = _time_format(tables, parts, options)
    if reading is not None:
        note(f"time: {reading.described}")
    elif options.since or options.until or options.half_life:
        raise InputError(
            "--since, --until and --half-life need times and the log has none; give --time COLUMN"
        )
    return Meaning(
        options,
        reading,
        conditions(options.keep, tables),
        moment(options.since, "--since") if options.since else None,
        moment(options.until, "--until") if options.until else None,
    )


def _weighing_note(table: RawTable, value: str) -> str:
    plain = f"each row weighs its {value}; --positive-from N keeps those from N on, --value none ignores it"
    column = table.values(value).cast(pl.Float64, strict=False)
    numbers = _beginning(table.frame, lambda rows: rows.select(column))
    found = numbers.to_series().drop_nulls().unique().sort()
    if normal(value) in RATINGS and 2 <= len(found) <= _FEW:
        return (
            f"{plain}; as it is, a row with the lowest {value} ({found[0]:g} of {found[0]:g} to "
            f"{found[-1]:g}) is a weak like, not a dislike"
        )
    return plain


def _time_format(
    tables: Sequence[RawTable], parts: Sequence[Roles], options: EtlOptions
) -> TimeFormat | None:
    """How times are read, judged by the beginning of the first file that has some."""

    def times(table: RawTable, part: Roles, rows: pl.LazyFrame) -> pl.LazyFrame:
        column = table.values(part.time or "")
        return rows.filter(pl.col(FAULT).is_null()).select(column.alias(TIME)).drop_nulls()

    def unread(asked: TimeFormat) -> int:
        every = pl.concat([times(each, part, each.frame) for each, part in zip(tables, parts, strict=True)])
        return int(
            every.select(asked.micros(pl.col(TIME)).is_null().sum()).collect(engine="streaming").item()
        )

    for each, part in zip(tables, parts, strict=True):
        if part.time is not None:
            sample = _beginning(each.frame, partial(times, each, part))[TIME]
            if len(sample):
                return time_format(sample, part.time, options.time_format, unread)
    return None


def _beginning(rows: pl.LazyFrame, chosen: Callable[[pl.LazyFrame], pl.LazyFrame]) -> pl.DataFrame:
    """The first rows of ``chosen(rows)``.

    A file is read no further than needed only if the limit comes before the choice, so that is tried first.
    """
    few = chosen(rows.head(2 * _SAMPLE)).head(_SAMPLE).collect()
    return few if few.height == _SAMPLE else chosen(rows).head(_SAMPLE).collect()
