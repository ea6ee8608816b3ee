"""One file as a lazy table, with the line and the fault of each row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

from recsys.data.etl.decode import Plain
from recsys.data.etl.sources import Source
from recsys.errors import InputError
from recsys.ids import id_column


@dataclass(frozen=True, slots=True)
class RawTable:
    """A file, ready to be read.

    Args:
        source: The file as it was given.
        plain: The same in plain text, and what is in it.
        columns: Names; ``column_0`` and so on where the file has no header.
        headed: Whether its columns have names of their own.
        frame: Those columns (text; the file's own types in parquet), ``LINE`` (from 1), ``FAULT`` (null, or
            why the row is unusable) and ``RAW`` (the row as text).
        kinds: Types of the columns that are not text.
        rows: About how many rows there are.
        first: Fields of the first line, if that was read as a row and not as a header.
        exact: Of a column that holds numbers as JSON: their text, digit for digit.
        nested: Columns that hold objects, with the names of what is in them.
        guessed: Whether its content was guessed to be an adjacency list.
    """

    source: Source
    plain: Plain
    columns: list[str]
    headed: bool
    frame: pl.LazyFrame
    rows: int
    kinds: dict[str, pl.DataType] = field(default_factory=dict)
    first: list[str] = field(default_factory=list)
    exact: Callable[[str], pl.Expr] | None = None
    nested: dict[str, list[str]] = field(default_factory=dict)
    guessed: bool = False

    def ids(self, column: str) -> pl.Expr:
        """The raw ids of a column, each as its one text."""
        kind = self.kinds.get(column, pl.String())
        if self.exact is not None and column not in self.kinds:
            return id_column(self.exact(column), kind)
        return id_column(pl.col(column), kind, trim=self.plain.spaced)

    def values(self, column: str) -> pl.Expr:
        """A column of anything but ids; text without the white space around it."""
        trimmed = self.plain.spaced and self.kinds.get(column, pl.String()) == pl.String
        return pl.col(column).str.strip_chars() if trimmed else pl.col(column)

    def check(self, column: str, option: str) -> None:
        """Refuse a column that holds objects, lists, or bytes that are not UTF-8.

        Raises:
            InputError: If it does.
        """
        if self.kinds.get(column) == pl.Binary:
            try:
                self.frame.select(pl.col(column).cast(pl.String).count()).collect(engine="streaming")
            except pl.exceptions.ComputeError as error:
                raise InputError(
                    f"column {column!r} of {self.source} is binary and not UTF-8; write it as text, or give "
                    f"another {option}"
                ) from error
        if column in self.nested:
            inside = self.nested[column]
            shown = ", ".join(inside) or "nothing with a name"
            example = f"; give {option} {inside[0]}" if inside else ""
            raise InputError(f"{column!r} of {self.source} is not one value: it holds {shown}{example}")


class NoRowsError(InputError):
    """A file that is a table and has no row; a part of a log may be."""
