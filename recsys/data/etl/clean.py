"""What a row means: user, item, time and weight, or the reason why it is not kept."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from recsys.columns import ITEM, TIME, USER, WEIGHT
from recsys.data.etl.keep import Condition
from recsys.data.etl.marks import FAULT, FILE, HARMLESS, LINE, OUTCOME, RAW
from recsys.data.etl.moments import EARLIEST, Clock, latest
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.roles import Roles
from recsys.data.etl.table import Table

NO_WEIGHT = "event has no weight (--event-weights)"
_ASIDE = "recsys text of "
_USER, _ITEM, _TIME, _VALUE, _WEIGHT = (f"recsys {part}" for part in (USER, ITEM, TIME, "value", WEIGHT))


@dataclass(frozen=True, slots=True)
class Meaning:
    """How rows are read; the same for every file of a log.

    Args:
        options: What was asked for.
        clock: How times are read; None where the log has none.
        conditions: What rows must meet.
        since: First moment kept, in microseconds, or None.
        until: First moment no longer kept, or None.
        whole_ids: Parts (``user``, ``item``) whose ids are whole numbers written ``17850.0``.
    """

    options: EtlOptions
    clock: Clock | None
    conditions: list[Condition]
    since: int | None
    until: int | None
    whole_ids: tuple[str, ...]

    def rules(self) -> list[str]:
        """Labels of rows that are left out because the user said so, or that are no rows."""
        asked = [f"--keep {condition.sql}" for condition in self.conditions]
        asked += [f"--since {self.options.since}"] if self.since is not None else []
        asked += [f"--until {self.options.until}"] if self.until is not None else []
        asked += [NO_WEIGHT] if self.options.event_weights else []
        return [*HARMLESS, *asked, *([self._threshold] if self.options.positive_from is not None else [])]

    @property
    def _threshold(self) -> str:
        return f"--positive-from {self.options.positive_from:g}"

    def rows(self, table: Table, roles: Roles, file: int) -> pl.LazyFrame:
        """Lazy rows: user, item, time, weight, ``OUTCOME``, ``FILE``, ``LINE`` and ``RAW``.

        A row has one outcome, the first that applies: unreadable, left out by rule, without ids, without
        a time, without a weight; so the counts of all outcomes add up to the rows read.
        """
        frame = self._judged(table.frame)
        user, item = self._id(roles.user, USER), self._id(roles.item, ITEM)
        time = self.clock.micros(pl.col(roles.time)) if self.clock and roles.time else pl.lit(0, pl.Int64)
        value = pl.col(roles.value).cast(pl.Float64, strict=False) if roles.value else pl.lit(1.0)
        checks: list[tuple[pl.Expr, str]] = [
            *((~pl.col(_flag(place)).fill_null(value=False), f"--keep {condition.sql}")
              for place, condition in enumerate(self.conditions)),
            (_absent(pl.col(_USER)), "no user id"),
            (_absent(pl.col(_ITEM)), "no item id"),
        ]  # fmt: skip
        if self.clock and roles.time:
            checks += [
                (pl.col(roles.time).is_null(), "no time"),
                (pl.col(_TIME).is_null(), f"time is not {self.clock.described}"),
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
            frame.with_columns(user.alias(_USER), item.alias(_ITEM), time.alias(_TIME), value.alias(_VALUE))
            .with_columns(self._weight(roles).cast(pl.Float32).alias(_WEIGHT))
            .with_columns(outcome.alias(OUTCOME), pl.lit(file, pl.UInt32).alias(FILE))
            .select(  # one shape for all files
                pl.col(_USER).alias(USER), pl.col(_ITEM).alias(ITEM), pl.col(_TIME).alias(TIME),
                pl.col(_WEIGHT).alias(WEIGHT), OUTCOME, FILE, pl.col(LINE).cast(pl.UInt64), RAW,
            )
        )  # fmt: skip

    def _judged(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """One true-or-false column for each condition, asked of columns of its types."""
        for place, condition in enumerate(self.conditions):
            aside = [pl.col(name).alias(_ASIDE + name) for name in condition.kinds]
            typed = [pl.col(name).cast(kind, strict=False) for name, kind in condition.kinds.items()]
            frame = (
                frame.with_columns(aside)
                .with_columns(typed)
                .with_columns(condition.holds.alias(_flag(place)))
                .with_columns(pl.col(_ASIDE + name).alias(name) for name in condition.kinds)
            )
        return frame

    def _id(self, column: str, part: str) -> pl.Expr:
        text = pl.col(column).cast(pl.String)
        return text.str.strip_suffix(".0") if part in self.whole_ids else text

    def _weighing(self, roles: Roles) -> list[tuple[pl.Expr, str]]:
        value, options = pl.col(_VALUE), self.options
        checks = []
        if roles.value:
            bad = value.is_null() | ~value.is_finite()
            checks.append((bad, f"{roles.value} is not a finite number"))
        if options.positive_from is not None:
            checks.append((value < options.positive_from, self._threshold))
        if options.event_weights:
            checks.append((pl.col(_WEIGHT).is_null(), NO_WEIGHT))
        elif roles.value and options.positive_from is None:
            checks.append((value <= 0, f"{roles.value} is not positive"))
        return checks

    def _weight(self, roles: Roles) -> pl.Expr:
        if self.options.event_weights and roles.event:
            weights = self.options.event_weights
            event = pl.col(roles.event).cast(pl.String)
            return event.replace_strict(
                list(weights), list(weights.values()), default=None, return_dtype=pl.Float64
            )
        return pl.lit(1.0) if self.options.positive_from is not None else pl.col(_VALUE)


def _flag(place: int) -> str:
    return f"recsys condition {place}"


def _absent(text: pl.Expr) -> pl.Expr:
    """True where there is no text or a blank one, else null or false.

    What begins with a visible ASCII character is not blank; a comparison tells so at a fifth of the cost.
    """
    unsure = pl.when((text < "!") | (text > "~")).then(text)
    return text.is_null() | (unsure.str.strip_chars() == "")
