import tracemalloc
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import linalg

from recsys.data.synthetic import SECONDS, START, World, planted, write_csv
from recsys.data.tables import RAW_SCHEMA, Interactions
from recsys.errors import InputError


def test_planted_is_a_raw_log_in_the_order_of_time() -> None:
    log, items = planted(users=80, items=50, rows=3_000)
    assert log.schema == RAW_SCHEMA
    assert log.height == 3_000
    assert log["time"].is_sorted()
    assert log["time"].min() >= START * 1_000_000
    assert log["time"].max() < (START + SECONDS) * 1_000_000
    assert set(log["item"]) <= set(items["item"])
    assert items["item"].n_unique() == 50
    assert items["title"].null_count() == 0


def test_the_same_seed_gives_the_same_log_and_another_seed_another() -> None:
    first, again, other = (planted(users=40, items=30, rows=500, seed=seed)[0] for seed in (1, 1, 2))
    assert first.equals(again)
    assert not first.equals(other)


@given(
    users=st.integers(2, 30),
    items=st.integers(1, 30),
    rows=st.integers(1, 200),
    genres=st.integers(1, 16),
    seed=st.integers(0, 99),
)
@settings(max_examples=40, deadline=None)
def test_any_size_gives_that_many_rows_of_released_items_and_arrived_users(
    users: int, items: int, rows: int, genres: int, seed: int
) -> None:
    if items < genres:
        with pytest.raises(InputError, match="as many items as genres"):
            World.make(users, items, genres=genres, seed=seed)
        return
    world = World.make(users, items, genres=genres, seed=seed)
    assert world.taste.sum(axis=1) == pytest.approx(np.ones(users))
    log = pl.concat(list(world.chunks(rows, seed=seed, at_once=64)))
    assert log.height == rows
    released = dict(zip((f"i{number}" for number in world.item_ids), world.release, strict=True))
    arrived = dict(zip(map(str, world.user_ids), world.arrival, strict=True))
    for user, item, time in zip(log["user"], log["item"], log["time"], strict=True):
        passed = (time / 1e6 + 1 - START) / SECONDS  # times are cut to whole seconds
        assert released[item] <= passed
        assert arrived[user] <= passed or arrived[user] == world.arrival[0]


def test_rows_follow_the_planted_taste() -> None:
    world = World.make(users=6, items=40, genres=4, seed=3)
    log = pl.concat(list(world.chunks(60_000, seed=3)))
    genre = {f"i{number}": int(genre) for number, genre in zip(world.item_ids, world.genre, strict=True)}
    for position, number in enumerate(world.user_ids):
        seen = log.filter(user=str(number))["item"].replace_strict(genre)
        share = np.bincount(seen.to_numpy(), minlength=4) / len(seen)
        assert share == pytest.approx(world.taste[position], abs=0.02)


def test_the_truth_and_a_truncated_svd_clearly_beat_popularity() -> None:
    world = World.make(users=600, items=300, seed=0)
    log = pl.concat(list(world.chunks(24_000))).unique(["user", "item"], keep="first", maintain_order=True)
    train = Interactions.of(log.head(int(log.height * 0.8)))
    test = Interactions.encode(log.tail(log.height - train.frame.height), train.users, train.items)
    seen, wanted = train.csr().toarray() > 0, test.csr().toarray() > 0

    def recall(scores: np.ndarray, k: int = 10) -> float:
        top = np.argsort(-np.where(seen, -np.inf, scores), axis=1)[:, :k]
        hits = np.take_along_axis(wanted, top, axis=1).sum(axis=1)
        some = wanted.sum(axis=1) > 0
        return float((hits[some] / wanted[some].sum(axis=1)).mean())

    users = {str(number): position for position, number in enumerate(world.user_ids)}
    items = {f"i{number}": position for position, number in enumerate(world.item_ids)}
    truth = world.chances(np.array([users[name] for name in train.users.ids], dtype=np.int32))
    truth = truth[:, [items[name] for name in train.items.ids]]
    matrix = train.csr().astype(np.float64)
    degree = [1 / np.sqrt(np.maximum(matrix.sum(axis=axis), 1)) for axis in (1, 0)]
    u, s, v = linalg.svds(matrix * degree[0][:, None] * degree[1][None, :], k=12, random_state=0)
    popularity = recall(np.broadcast_to(seen.sum(axis=0, dtype=float), seen.shape))
    assert recall(truth) > 2 * popularity
    assert recall((u * s) @ v / degree[1]) > 1.5 * popularity


def test_items_and_users_have_a_long_tail_and_rows_repeat() -> None:
    log, _ = planted()
    counts = np.sort(log["item"].value_counts()["count"].to_numpy())[::-1]
    assert counts[: len(counts) // 10].sum() > 0.35 * log.height
    assert log.unique(["user", "item"]).height < log.height
    assert log.filter(pl.col("time") < log["time"].quantile(0.8))["user"].n_unique() < log["user"].n_unique()


def test_a_file_is_written_a_chunk_at_a_time(tmp_path: Path) -> None:
    world = World.make(users=50, items=40)
    path = tmp_path / "log.csv"
    write_csv(path, world, 2_000, seed=5)
    table = pl.read_csv(path, schema_overrides={"user": pl.String})
    log = pl.concat(list(world.chunks(2_000, seed=5)))
    assert table.columns == ["user", "item", "timestamp"]
    assert table["item"].equals(log["item"])
    assert (table["timestamp"] * 1_000_000).equals(log["time"].rename("timestamp"))


def test_memory_does_not_grow_with_the_rows() -> None:
    world = World.make(users=100, items=60)

    def peak(rows: int) -> int:
        tracemalloc.start()
        for _ in world.chunks(rows, at_once=10_000):
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(200_000) < 1.5 * peak(20_000)
