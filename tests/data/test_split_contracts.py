"""What holds of every split: parts are disjoint and complete, and the order of rows does not matter."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys import plugins
from recsys.columns import TIME
from recsys.data.coded_log import HELD, CodedLog
from recsys.data.splits.base import Splitter
from recsys.data.splits.by_time import ByTime
from recsys.data.splits.by_user import ByUser
from recsys.data.splits.given import Given
from recsys.data.splits.leave_last import LeaveLast
from recsys.data.splits.parse import parse, written
from recsys.data.splits.random_holdout import RandomHoldout
from recsys.errors import InputError
from tests.factories import raw

SPLITTERS: list[Splitter] = [
    ByTime(0.2), ByTime(0.5), LeaveLast(1), LeaveLast(3), RandomHoldout(0.3), ByUser(0.4), Given("test.csv"),
]  # fmt: skip


@st.composite
def logs(draw: st.DrawFn) -> pl.DataFrame:
    pairs = draw(
        st.lists(st.tuples(st.integers(0, 6), st.integers(0, 9)), min_size=1, max_size=50, unique=True)
    )
    times = draw(st.lists(st.integers(-5, 5), min_size=len(pairs), max_size=len(pairs)))
    held = draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs)))
    table = raw([(f"u{user}", f"i{item}") for user, item in pairs], times)
    return table.with_columns(pl.Series(TIME, times), pl.Series(HELD, held))


def held_out(table: pl.DataFrame, splitter: Splitter, seed: int = 0) -> pl.DataFrame:
    return cut(table, splitter, seed)[1]


def cut(table: pl.DataFrame, splitter: Splitter, seed: int = 0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What stays and what is held out, by raw ids."""
    log = CodedLog.of(table)
    (frame,) = log.frames()
    mask = splitter.rule(log, seed)(frame)
    assert mask.dtype == np.bool_
    assert mask.shape == (table.height,)
    return table.filter(~mask), table.filter(mask)


def test_every_split_of_the_folder_is_held_to_the_contract() -> None:
    assert set(plugins.names("splits")) == {"by_time", "by_user", "given", "leave_last", "random_holdout"}


@pytest.mark.parametrize("splitter", SPLITTERS, ids=str)
@settings(max_examples=60, deadline=None)
@given(table=logs(), seed=st.integers(0, 5))
def test_parts_are_disjoint_complete_and_independent_of_order(
    splitter: Splitter, table: pl.DataFrame, seed: int
) -> None:
    rest, held = cut(table, splitter, seed)
    assert rest.height + held.height == table.height
    assert rest.join(held, on=["user", "item"]).is_empty()
    turned = cut(table.reverse(), splitter, seed)[1]
    assert turned.sort("user", "item").equals(held.sort("user", "item"))
    if splitter.ordered and not rest.is_empty() and not held.is_empty():
        assert rest[TIME].max() < held[TIME].min()  # type: ignore[operator]


@pytest.mark.parametrize("splitter", [ByTime(0), RandomHoldout(0), ByUser(0), LeaveLast(0)], ids=str)
def test_nothing_asked_for_is_nothing_held_out(splitter: Splitter) -> None:
    table = raw([("a", "x"), ("a", "y"), ("b", "x")])
    assert held_out(table, splitter).is_empty()


@pytest.mark.parametrize("splitter", [ByTime(1), RandomHoldout(1), ByUser(1)], ids=str)
def test_all_asked_for_is_all_held_out(splitter: Splitter) -> None:
    table = raw([("a", "x"), ("a", "y"), ("b", "x")])
    assert held_out(table, splitter).height == 3


@settings(deadline=None)
@given(table=logs(), share=st.floats(0, 1))
def test_a_random_share_is_exact(table: pl.DataFrame, share: float) -> None:
    assert held_out(table, RandomHoldout(share)).height == round(share * table.height)


@settings(deadline=None)
@given(table=logs(), share=st.floats(0, 1))
def test_ties_in_time_stay_in_train(table: pl.DataFrame, share: float) -> None:
    held, ordered = held_out(table, ByTime(share)), table[TIME].sort()
    if held.height > round(share * table.height):  # nothing is newer than the cut-off: the newest moment
        assert ordered[table.height - round(share * table.height) - 1] == ordered[-1] > ordered[0]
        assert (held[TIME] == ordered[-1]).all()
        assert held.height == (ordered == ordered[-1]).sum()
    elif held.height < round(share * table.height):
        at_cut = ordered[table.height - round(share * table.height) - 1]
        assert table.height - held.height == (ordered <= at_cut).sum()


