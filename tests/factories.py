"""Tiny tables with known answers: users != items, text ids."""

from __future__ import annotations

import numpy as np
import polars as pl

from recsys.columns import ITEM, TIME, USER, WEIGHT
from recsys.data.tables import RAW_SCHEMA, Interactions
from recsys.embeddings import Embeddings
from recsys.ids import IdMap
from recsys.ragged import Ragged
from recsys.retrieval.seen import Seen
from recsys.retrieval.serving_files import write_seen, write_titles
from recsys.storage.files import write_json
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder


def raw(
    rows: list[tuple[str, str]], times: list[int] | None = None, weights: list[float] | None = None
) -> pl.DataFrame:
    """A raw table of (user, item) rows; times are 0, 1, 2, ... and weights 1 unless given."""
    return pl.DataFrame(
        {
            USER: [user for user, _ in rows],
            ITEM: [item for _, item in rows],
            TIME: times or list(range(len(rows))),
            WEIGHT: weights or [1.0] * len(rows),
        },
        schema=RAW_SCHEMA,
    )


def checkerboard(users: int = 24, items: int = 16, *, held_out: int = 1) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Even users like even items, odd users odd ones; each user misses ``held_out`` of them in train.

    Returns:
        Train and test: a right model ranks the held-out items first.
    """
    train, test = [], []
    for user in range(users):
        liked = [item for item in range(items) if item % 2 == user % 2]
        hidden = {liked[(user // 2 + step) % len(liked)] for step in range(held_out)}
        for item in liked:
            (test if item in hidden else train).append((f"u{user}", f"i{item:03d}"))
    return raw(train), raw(test)


def random_log(users: int = 60, items: int = 40, rows: int = 600, seed: int = 0) -> pl.DataFrame:
    """Random unique pairs with a long tail of items and text ids."""
    rng = np.random.default_rng(seed)
    popular = 1 / np.arange(1, items + 1)
    chances = popular / popular.sum()
    pairs = {(int(rng.integers(users)), int(rng.choice(items, p=chances))) for _ in range(rows)}
    return raw([(f"u{user}", f"i{item}") for user, item in sorted(pairs)])


def dislikes(table: pl.DataFrame, each: int = 3) -> pl.DataFrame:
    """For every user of a table up to ``each`` random items that the user has not chosen."""
    every = table.select(USER).unique().join(table.select(ITEM).unique(), how="cross")
    free = every.join(table, on=[USER, ITEM], how="anti").sort(USER, ITEM)
    drawn = free.sample(fraction=1.0, shuffle=True, seed=0).group_by(USER, maintain_order=True).head(each)
    return raw(list(drawn.select(USER, ITEM).sort(USER, ITEM).iter_rows()))


def plays(users: int = 120, items: int = 60, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """A log of counts: what is chosen shows the taste, how often is random with a long tail.

    Returns:
        Train and a held-out part; users mostly choose from one of six groups of items.
    """
    rng = np.random.default_rng(seed)
    train, held_out, weights = [], [], []
    for user in range(users):
        chances = np.where(np.arange(items) % 6 == user % 6, 1.0, 0.06)
        chosen = rng.choice(items, size=9, replace=False, p=chances / chances.sum())
        train += [(f"u{user}", f"i{item}") for item in chosen[3:]]
        held_out += [(f"u{user}", f"i{item}") for item in chosen[:3]]
        weights += [float(count) for count in np.ceil(rng.pareto(0.6, len(chosen) - 3) + 1e-9)]
    return raw(train, weights=weights), raw(held_out)


def interactions(table: pl.DataFrame | None = None) -> Interactions:
    """Encoded interactions of a table, by default of ``random_log()``, and what its users dislike."""
    table = random_log() if table is None else table
    return Interactions.of(table, dislikes(table))


def embeddings(
    users: int = 12, items: int = 30, dim: int = 4, distance: str = "cosine", seed: int = 0
) -> Embeddings:
    """Random vectors with the ids u0.. and i0.., users != items."""
    rng = np.random.default_rng(seed)
    return Embeddings(
        rng.normal(size=(users, dim)).astype(np.float32),
        rng.normal(size=(items, dim)).astype(np.float32),
        IdMap(pl.Series("id", [f"u{user}" for user in range(users)])),
        IdMap(pl.Series("id", [f"i{item}" for item in range(items)])),
        distance,
    )


def seen_rows(users: int = 12, items: int = 30, each: int = 5, seed: int = 0) -> Ragged:
    """``each`` random items for every user; the last user has seen nothing."""
    rng = np.random.default_rng(seed)
    rows = [np.sort(rng.choice(items, size=each, replace=False)) for _ in range(users - 1)]
    indptr = np.concatenate([np.arange(users) * each, [(users - 1) * each]])
    return Ragged(indptr.astype(np.int64), np.concatenate([*rows, []]).astype(np.int32))


def run_folder(
    home: Home,
    model: Embeddings,
    seen: Ragged | Seen,
    *,
    name: str = "run-1",
    titles: list[str | None] | None = None,
    dataset: dict[str, str] | None = None,
) -> RunFolder:
    """A finished run as the pipeline writes one, made the current one; without an index folder."""
    run = RunFolder(home.runs / name)
    model.save(run.model)
    write_seen(run.seen, seen if isinstance(seen, Seen) else Seen.of(seen))
    if titles is not None:
        write_titles(run.titles, titles)
    dataset = dataset or {"name": "log", "hash": "d" * 64, "split_hash": "5" * 64}
    run.write_manifest({"status": "finished", "dataset": dataset, "seed": 0, "metrics": {}})
    run.seal()
    home.set_current("run", name)
    return run


def dataset_folder(
    home: Home, train: pl.DataFrame, test: pl.DataFrame, *, name: str = "log"
) -> dict[str, str]:
    """A dataset as etl writes one, with an empty valid part; returns what ``run.json`` says of it."""
    folder = home.datasets / name
    folder.mkdir(parents=True)
    for part, table in (("train", train), ("valid", train.clear()), ("test", test)):
        table.write_parquet(folder / f"{part}.parquet")
    hashes = {"hash": "d" * 64, "split_hash": "5" * 64}
    write_json(folder / "manifest.json", {"schema": 1, **hashes})
    return {"name": name, **hashes}
