"""From cleaned rows to train, valid and test on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from recsys.columns import ITEM, TIME, USER, WEIGHT
from recsys.data.dataset import PARTS
from recsys.data.etl.abreast import abreast
from recsys.data.etl.core import outside_core
from recsys.data.etl.identity import Identity
from recsys.data.etl.moments import shown, span
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.reading import Progress, Reading
from recsys.data.etl.repeats import merge
from recsys.data.etl.spill import Store
from recsys.data.splits.frames import Log, nothing
from recsys.data.splits.splitter import Splitter
from recsys.data.tables import RAW_SCHEMA
from recsys.errors import InputError
from recsys.ids import IdMap
from recsys.seeds import derive

TRAIN, VALID, TEST = PARTS
_TINY: Final = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, slots=True)
class Merged:
    """The log with one row for each (user, item).

    Args:
        log: Its rows.
        repeats: Number of rows merged into others.
        in_train: Number of rows of a given test part that were left out because their pair is in train.
        newest: Newest time, to which ages are measured.
    """

    log: Log
    repeats: int
    in_train: int
    newest: int


def merged(reading: Reading, options: EtlOptions, folder: Path, progress: Progress) -> Merged:
    """Merge repeats, and let weights decay with age.

    Raises:
        InputError: If nothing is left, or there is one user or one item only.
    """
    store, repeats, in_train = Store(folder), 0, 0
    users, items, user_codes, item_codes = reading.spill.ids()
    newest = reading.spill.newest

    def one(bucket: int) -> tuple[pl.DataFrame, int, int]:
        rows = reading.spill.take(bucket, user_codes[bucket], item_codes)
        return merge(_aged(rows, options.half_life, newest), options.on_repeat)

    with progress("merging repeats", reading.spill.rows) as advance:
        for kept, over, known in abreast(one, range(len(user_codes))):
            repeats, in_train = repeats + over, in_train + known
            store.add(kept)
            advance(kept.height + over + known)
    log = Log(store.frames, users, items, timed=reading.meaning.clock is not None)
    if store.empty:
        left_out = sum(reading.dropped.values())
        raise InputError(
            f"no row is left of {reading.rows:,}: {sum(reading.rejected.values()):,} cannot be used and "
            f"{left_out:,} were left out by rule; loosen --keep, --since, --until or --positive-from"
        )
    for what, ids in (("user", users), ("item", items)):
        if len(ids) == 1:
            raise InputError(
                f"there is only one {what} in the log ({ids.ids[0]!r}), and nothing to recommend by; "
                f"check --{what} ({reading.roles[0].by_part()[what]!r} was read)"
            )
    return Merged(log, repeats, in_train, newest)


@dataclass(frozen=True, slots=True)
class Parts:
    """Train, valid and test. ``outside_core`` is the number of train rows that the thresholds left out."""

    stores: Mapping[str, Store]
    identities: Mapping[str, Identity]
    outside_core: int


def parted(log: Log, splitter: Splitter, options: EtlOptions, folder: Path, progress: Progress) -> Parts:
    """Mark the test rows, drop what is outside the core from train, and take the valid part from the rest."""
    test_rule = splitter.rule(log, derive(options.seed, TEST))
    train = log.without(test_rule)
    core_rule = outside_core(train, options.min_user, options.min_item)
    core = train.without(core_rule)
    valid_rule = (
        splitter.again(options.valid, core).rule(core, derive(options.seed, VALID))
        if options.valid
        else nothing
    )
    stores = {part: Store(folder / part) for part in PARTS}
    identities = {part: Identity() for part in PARTS}
    outside = 0
    _ = log.user_keys, log.item_keys  # made once, not by each of two threads

    def split(frame: pl.DataFrame) -> tuple[list[tuple[pl.DataFrame, Identity]], int]:
        held = test_rule(frame)
        rest = frame.filter(~held)
        inside = rest.filter(~core_rule(rest))
        valid = valid_rule(inside)
        pieces = (inside.filter(~valid), inside.filter(valid), frame.filter(held))
        return [(piece, Identity.of(log, piece)) for piece in pieces], rest.height - inside.height

    with progress("splitting") as advance:
        for pieces, left in abreast(split, log.frames()):
            outside += left
            for part, (piece, identity) in zip(PARTS, pieces, strict=True):
                identities[part] = identities[part].merged(identity)
                stores[part].add(piece)
            advance(left + sum(piece.height for piece, _ in pieces))
    return Parts(stores, identities, outside)


def summary(log: Log, parts: Parts) -> dict[str, dict[str, Any]]:
    """Rows, users, items and times of each part; of test also what train and valid do not know."""
    known_users = np.zeros(len(log.users), dtype=np.bool_)
    known_items = np.zeros(len(log.items), dtype=np.bool_)
    found: dict[str, dict[str, Any]] = {}
    for part in PARTS:
        users, items = np.zeros_like(known_users), np.zeros_like(known_items)
        rows = cold_user_rows = cold_item_rows = 0
        first, last = np.iinfo(np.int64).max, np.iinfo(np.int64).min
        for frame in parts.stores[part].frames():
            user, item, time = (frame[name].to_numpy() for name in (USER, ITEM, TIME))
            users[user], items[item] = True, True
            rows += frame.height
            first, last = min(first, int(time.min())), max(last, int(time.max()))
            if part == TEST:
                cold_user_rows += int((~known_users[user]).sum())
                cold_item_rows += int((~known_items[item]).sum())
        found[part] = {"rows": rows, "users": int(users.sum()), "items": int(items.sum())}
        if log.timed and rows:
            found[part] |= {"from": shown(first), "to": shown(last), "newest": last}
        if part == TEST:
            found[part] |= {
                "cold_users": int((users & ~known_users).sum()),
                "cold_user_rows": cold_user_rows,
                "cold_items": int((items & ~known_items).sum()),
                "cold_item_rows": cold_item_rows,
            }
        known_users |= users
        known_items |= items
    found["all"] = {
        "rows": sum(found[part]["rows"] for part in PARTS),
        "users": int(known_users.sum()),
        "items": int(known_items.sum()),
    }
    return found


def write(store: Store, log: Log, factor: float, path: Path) -> None:
    """Write one part with its raw ids; weights are multiplied by ``factor``."""
    if store.empty:
        pl.DataFrame(schema=RAW_SCHEMA).write_parquet(path)
        return
    weight = pl.col(WEIGHT) if factor == 1 else (pl.col(WEIGHT) * factor).cast(pl.Float32)
    store.scan().select(
        _decoded(USER, log.users),
        _decoded(ITEM, log.items),
        pl.col(TIME) if log.timed else pl.lit(None, pl.Int64).alias(TIME),
        weight,
    ).sink_parquet(path, engine="streaming", compression_level=1)


def _decoded(column: str, ids: IdMap) -> pl.Expr:
    return pl.col(column).map_batches(ids.ids.gather, return_dtype=pl.String, is_elementwise=True)


def _aged(frame: pl.DataFrame, half_life: str | None, newest: int) -> pl.DataFrame:
    """Weights halved for each half-life of age; never so small that they vanish."""
    if half_life is None:
        return frame
    factor = 0.5 ** ((newest - pl.col(TIME)) / span(half_life))
    return frame.with_columns((pl.col(WEIGHT) * factor).clip(lower_bound=_TINY).cast(pl.Float32))
