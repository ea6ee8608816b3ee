"""Kept rows by code, on disk in as many buckets of whole users as keep each of them small."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

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

_Codes: TypeAlias = npt.NDArray[np.uint32]


class Spill:
    """Rows go in as text in any order and come out by code, bucket after bucket.

    Codes follow the order of the ids, which is known only when all rows are in; until then a row has the
    number that its id got when it was first seen. Users are numbered in each bucket by itself: the table of
    all of them would not fit the processor's cache, and looking ids up in it would be most of the work.
    """

    def __init__(self, folder: Path, expected_rows: int) -> None:
        """Start an empty spill in ``folder``."""
        self._folder = folder
        self._buckets = max(1, -(-expected_rows // ROWS))
        self._users = [_Numbers() for _ in range(self._buckets)]
        self._items = _Numbers()
        self._files: list[list[Path]] = [[] for _ in range(self._buckets)]
        self.rows = 0
        self.newest = 0
        folder.mkdir()

    def coded(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Lazily put numbers in place of the items of kept rows, and add the bucket of each user."""
        kept = pl.when(pl.col(OUTCOME).is_null())
        bucket = pl.col(USER).hash() % self._buckets if self._buckets > 1 else pl.lit(0)
        return rows.with_columns(
            bucket.cast(pl.UInt32).alias(_BUCKET),
            kept.then(pl.col(ITEM)).cast(self._items.kind).to_physical().alias(ITEM),
        )

    def add(self, batch: pl.DataFrame) -> None:
        """Take kept rows in; ``batch`` comes from ``coded``."""
        if batch.height:
            self.rows += batch.height
            self.newest = max(self.newest, int(batch[TIME].max()))  # type: ignore[arg-type]
        parts: dict[Any, pl.DataFrame] = (
            batch.partition_by(_BUCKET, as_dict=True) if self._buckets > 1 else {(0,): batch}
        )
        for (bucket,), part in parts.items():
            if part.height:
                files, users = self._files[int(bucket)], self._users[int(bucket)]
                path = self._folder / f"{bucket}-{len(files)}.ipc"
                coded = part.with_columns(part[USER].cast(users.kind).to_physical())
                coded.select(CODED.names()).write_ipc(path, compression="uncompressed")
                files.append(path)

    def ids(self) -> tuple[IdMap, IdMap, list[_Codes], _Codes]:
        """All ids in order, users then items; and the code of each number: of users by bucket, of items."""
        users, user_codes = _ordered(self._users)
        items, item_codes = _ordered([self._items])
        return users, items, user_codes, item_codes[0]

    def take(self, bucket: int, user_codes: _Codes, item_codes: _Codes) -> pl.DataFrame:
        """Rows of a bucket, by code; they are no longer in the spill."""
        files = self._files[bucket]
        frame = pl.concat([CODED.to_frame(), *(pl.read_ipc(path) for path in files)])
        coded = frame.with_columns(
            pl.Series(USER, user_codes[frame[USER].to_numpy()]),
            pl.Series(ITEM, item_codes[frame[ITEM].to_numpy()]),
        )
        for path in files:
            path.unlink()
        return coded


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

    def seen(self) -> pl.Series:
        """The ids, by number."""
        return self._categories.to_series()


def _ordered(numbers: list[_Numbers]) -> tuple[IdMap, list[_Codes]]:
    """All ids in order; and of each numbering, whose ids no other has, the code of each number."""
    seen = [each.seen() for each in numbers]
    every = pl.concat(seen)
    ids = IdMap.of(every)
    codes = ids.encode(every).to_numpy().astype(np.uint32)
    return ids, np.split(codes, np.cumsum([len(each) for each in seen])[:-1])
