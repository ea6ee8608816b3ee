"""What lets ETL take a log in pieces: none of it may show in what comes out."""

from __future__ import annotations

from typing import Literal

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.data.coded_log import CODED, CodedLog
from recsys.data.etl import deduplicate
from recsys.data.etl.k_core import outside_core
from recsys.data.etl.parallel import in_parallel
from recsys.data.etl.spill import Pieces
from recsys.storage.home import Home
from tests.data import etl_logs as logs

LARGEST = 2**32 - 1


@pytest.mark.parametrize("bucket_rows", [1, 3, 10])
def test_many_buckets_hold_the_same_as_one(home: Home, bucket_rows: int) -> None:
    table = logs.rows(200, users=17, items=13)
    text = logs.text(logs.shuffled([*table, *table[:40]]))
    options = {"min_user": 3, "min_item": 3}
    whole = logs.dataset(home, text, dataset_name="whole", **options)
    made = logs.dataset(home, text, dataset_name="pieces", pieces=Pieces(bucket_rows), **options)
    for what in ("hash", "split_hash", "counts", "sizes"):
        assert made.manifest[what] == whole.manifest[what]
    assert logs.kept(made).equals(logs.kept(whole))


def test_a_user_written_as_7_and_as_7_0_is_in_one_bucket(home: Home) -> None:
    table = [(name, f"i{place % 2}", 5, logs.START + place) for place in range(40)
             for name in (place // 2, f"{place // 2}.0")]  # fmt: skip
    made = logs.dataset(home, logs.text(table), pieces=Pieces(bucket=5), split="random:0.2")
    assert made.manifest["counts"]["merged"] == 40
    assert set(logs.kept(made)["user"]) == {str(user) for user in range(20)}


CODES = st.integers(0, 3) | st.integers(LARGEST - 3, LARGEST)
ROW = st.tuples(CODES, CODES, st.integers(0, 2), st.sampled_from([1.0, 2.0]), st.booleans())


@settings(deadline=None, max_examples=60)
@given(st.lists(ROW, max_size=30), st.sampled_from(["last", "first", "sum"]))
def test_repeats_are_merged_alike_however_they_are_sorted(
    rows: list[tuple[int, int, int, float, bool]], on_repeat: Literal["last", "first", "sum"]
) -> None:
    frame = pl.DataFrame(rows, schema=CODED, orient="row")
    found, merged, in_train = deduplicate.merge(frame, on_repeat)
    expected = []
    for pair in sorted({row[:2] for row in rows}):
        of_pair = [row for row in rows if row[:2] == pair]
        in_part = [row for row in of_pair if not row[4]] or of_pair
        time = (min if on_repeat == "first" else max)(row[2] for row in in_part)
        weights = [row[3] for row in in_part if row[2] == time]
        weight = sum(row[3] for row in in_part) if on_repeat == "sum" else max(weights)
        expected.append((*pair, time, weight, in_part[0][4]))
    assert found.rows() == expected
    assert found.schema == CODED
    assert in_train == sum(
        row[4] and any(row[:2] == each[:2] and not each[4] for each in rows) for row in rows
    )
    assert merged == len(rows) - len(expected) - in_train


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=40, unique=True),
    st.integers(1, 4),
    st.integers(1, 4),
)
def test_the_core_is_what_is_left_when_nothing_more_goes(
    pairs: list[tuple[int, int]], min_user: int, min_item: int
) -> None:
    raw = pl.DataFrame(
        [(f"u{user}", f"i{item}", place, 1.0) for place, (user, item) in enumerate(pairs)],
        schema={"user": pl.String, "item": pl.String, "time": pl.Int64, "weight": pl.Float32},
        orient="row",
    )
    log = CodedLog.of(raw)
    (frame,) = log.frames()
    left = set(pairs)
    while True:
        users, items = [user for user, _ in left], [item for _, item in left]
        fewer = {
            (user, item)
            for user, item in left
            if users.count(user) >= min_user and items.count(item) >= min_item
        }
        if fewer == left:
            break
        left = fewer
    outside = outside_core(log, min_user, min_item)(frame)
    assert [pair not in left for pair in pairs] == outside.tolist()


def test_a_log_without_rows_asks_its_rule_once_and_knows_its_columns() -> None:
    raw = pl.DataFrame(
        {"user": ["a", "b", "c"], "item": ["x", "y", "z"], "time": [1, 2, 3], "weight": [1.0] * 3}
    )
    log, asked = CodedLog.of(raw), []

    def rule(frame: pl.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        asked.append(frame.height)
        return frame["time"].to_numpy() == 2

    fewer = log.without(rule)
    fewest = fewer.without(lambda frame: frame["time"].to_numpy() == 3)
    for _ in range(2):
        assert [part.tolist() for part in fewer.column("time")] == [[1, 3]]
        assert [frame["user"].to_list() for frame in fewest.frames()] == [[0]]
        assert [part.tolist() for part in fewest.column("item")] == [[0]]
    assert asked == [3]


@pytest.mark.parametrize("blank", ["", " ", "\t", "\u3000", "\u00a0", " \u2003 "])
def test_blank_ids_are_no_ids_and_strange_ones_are(home: Home, blank: str) -> None:
    strange = ["~", "~ z", "!", "é", "x", "\x7f", "y"]
    rows = [(user, item, 5, logs.START + place) for place, user in enumerate(strange) for item in ("i", "é")]
    made = logs.dataset(
        home, logs.text([*rows, (blank, "i", 5, logs.START), ("!", blank, 5, logs.START)]), max_rejects="50%"
    )
    assert made.manifest["counts"]["rejected"] == {"no user id": 1, "no item id": 1}
    assert set(logs.kept(made)["user"]) == set(strange)


def test_results_in_parallel_come_in_order_and_an_error_in_its_turn() -> None:
    def inverse(number: int) -> float:
        return 1 / number

    assert list(in_parallel(inverse, [])) == []
    assert list(in_parallel(inverse, [4, 2, 1])) == [0.25, 0.5, 1]
    results = in_parallel(inverse, [1, 2, 0, 4])
    assert [next(results), next(results)] == [1, 0.5]
    with pytest.raises(ZeroDivisionError):
        next(results)
