"""Adjacency lists: each line is a user and the items of that user."""

from __future__ import annotations

import polars as pl

from recsys.data.etl.decode import Plain
from recsys.data.etl.parse.table import RawTable
from recsys.data.etl.schema import BLANK, FAULT, LINE, RAW, WITHOUT_ITEMS
from recsys.data.etl.sources import Source

_SHORTEST = 6  # bytes that a row takes, about


def adjacency(source: Source, text: Plain) -> RawTable:
    """Open an adjacency list; a row is a user and one item."""
    lines = pl.scan_lines(text.path, name=RAW, row_index_name=LINE, row_index_offset=1, glob=False)
    words = pl.col(RAW).str.strip_chars().str.replace_all(r"\s+", " ").str.split(" ")
    frame = (
        lines.with_columns(words.alias("item"))
        .with_columns(pl.col("item").list.first().alias("user"), pl.col("item").list.slice(1))
        .explode("item", empty_as_null=True)
        .with_columns(
            pl.when(pl.col("user") == "").then(pl.lit(BLANK))
            .when(pl.col("item").is_null()).then(pl.lit(WITHOUT_ITEMS)).alias(FAULT)
        )
    )  # fmt: skip
    rows = text.path.stat().st_size // _SHORTEST
    return RawTable(source, text, ["user", "item"], True, frame, rows, guessed=source.format != "adjacency")
