"""From the parts of a log to the tables of a dataset, and their sizes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from recsys.columns import ITEM, TIME, USER, WEIGHT
from recsys.data.coded_log import CodedLog
from recsys.data.dataset import PARTS
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.partition import TEST, Partition
from recsys.data.etl.spill import Store
from recsys.data.etl.timestamps import shown, span
from recsys.data.tables import RAW_SCHEMA
from recsys.ids import IdMap


def summary(log: CodedLog, parts: Partition) -> dict[str, dict[str, Any]]:
    """Rows, users, items and times of each part; of test also how much is unknown to train and valid."""
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


def newest_weight(newest: int, sizes: dict[str, dict[str, Any]], options: EtlOptions) -> float:
    """The factor that undoes the decay of the newest train row: weights decayed from the newest of all rows.

    Args:
        newest: Time of the newest row, in microseconds.
        sizes: See ``summary``.
        options: Their ``half_life``; without one the factor is 1.
    """
    if not options.half_life:
        return 1.0
    return float(2.0 ** ((newest - sizes["train"]["newest"]) / span(options.half_life)))


def write(store: Store, log: CodedLog, factor: float, path: Path) -> None:
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
