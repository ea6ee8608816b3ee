"""From kept rows to a log with one row for each (user, item)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from recsys.columns import ITEM, TIME, USER, WEIGHT
from recsys.data.coded_log import CodedLog
from recsys.data.etl.deduplicate import merge
from recsys.data.etl.filter import Filtered
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.parallel import in_parallel
from recsys.data.etl.progress import Progress
from recsys.data.etl.roles import Roles
from recsys.data.etl.spill import Store
from recsys.data.etl.timestamps import span
from recsys.errors import InputError
from recsys.ids import IdMap
from recsys.storage.arrays import IntArray

_TINY: Final = float(np.finfo(np.float32).tiny)
# Words that often mean a missing id; the report names those with more than a handful of rows.
_WORDS: Final = ("nan", "null", "none", "empty", "na", "n/a", "<na>", "nil", "nat", "undefined", "unknown",
                 "missing", "anonymous", "-", "?")  # fmt: skip
_HANDFUL: Final = 5


@dataclass(frozen=True, slots=True)
class Merged:
    """The log with one row for each (user, item).

    Args:
        log: Its rows.
        repeats: Number of rows merged into others.
        in_train: Number of rows of a given test set that were left out because their pair is in train.
        newest: Newest time, to which ages are measured.
        whole: Parts (``user``, ``item``) of which some ids were written ``17850.0``, read as ``17850``.
        words: Part and id to number of rows, of ids that are words for a missing one.
    """

    log: CodedLog
    repeats: int
    in_train: int
    newest: int
    whole: tuple[str, ...]
    words: dict[tuple[str, str], int]


def merged(
    rows: Filtered, roles: Roles, options: EtlOptions, folder: Path, progress: Progress, *, timed: bool
) -> Merged:
    """Merge repeats, and let weights decay with age.

    Args:
        rows: What to merge.
        roles: Columns that user and item were read from, for messages.
        options: What was asked for.
        folder: Where to keep the merged rows.
        progress: Shows how far it is.
        timed: Whether the rows have times.

    Raises:
        InputError: If nothing is left, or there is one user or one item only.
    """
    store, repeats, in_train = Store(folder), 0, 0
    ids, newest = rows.spill.ids(), rows.spill.newest
    suspects = {USER: _suspects(ids.users), ITEM: _suspects(ids.items)}
    words: Counter[tuple[str, str]] = Counter()

    def one(bucket: int) -> tuple[pl.DataFrame, int, int, dict[tuple[str, str], int]]:
        taken = rows.spill.take(bucket, ids.user_codes[bucket], ids.item_codes)
        counts = {
            (part, ids_of[int(code)]): int((taken[part] == int(code)).sum())
            for part, codes in suspects.items()
            for ids_of in [(ids.users if part == USER else ids.items).ids]
            for code in codes
        }
        return *merge(_aged(taken, options.half_life, newest), options.on_repeat), counts

    with progress("merging repeats", rows.spill.rows) as advance:
        for kept, over, known, counts in in_parallel(one, range(len(ids.user_codes))):
            repeats, in_train = repeats + over, in_train + known
            words.update(counts)
            store.add(kept)
            advance(kept.height + over + known)
    if store.empty:
        raise InputError(
            f"no row is left of {rows.rows:,}: {sum(rows.rejected.values()):,} cannot be used and "
            f"{sum(rows.dropped.values()):,} were left out by rule; loosen --keep, --since, --until or "
            "--positive-from"
        )
    for what, id_map in ((USER, ids.users), (ITEM, ids.items)):
        if len(id_map) == 1:
            raise InputError(
                f"there is only one {what} in the log ({id_map.ids[0]!r}), and nothing to recommend by; "
                f"check --{what} ({roles.by_part()[what]!r} was read)"
            )
    log = CodedLog(store.frames, ids.users, ids.items, timed=timed)
    many = {key: count for key, count in words.items() if count > _HANDFUL}
    return Merged(log, repeats, in_train, newest, ids.whole, many)


def words_note(part: str, word: str, count: int) -> str:
    """What to say of an id that is a word for a missing one."""
    return (
        f"{part} {word!r} has {count:,} rows: such a word often means a missing id; "
        f"where it does, leave it out with --keep \"COLUMN <> '{word}'\""
    )


def _suspects(ids: IdMap) -> IntArray:
    """Codes of the ids that are words for a missing one."""
    return np.flatnonzero(ids.ids.str.to_lowercase().is_in(_WORDS).to_numpy())


def _aged(frame: pl.DataFrame, half_life: str | None, newest: int) -> pl.DataFrame:
    """Weights halved for each half-life of age; never so small that they vanish."""
    if half_life is None:
        return frame
    factor = 0.5 ** ((newest - pl.col(TIME)) / span(half_life))
    return frame.with_columns((pl.col(WEIGHT) * factor).clip(lower_bound=_TINY).cast(pl.Float32))
