"""Kept rows by code, on disk in as many buckets of whole users as keep each of them small."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from recsys.columns import ITEM, TIME, USER
from recsys.data.etl.marks import OUTCOME
from recsys.data.splits.frames import CODED
from recsys.ids import IdMap

ROWS: Final = 2_500_000  # of a bucket, about
BATCH: Final = 1_000_000
_BUCKET: Final = "bucket"


class Spill:
    """Rows go in as text in any order and come out by code, bucket after bucket.

    Codes follow the order of the ids, which is known only when all rows are in; until then a row has the
    number that its id got when it was first seen.
    """

    def __init__(self, folder: Path, expected_rows: int) -> None:
        """Start an empty spill in ``folder``."""
        self._folder = folder
        self._buckets = max(1, -(-expected_rows // ROWS))
        self._users, self._items = _Numbers(), _Numbers()
        self._files: list[list[Path]] = [[] for _ in range(self._buckets)]
        self.rows = 0
        self.newest = 0
        folder.mkdir()

    def coded(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Lazily put numbers in place of ids, and add the bucket of each user; only kept rows get any."""
        kept = pl.when(pl.col(OUTCOME).is_null())
        bucket = pl.col(USER).hash() % self._buckets if self._buckets > 1 else pl.lit(0)
        return rows.with_columns(
            bucket.cast(pl.UInt32).alias(_BUCKET),
            kept.then(pl.col(USER)).cast(self._users.kind).to_physical().alias(USER),
            kept.then(pl.col(ITEM)).cast(self._items.kind).to_physical().alias(ITEM),
        )

    def add(self, batch: pl.DataFrame) -> None:
        """Take rows in; ``batch`` comes from ``coded`` and has the columns of ``CODED``."""
        if batch.height:
            self.rows += batch.height
            self.newest = max(self.newest, int(batch[TIME].max()))  # type: ignore[arg-type]
        parts: dict[Any, pl.DataFrame] = (
            batch.partition_by(_BUCKET, as_dict=True) if self._buckets > 1 else {(0,): batch}
        )
        for (bucket,), part in parts.items():
            if part.height:
                files = self._files[int(bucket)]
                path = self._folder / f"{bucket}-{len(files)}.ipc"
                part.select(CODED.names()).write_ipc(path, compression="uncompressed")
                files.append(path)

    def ids(self) -> tuple[IdMap, IdMap, npt.NDArray[np.uint32], npt.NDArray[np.uint32]]:
        """All ids in order, users then items; and for each number the code."""
        users, user_codes = self._users.ordered()
        items, item_codes = self._items.ordered()
        return users, items, user_codes, item_codes

    def buckets(
        self, user_codes: npt.NDArray[np.uint32], item_codes: npt.NDArray[np.uint32]
    ) -> Iterator[pl.DataFrame]:
        """Rows of each bucket, by code."""
        for files in self._files:
            if files:
                frame = pl.concat([pl.read_ipc(path) for path in files])
                yield frame.with_columns(
                    pl.Series(USER, user_codes[frame[USER].to_numpy()]),
                    pl.Series(ITEM, item_codes[frame[ITEM].to_numpy()]),
                )
                for path in files:
                    path.unlink()


class Store:
    """Frames on disk that can be gone through again and again, one in memory at a time."""

    def __init__(self, folder: Path) -> None:
        """Start an empty store in ``folder``."""
        self._folder = folder
        self._files: list[Path] = []
        folder.mkdir()

    def add(self, frame: pl.DataFrame) -> None:
        """Take a frame in."""
        if frame.height:
            path = self._folder / f"{len(self._files)}.ipc"
            frame.write_ipc(path, compression="uncompressed")
            self._files.append(path)

    def frames(self) -> Iterator[pl.DataFrame]:
        """The frames, one by one."""
        for path in self._files:
            yield pl.read_ipc(path)

    def scan(self) -> pl.LazyFrame:
        """All frames as one lazy table."""
        return pl.concat([pl.scan_ipc(path) for path in self._files])

    @property
    def empty(self) -> bool:
        """Whether nothing was taken in."""
        return not self._files


class _Numbers:
    """Numbers that ids get when they are first seen."""

    def __init__(self) -> None:
        self._categories = pl.Categories.random()
        self.kind = pl.Categorical(self._categories)
        # polars forgets the categories once no column of the type is alive.
        self._anchor = pl.Series([], dtype=self.kind)

    def ordered(self) -> tuple[IdMap, npt.NDArray[np.uint32]]:
        seen = self._categories.to_series()
        ids = IdMap.of(seen)
        return ids, ids.encode(seen).to_numpy().astype(np.uint32)
