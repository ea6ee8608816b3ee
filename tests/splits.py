"""The fixed splits beside the checkout, read in plain Python."""

from __future__ import annotations

import csv
from pathlib import Path

import polars as pl

from recsys.data.tables import Interactions
from tests.factories import raw


def read_split(folder: Path) -> tuple[Interactions, pl.DataFrame]:
    """Train, encoded, and test, raw: ``user item item ...`` a line, or tsv with a header."""
    train, test = (
        next(path for path in sorted(folder.iterdir()) if path.stem == part) for part in ("train", "test")
    )
    return Interactions.of(raw(_pairs(train))), raw(_pairs(test))


def _pairs(path: Path) -> list[tuple[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        if path.suffix == ".tsv":
            rows = csv.reader(file, delimiter="\t")
            next(rows)
            pairs = [(user, item) for user, item, *_ in rows]
        else:
            lines = (line.split() for line in file)
            pairs = [(line[0], item) for line in lines if line for item in line[1:]]
    return list(dict.fromkeys(pairs))
