"""What a dataset is like: how much, how dense, how long its tail, when, and what is cold in its test set."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl

from recsys.columns import ITEM, TIME, TITLE, USER
from recsys.data.dataset import PARTS, Dataset

BINS: Final = 24
Counts = npt.NDArray[np.int64]


def describe(dataset: Dataset) -> dict[str, Any]:
    """Describe a dataset in JSON values; only the counts a user and an item are held in memory."""
    rows = pl.concat([pl.scan_parquet(dataset.folder / f"{part}.parquet", glob=False) for part in PARTS])
    users, items = _counts(rows, USER), _counts(rows, ITEM)
    interactions = int(users.sum())
    return {
        "name": dataset.name,
        "folder": str(dataset.folder),
        "hash": dataset.hash,
        "split_hash": dataset.split_hash,
        "split": dataset.manifest.get("split"),
        "interactions": interactions,
        "users": len(users),
        "items": len(items),
        "density": interactions / (len(users) * len(items)),
        "per_user": spread(users),
        "per_item": spread(items),
        "tail": {
            "top_1_percent": share_of_top(items, 0.01),
            "top_10_percent": share_of_top(items, 0.1),
            "gini_items": gini(items),
            "gini_users": gini(users),
        },
        "time": _time(rows),
        "parts": {part: _part(dataset, part) for part in PARTS},
        "cold": _cold(dataset),
        "titled_items": _titled(dataset),
    }


def gini(counts: Counts) -> float:
    """Gini coefficient: 0 where all are equal, near 1 where one has everything.

    ``sum((2 i - n - 1) x_i) / (n sum(x))`` over the counts x in rising order, i from 1.

    Example:
        >>> gini(np.array([5, 5, 5])), round(gini(np.array([0, 0, 9])), 3)
        (0.0, 0.667)
    """
    rising = np.sort(counts)
    places = 2 * np.arange(1, len(rising) + 1) - len(rising) - 1
    return float((places * rising).sum() / (len(rising) * rising.sum()))


def share_of_top(counts: Counts, share: float) -> float:
    """Share of all interactions that the top ``share`` of the items has, at least one item.

    Example:
        >>> share_of_top(np.array([1, 1, 1, 7]), 0.25)
        0.7
    """
    top = max(1, round(len(counts) * share))
    return float(np.sort(counts)[::-1][:top].sum() / counts.sum())


def spread(counts: Counts) -> dict[str, Any]:
    """Quantiles of how many interactions a user or an item has, and how many of them have 1, 2-3, 4-7, ..."""
    doubling = np.bincount(np.log2(counts).astype(np.int64))
    return {
        "least": int(counts.min()),
        "median": float(np.median(counts)),
        "mean": float(counts.mean()),
        "p90": float(np.quantile(counts, 0.9)),
        "most": int(counts.max()),
        "histogram": [{"from": 2**step, "count": int(count)} for step, count in enumerate(doubling)],
    }


def _counts(rows: pl.LazyFrame, column: str) -> Counts:
    counted = rows.group_by(column).len().select("len").collect(engine="streaming")
    return counted["len"].to_numpy().astype(np.int64)


def _time(rows: pl.LazyFrame) -> dict[str, Any] | None:
    """First and last moment and the rows of equal spans between them; None where the log has no times."""
    found = rows.select(pl.col(TIME).min().alias("first"), pl.col(TIME).max().alias("last"))
    first, last = found.collect(engine="streaming").row(0)
    if first is None:
        return None
    width = (last - first) // BINS + 1
    counted = rows.group_by((pl.col(TIME) - first) // width).len().collect(engine="streaming")
    spans = np.zeros(BINS, dtype=np.int64)
    known = counted.drop_nulls()
    spans[known[TIME].to_numpy()] = known["len"].to_numpy()
    return {"from": _iso(first), "to": _iso(last), "days": (last - first) / 86_400e6, "spans": spans.tolist()}


def _iso(microseconds: int) -> str:
    moment = pl.Series([microseconds]).cast(pl.Datetime("us")).dt.to_string("%Y-%m-%dT%H:%M:%S")
    return str(moment[0])


def _part(dataset: Dataset, part: str) -> dict[str, int]:
    rows = pl.scan_parquet(dataset.folder / f"{part}.parquet", glob=False)
    counted = rows.select(
        pl.len().alias("rows"), pl.col(USER).n_unique().alias("users"), pl.col(ITEM).n_unique()
    )
    found = counted.collect(engine="streaming").row(0, named=True)
    return {"rows": found["rows"], "users": found["users"], "items": found[ITEM]}


def _cold(dataset: Dataset) -> dict[str, int]:
    """Of the test set, what train and valid do not know."""
    known = pl.concat(
        [pl.scan_parquet(dataset.folder / f"{part}.parquet", glob=False) for part in ("train", "valid")]
    )
    test = pl.scan_parquet(dataset.folder / "test.parquet", glob=False)
    found: dict[str, int] = {}
    for column, plural in ((USER, "users"), (ITEM, "items")):
        unknown = test.join(known.select(column).unique(), on=column, how="anti")
        counted = unknown.select(pl.len().alias("rows"), pl.col(column).n_unique().alias("ids"))
        rows, ids = counted.collect(engine="streaming").row(0)
        found |= {plural: ids, f"{plural}_rows": rows}
    return found


def _titled(dataset: Dataset) -> int | None:
    """How many items have a title; None where there is no item table with titles."""
    items = dataset.items()
    return None if items is None or TITLE not in items.columns else int(items[TITLE].drop_nulls().len())
