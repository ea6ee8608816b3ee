"""``--keep``: SQL conditions on the columns of a log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from recsys.data.etl.column_names import listed
from recsys.data.etl.parse.table import RawTable
from recsys.errors import InputError


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition.

    Args:
        sql: As it was given.
        holds: The same as an expression.
        kinds: Types that its columns are read as.
    """

    sql: str
    holds: pl.Expr
    kinds: dict[str, pl.DataType]


def conditions(sqls: list[str], tables: Sequence[RawTable]) -> list[Condition]:
    """Parse conditions, and find the types of the columns that they name from all values.

    Each file must have the columns that are named; it may have or lack any other.

    A column of integers is read as integers, one of numbers as floats, any other as text. If the condition
    does not fit these types, text columns are read as numbers (text that is not a number does not meet the
    condition); if it still does not fit, all its columns are read as text.

    Raises:
        InputError: If one is not SQL, names a column that a file lacks, or does not fit the types
            of its columns.
    """
    parsed = [(sql, _parse(sql, tables)) for sql in sqls]
    named = sorted({name for _, holds in parsed for name in holds.meta.root_names()})
    if not named:
        return []
    kinds = _kinds(pl.concat([each.frame.select(_alike(each, tables, named)) for each in tables]), named)
    found = []
    for sql, holds in parsed:
        own = {name: kinds[name] for name in holds.meta.root_names()}
        numeric = {name: pl.Float64() if kind == pl.String else kind for name, kind in own.items()}
        texts: dict[str, pl.DataType] = dict.fromkeys(own, pl.String())
        fault = _fault(holds, own)
        if fault is not None:
            own = next((each for each in (numeric, texts) if _fault(holds, each) is None), own)
            fault = _fault(holds, own)
        if fault is not None:
            types = ", ".join(f"{name}: {_word(kind)}" for name, kind in own.items())
            raise InputError(
                f"--keep {sql!r} does not fit the columns ({types}): {fault}; change the condition"
            )
        found.append(Condition(sql, holds, own))
    return found


def _parse(sql: str, tables: Sequence[RawTable]) -> pl.Expr:
    try:
        holds = pl.sql_expr(sql)
    except pl.exceptions.PolarsError as error:
        raise InputError(
            f"--keep {sql!r} is not an SQL condition ({_first(error)}); write for example 'Quantity > 0'"
        ) from error
    for table in tables:
        unknown = [name for name in holds.meta.root_names() if name not in table.columns]
        if unknown:
            raise InputError(
                f"--keep {sql!r} names a column {unknown[0]!r}, which {table.source} lacks; it has: "
                f"{listed(table.columns)}"
            )
    if not holds.meta.root_names():
        raise InputError(f"--keep {sql!r} names no column; there are: {listed(tables[0].columns)}")
    return holds


def _alike(table: RawTable, tables: Sequence[RawTable], named: Sequence[str]) -> list[pl.Expr]:
    """Columns in types that all files share: text where they differ."""
    kinds = {name: {each.kinds.get(name, pl.String()) for each in tables} for name in named}
    return [
        table.values(name) if len(kinds[name]) == 1 else table.values(name).cast(pl.String) for name in named
    ]


def _kinds(frame: pl.LazyFrame, named: list[str]) -> dict[str, pl.DataType]:
    schema = frame.collect_schema()
    texts = [name for name in named if schema[name] == pl.String]
    if not texts:
        return {name: schema[name] for name in named}
    looks = [
        look
        for name in texts
        for look in (
            pl.col(name).cast(pl.Int64, strict=False).is_not_null().sum().alias(f"{name} whole"),
            pl.col(name).cast(pl.Float64, strict=False).is_not_null().sum().alias(f"{name} number"),
            pl.col(name).is_not_null().sum().alias(f"{name} any"),
        )
    ]
    counts = frame.select(looks).collect(engine="streaming").row(0, named=True)
    kinds = {name: schema[name] for name in named}
    for name in texts:
        if counts[f"{name} whole"] == counts[f"{name} any"] > 0:
            kinds[name] = pl.Int64()
        elif counts[f"{name} number"] == counts[f"{name} any"] > 0:
            kinds[name] = pl.Float64()
    return kinds


def _fault(holds: pl.Expr, kinds: dict[str, pl.DataType]) -> str | None:
    """Why the condition does not apply to columns of these types, or None."""
    try:
        kind = pl.DataFrame(schema=kinds).select(holds.alias("holds")).schema["holds"]
    except pl.exceptions.PolarsError as error:
        return _first(error)
    return None if kind == pl.Boolean else f"it gives {_word(kind)} and not true or false"


def _word(kind: pl.DataType) -> str:
    return "text" if kind == pl.String else "number" if kind.is_numeric() else str(kind)


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