def test_the_newest_moment_is_held_out_whole_where_the_share_would_hold_out_nothing() -> None:
    table = raw([("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")], [1, 2, 2, 2])
    assert held_out(table, ByTime(0.25))[TIME].to_list() == [2, 2, 2]
    assert held_out(table.with_columns(pl.lit(2).alias(TIME)), ByTime(0.25)).is_empty()


@settings(deadline=None)
@given(table=logs(), count=st.integers(0, 4))
def test_leave_last_takes_the_newest_of_each_user_and_leaves_one(table: pl.DataFrame, count: int) -> None:
    rest, held = cut(table, LeaveLast(count))
    for (user,), own in table.group_by("user"):
        taken, left = held.filter(pl.col("user") == user), rest.filter(pl.col("user") == user)
        assert taken.height == min(count, own.height - 1)
        if taken.height:
            assert left[TIME].max() <= taken[TIME].min()  # type: ignore[operator]


@settings(deadline=None)
@given(table=logs(), share=st.floats(0, 1))
def test_users_are_held_out_whole(table: pl.DataFrame, share: float) -> None:
    rest, held = cut(table, ByUser(share))
    assert not set(rest["user"]) & set(held["user"])
    assert held["user"].n_unique() == round(share * table["user"].n_unique())


def test_a_random_split_hardly_changes_when_rows_are_added() -> None:
    few = raw([(f"u{user}", f"i{item}") for user in range(20) for item in range(5)])
    more = raw([(f"u{user}", f"i{item}") for user in range(20) for item in range(6)])
    before = set(held_out(few, RandomHoldout(0.3)).select("user", "item").iter_rows())
    after = held_out(more, RandomHoldout(0.3)).filter(pl.col("item") != "i5")
    assert len(before & set(after.select("user", "item").iter_rows())) > 0.8 * len(before)


def test_other_seeds_draw_other_rows() -> None:
    table = raw([(f"u{user}", f"i{item}") for user in range(20) for item in range(5)])
    for splitter in (RandomHoldout(0.3), ByUser(0.3)):
        assert not held_out(table, splitter, 0).equals(held_out(table, splitter, 1))


@pytest.mark.parametrize("splitter", [ByTime(0.2), LeaveLast(1)], ids=str)
def test_without_times_a_split_by_time_says_what_to_do(splitter: Splitter) -> None:
    table = raw([("a", "x"), ("b", "y")]).with_columns(pl.lit(None, pl.Int64).alias(TIME))
    with pytest.raises(InputError, match="needs timestamps and the log has none; give --time COLUMN"):
        splitter.rule(CodedLog.of(table), 0)


def test_the_validation_set_is_taken_by_the_same_rule() -> None:
    timed = CodedLog.of(raw([("a", "x"), ("b", "y")]))
    untimed = CodedLog.of(raw([("a", "x")]).with_columns(pl.lit(None, pl.Int64).alias(TIME)))
    assert ByTime(0.2).again(0.1, timed) == ByTime(0.1)
    assert LeaveLast(2).again(0.1, timed) == LeaveLast(2)
    assert LeaveLast(2).again(0, timed) == LeaveLast(0)
    assert RandomHoldout(0.2).again(0.1, timed) == RandomHoldout(0.1)
    assert ByUser(0.2).again(0.1, timed) == ByUser(0.1)
    assert Given("t").again(0.1, timed) == ByTime(0.1)
    assert Given("t").again(0.1, untimed) == RandomHoldout(0.1)


@pytest.mark.parametrize(
    ("text", "splitter"),
    [
        ("time:0.25", ByTime(0.25)),
        ("last:2", LeaveLast(2)),
        ("random", RandomHoldout(0.2)),
        ("users:0.5", ByUser(0.5)),
    ],
)
def test_a_split_is_read_from_text_and_written_as_text(text: str, splitter: Splitter) -> None:
    assert parse(text) == splitter
    assert parse(written(splitter)) == splitter


@pytest.mark.parametrize("text", ["times:0.2", "", "time:2", "time:x", "last:-1", "last:0.5", "random:nan"])
def test_an_unknown_split_names_those_there_are(text: str) -> None:
    with pytest.raises(InputError, match=r"time:0\.2"):
        parse(text)
