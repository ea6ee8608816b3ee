"""Kept rows by code, on disk in as many buckets of whole users as keep each of them small."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

from recsys.columns import ITEM, TIME, USER
from recsys.data.coded_log import CODED
from recsys.data.etl.schema import OUTCOME
from recsys.ids import IdMap, without_fraction, written_as_floats

_BUCKET: Final = "bucket"

_Codes: TypeAlias = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Pieces:
    """How much of a log is in memory at once.

    Args:
        bucket: Rows of a bucket, about.
        batch: Rows that are read at a time.
    """

    bucket: int = 2_500_000
    batch: int = 1_000_000


PIECES: Final = Pieces()


@dataclass(frozen=True, slots=True)
class Ids:
    """Ids of all kept rows.

    Args:
        users: In order.
        items: In order.
        user_codes: Of each bucket, the code of each number.
        item_codes: The code of each number.
        whole: Parts (``user``, ``item``) of which some ids were written ``17850.0`` and are ``17850`` here.
    """

    users: IdMap
    items: IdMap
    user_codes: list[_Codes]
    item_codes: _Codes
    whole: tuple[str, ...]


class Spill:
    """Rows go in as text in any order and come out by code, bucket after bucket.

    Codes follow the order of the ids, which is known only when all rows are in; until then a row has the
    number that its id got when it was first seen. Users are numbered in each bucket by itself: the table of
    all of them would not fit the processor's cache, and looking ids up in it would be most of the work.
    """

    def __init__(self, folder: Path, expected_rows: int, bucket_rows: int) -> None:
        """Start an empty spill in ``folder``, with buckets of about ``bucket_rows``."""
        self._folder = folder
        self._buckets = max(1, -(-expected_rows // bucket_rows))
        self._users = [_Numbers() for _ in range(self._buckets)]
        self._items = _Numbers()
        self._files: list[list[Path]] = [[] for _ in range(self._buckets)]
        self.rows = 0
        self.newest = 0
        folder.mkdir()

    def coded(self, rows: pl.LazyFrame) -> pl.LazyFrame:
        """Lazily put numbers in place of the items of kept rows, and add the bucket of each user."""
        kept = pl.when(pl.col(OUTCOME).is_null())
        user = pl.col(USER).str.strip_suffix(".0")  # 7 and 7.0 may be one user, and a user has one bucket
        bucket = user.hash() % self._buckets if self._buckets > 1 else pl.lit(0)
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

    def ids(self) -> Ids:
        """All ids in order, and the code of each number."""
        users, user_codes, whole_users = _ordered(self._users)
        items, item_codes, whole_items = _ordered([self._items])
        whole = tuple(part for part, is_ in ((USER, whole_users), (ITEM, whole_items)) if is_)
        return Ids(users, items, user_codes, item_codes[0], whole)

    def take(self, bucket: int, user_codes: _Codes, item_codes: _Codes) -> pl.DataFrame:
        """Rows of a bucket, by code; they are no longer in the spill."""
        files = self._files[bucket]
        frame = pl.concat([CODED.to_frame(), *(pl.scan_ipc(path, glob=False).collect() for path in files)])
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
            yield pl.scan_ipc(path, glob=False).collect()

    def scan(self) -> pl.LazyFrame:
        """All frames as one lazy table."""
        return pl.concat([pl.scan_ipc(path, glob=False) for path in self._files])

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


def _ordered(numbers: list[_Numbers]) -> tuple[IdMap, list[_Codes], bool]:
    """All ids in order; of each numbering the code of each number; and whether ids were written as floats."""
    seen = [each.seen() for each in numbers]
    every = pl.concat(seen)
    whole = written_as_floats(every)
    if whole:
        every = without_fraction(every)
    ids = IdMap.of(every)
    codes = ids.encode(every).to_numpy().astype(np.uint32)
    return ids, np.split(codes, np.cumsum([len(each) for each in seen])[:-1]), whole
