"""Which rows of an unseen user are history and which are asked: laws, and the definition in loops."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.columns import TIME
from recsys.data.splits.histories import FoldInSplit, first_rows, oldest_rows
from tests.factories import raw


@st.composite
def logs(draw: st.DrawFn) -> pl.DataFrame:
    pairs = draw(
        st.lists(st.tuples(st.integers(0, 4), st.integers(0, 30)), min_size=1, max_size=60, unique=True)
    )
    times = draw(st.lists(st.integers(-3, 3), min_size=len(pairs), max_size=len(pairs)))
    table = raw([(f"u{user}", f"i{item}") for user, item in pairs], times)
    return table if draw(st.booleans()) else table.with_columns(pl.lit(None, pl.Int64).alias(TIME))


def by_user(table: pl.DataFrame) -> dict[str, list[tuple[str, int | None]]]:
    found: dict[str, list[tuple[str, int | None]]] = {}
    for user, item, time, _ in table.iter_rows():
        found.setdefault(user, []).append((item, time))
    return found


def check(table: pl.DataFrame, cut: FoldInSplit, sizes: dict[int, int]) -> None:
    """Rows are kept apart by user and time; ``sizes``: rows of a user -> how many of them are history."""
    history, asked, left_out = by_user(cut.history), by_user(cut.targets), 0
    for user, rows in by_user(table).items():
        if not 0 < sizes[len(rows)] < len(rows):
            assert user not in history
            assert user not in asked
            left_out += 1
            continue
        assert len(history[user]) == sizes[len(rows)]
        assert sorted(history[user] + asked[user]) == sorted(rows)
        if rows[0][1] is not None:
            times = [time for _, time in history[user] + asked[user]]
            assert times == sorted(times)
    assert cut.left_out == left_out


@settings(deadline=None)
@given(table=logs())
def test_the_newest_fifth_is_asked(table: pl.DataFrame) -> None:
    sizes = {size: size - max(1, int(size / 5 + 0.5)) for size in range(1, 61)}
    check(table, oldest_rows(table), sizes)


@settings(deadline=None)
@given(table=logs(), count=st.integers(0, 5))
def test_the_first_rows_are_granted(table: pl.DataFrame, count: int) -> None:
    check(table, first_rows(table, count), dict.fromkeys(range(1, 61), count))


@settings(deadline=None)
@given(table=logs(), seed=st.integers(0, 9))
def test_the_order_of_rows_and_other_users_do_not_matter(table: pl.DataFrame, seed: int) -> None:
    turned = oldest_rows(table.sample(fraction=1, shuffle=True, seed=seed))
    assert turned.targets.equals(oldest_rows(table).targets)
    alone = table.filter(pl.col("user") == table["user"][0])
    asked = oldest_rows(table).targets.filter(pl.col("user") == table["user"][0])
    assert oldest_rows(alone).targets.equals(asked)


def test_without_times_it_is_a_random_part_and_not_the_order_of_the_ids() -> None:
    table = raw([(f"u{user}", f"i{item}") for user in range(40) for item in range(10)])
    cut = oldest_rows(table.with_columns(pl.lit(None, pl.Int64).alias(TIME)))
    assert cut.targets.height == 80
    assert cut.targets["item"].n_unique() == 10


@pytest.mark.parametrize(
    ("rows", "asked"), [(2, 1), (3, 1), (5, 1), (7, 1), (8, 2), (10, 2), (12, 2), (13, 3)]
)
def test_a_fifth_is_rounded(rows: int, asked: int) -> None:
    assert oldest_rows(raw([("u", f"i{item}") for item in range(rows)])).targets.height == asked
