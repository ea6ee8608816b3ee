"""Small logs on disk, and a dataset made of one."""

from __future__ import annotations

import random
from typing import Any

import polars as pl

from recsys.data.dataset import PARTS, Dataset
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl
from recsys.data.etl.spill import PIECES, Pieces
from recsys.storage.home import Home

START = 1_600_000_000


def rows(count: int = 40, users: int = 5, items: int = 7) -> list[tuple[str, str, int, int]]:
    """Unique (user, item) with a rating of 1 to 5 and a time in seconds."""
    pairs = [(f"u{place % users}", f"i{place % items}") for place in range(users * items)]
    chosen = pairs[:count] if count <= len(pairs) else pairs
    return [(user, item, 1 + place % 5, START + 60 * place) for place, (user, item) in enumerate(chosen)]


def text(table: list[tuple[Any, ...]], header: str | None = "user_id,item_id,rating,timestamp") -> str:
    """Rows as CSV."""
    lines = [",".join(str(field) for field in row) for row in table]
    return "\n".join(([header] if header else []) + lines) + "\n"


def dataset(
    home: Home,
    log: str | bytes,
    name: str = "log.csv",
    dataset_name: str | None = None,
    pieces: Pieces = PIECES,
    **options: Any,
) -> Dataset:
    """Write ``log`` beside the home as the file ``name`` and read it."""
    path = home.path.parent / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(log if isinstance(log, bytes) else log.encode())
    return etl(EtlOptions.of({"logs": [str(path)], "name": dataset_name, **options}), home, pieces=pieces)


def kept(made: Dataset) -> pl.DataFrame:
    """All interactions, ordered."""
    split = made.split()
    return pl.concat([split.train, split.valid, split.test]).sort("user", "item")


def accounted(made: Dataset) -> bool:
    """Whether each row that was read went somewhere."""
    counts = made.manifest["counts"]
    out = sum(counts["rejected"].values()) + sum(counts["dropped"].values())
    out += counts["merged"] + counts["in_train"] + counts["outside_core"]
    return bool(counts["read"] == out + sum(counts[part] for part in PARTS))


def shuffled(table: list[tuple[Any, ...]], seed: int = 0) -> list[tuple[Any, ...]]:
    """The same rows in another order."""
    return random.Random(seed).sample(table, len(table))
