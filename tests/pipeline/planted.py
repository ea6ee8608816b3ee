"""A log with a known answer, which only a refit on more of it can give in full.

Even users like even shelves and odd users odd ones. Each user has four of the five old items of a shelf in
train, one of its two new items in the validation set, and in test the fifth old item, the other new item and
an item that appears in test alone. Whatever finds the shelf finds the old item after a fit on train (recall@3
1/3), the new item too after one on train and validation (2/3), and all three after one on everything (1).
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from recsys.data.dataset import Dataset
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl
from recsys.data.tables import Split
from recsys.storage.arrays import IntArray
from recsys.storage.home import Home
from tests.factories import raw

USERS: Final = 8
PARTS: Final = {"train": 32, "valid": 8, "test": 24}


def rows() -> dict[str, list[tuple[str, str]]]:
    """Pairs of user and item by part."""
    found: dict[str, list[tuple[str, str]]] = {"train": [], "valid": [], "test": []}
    for user in range(USERS):
        shelf, place = "odd" if user % 2 else "even", user // 2
        old = [f"{shelf}-old{item}" for item in range(5)]
        new = [f"{shelf}-new{item}" for item in range(2)]
        own = {
            "train": [item for item in old if item != old[place]],
            "valid": [new[place % 2]],
            "test": [old[place], new[1 - place % 2], f"{shelf}-last"],
        }
        for part, items in own.items():
            found[part] += [(f"u{user}", item) for item in items]
    return found


def split() -> Split:
    """The parts as tables, each later than the one before."""
    parts = rows()
    return Split(
        raw(parts["train"], times=list(range(0, 32))),
        raw(parts["valid"], times=list(range(32, 40))),
        raw(parts["test"], times=list(range(40, 64))),
        raw([]),
    )


def write(file: Path) -> Path:
    """The same as a log in CSV, the parts one after the other in time."""
    file.parent.mkdir(parents=True, exist_ok=True)
    pairs = [pair for part in rows().values() for pair in part]
    table = pl.DataFrame(pairs, schema=["user", "item"], orient="row")
    table.with_columns(time=pl.int_range(10**9, 10**9 + len(pairs))).write_csv(file)
    return file


def options(log: Path, name: str = "planted") -> EtlOptions:
    """The options of etl that split the log into those parts again."""
    return EtlOptions(logs=[str(log)], name=name, split="time:0.375", valid=0.2)


def dataset(home: Home) -> Dataset:
    """The log as a dataset."""
    return etl(options(write(home.raw / "planted.csv")), home)


def everybody() -> IntArray:
    """Codes of all users."""
    return np.arange(USERS)
