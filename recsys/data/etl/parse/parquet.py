"""Parquet files, in their own types."""

from __future__ import annotations

import polars as pl

from recsys.data.etl.decode import binary
from recsys.data.etl.parse.table import NoRowsError, RawTable
from recsys.data.etl.schema import FAULT, LINE, RAW
from recsys.data.etl.sources import Source
from recsys.errors import InputError


def parquet(source: Source) -> RawTable:
    """Open a parquet file; columns are in the order of the file.

    Raises:
        InputError: If it is not a whole parquet file.
        NoRowsError: If it has no row.
    """
    plain = binary(source.path)
    try:
        scan = pl.scan_parquet(source.path, glob=False, hive_partitioning=False)
        schema = scan.collect_schema()
        rows = scan.select(pl.len()).collect().item()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"{source} is not a whole parquet file ({str(error).splitlines()[0]}); fetch it again"
        ) from error
    if rows == 0:
        raise NoRowsError(f"{source} has no rows; give a file with rows")
    nested = {name: _inside(name, kind) for name, kind in schema.items() if kind.is_nested()}
    nested |= {name: [] for name, kind in schema.items() if kind == pl.Object}
    flat = {name: kind for name, kind in schema.items() if name not in nested}
    texts = [name for name, kind in flat.items() if kind != pl.Binary]
    fields = {
        f"{name}.{field}": (name, field, inner)
        for name, kind in schema.items()
        if isinstance(kind, pl.Struct)
        for field, inner in kind.to_schema().items()
        if isinstance(inner, pl.DataType) and not inner.is_nested()
    }
    frame = (
        pl.scan_parquet(
            source.path, glob=False, hive_partitioning=False, row_index_name=LINE, row_index_offset=1
        )
        .with_columns(
            pl.col(name).struct.field(field).alias(path) for path, (name, field, _) in fields.items()
        )
        .with_columns(pl.lit(None, pl.String).alias(FAULT), _shown(texts))
    )
    kinds = flat | {path: inner for path, (_, _, inner) in fields.items()}
    others = {name: kind for name, kind in kinds.items() if kind != pl.String}
    columns = [*schema, *(path for path in fields if path not in schema)]
    return RawTable(source, plain, columns, True, frame, rows, others, nested=nested)


def _inside(name: str, kind: pl.DataType) -> list[str]:
    return [f"{name}.{each.name}" for each in kind.fields] if isinstance(kind, pl.Struct) else []


def _shown(columns: list[str]) -> pl.Expr:
    texts = [pl.col(name).cast(pl.String, strict=False).fill_null("") for name in columns]
    return (pl.concat_str(texts, separator=",") if texts else pl.lit("")).alias(RAW)
