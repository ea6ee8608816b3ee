"""Lists as Arrow tables, and the files that they are appended to."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from recsys.columns import ITEM, RANK, SCORE, USER
from recsys.ragged import Ragged
from recsys.retrieval.recommender import Service
from recsys.storage.arrays import IntArray
from recsys.storage.string_column import TextColumn

if TYPE_CHECKING:
    import pyarrow as pa

Write = Callable[["pa.Table"], None]


def ranked(
    service: Service, seen: Ragged, users: IntArray, k: int, names: pa.Array, items: pa.Array
) -> pa.Table:
    """The lists of some users (n,) as one table: user, item, rank, score.

    Args:
        service: Of the run.
        seen: What may not be listed, a row per user code.
        users: Codes.
        k: Length of a list.
        names: Ids of all users.
        items: Ids of all items.
    """
    import pyarrow as pa

    codes, scores = service.index.query(service.model.users[users], k, seen.take(users))
    listed = codes >= 0
    rank = np.broadcast_to(np.arange(1, k + 1, dtype=np.int32), codes.shape)
    who = np.broadcast_to(users[:, None], codes.shape)
    return pa.table({
        USER: names.take(_numbers(who[listed])),
        ITEM: items.take(_numbers(codes[listed])),
        RANK: _numbers(rank[listed]),
        SCORE: _numbers(scores[listed]),
    })  # fmt: skip


def _numbers(values: npt.NDArray[Any]) -> pa.Array:
    """The same numbers as an Arrow array; nothing is copied, nor pandas imported, as ``pa.array`` does."""
    import pyarrow as pa

    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [None, pa.py_buffer(values)])


def strings(column: TextColumn) -> pa.Array:
    """The same bytes as an Arrow array; nothing is copied."""
    import pyarrow as pa

    return pa.LargeStringArray.from_buffers(
        len(column), pa.py_buffer(column.offsets), pa.py_buffer(column.data)
    )


@contextmanager
def writer(path: Path, form: str) -> Iterator[Write]:
    """Yield what appends a table to the file."""
    if form == "parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = pa.schema(
            [(USER, pa.large_string()), (ITEM, pa.large_string()), (RANK, pa.int32()), (SCORE, pa.float32())]
        )
        with path.open("wb") as file, pq.ParquetWriter(file, schema, compression="zstd") as writer:
            yield writer.write_table
        return
    import polars as pl

    with path.open("wb") as file:

        def append(table: pa.Table) -> None:
            frame, buffer = pl.DataFrame(pl.from_arrow(table)), io.BytesIO()
            if form == "csv":
                frame.write_csv(buffer, include_header=file.tell() == 0)
            else:
                frame.write_ndjson(buffer)
            file.write(buffer.getbuffer())

        yield append
