"""The two files beside a model that serving needs: what is known of each user, and item titles."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from recsys.errors import RecsysError
from recsys.ragged import Ragged
from recsys.retrieval.seen import Seen
from recsys.storage import arrays
from recsys.storage.string_column import TextColumn


def write_seen(path: Path, seen: Seen) -> None:
    """Write what is known of each user, one row per user code, whole or not at all."""
    rows = seen.rows
    arrays.save(path, {
        "indptr": rows.indptr.astype(np.int64),
        "indices": rows.indices.astype(np.int32),
        "learned": seen.learned,
    })  # fmt: skip


def read_seen(path: Path, users: int) -> Seen:
    """Map what ``write_seen`` wrote.

    Raises:
        RecsysError: If the file is missing, cut off, of an older version, or does not hold ``users`` rows.
    """
    stored = arrays.load(path)
    missing = {"indptr", "indices", "learned"} - set(stored)
    if missing == {"learned"}:
        raise RecsysError(
            f"{path} was written by an older version, which kept nothing of a user's test rows and of those "
            "below --positive-from; train again"
        )
    if missing:
        raise RecsysError(f"{path} has no array {sorted(missing)[0]!r}; restore it, or train again")
    rows = Ragged(stored["indptr"], stored["indices"])
    if len(rows) != users:
        raise RecsysError(
            f"{path} holds {len(rows)} users, the model {users}; they belong to different runs: train again"
        )
    return Seen(rows, stored["learned"])


def write_titles(path: Path, titles: Iterable[str | None]) -> None:
    """Write a title an item code; None where an item has none."""
    arrays.save(path, TextColumn.of(title or "" for title in titles).arrays("titles"))


def read_titles(path: Path, items: int) -> TextColumn | None:
    """Map what ``write_titles`` wrote, empty where an item has no title; None where there is no such file.

    Raises:
        RecsysError: If the file is cut off, or does not hold ``items`` titles.
    """
    if not path.exists():
        return None
    try:
        titles = TextColumn.from_arrays(arrays.load(path), "titles")
    except KeyError as error:
        raise RecsysError(f"{path} has no array {error}; restore it, or train again") from error
    if len(titles) != items:
        raise RecsysError(
            f"{path} holds {len(titles)} titles, the model {items} items; they belong to "
            "different runs: train again"
        )
    return titles
