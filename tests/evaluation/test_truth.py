"""Who is scored, and on what."""

from __future__ import annotations

import numpy as np
import polars as pl

from recsys.evaluation.truth import Truth
from recsys.ids import IdMap
from tests.factories import raw

USERS = IdMap(pl.Series(["a", "b", "c"]))
ITEMS = IdMap(pl.Series(["1", "2", "3", "4"]))


def test_known_users_with_a_test_item_are_scored_and_the_rest_is_counted() -> None:
    test = raw(
        [("c", "3"), ("a", "4"), ("a", "1"), ("a", "9"), ("c", "9"), ("z", "1"), ("z", "9"), ("a", "4")]
    )
    truth = Truth.of(test, USERS, ITEMS)
    assert truth.users.tolist() == [0, 2]
    assert truth.user_ids.to_list() == ["a", "c"]
    assert [truth.relevant.row(n).tolist() for n in range(2)] == [[0, 3], [2]]
    assert truth.sizes.tolist() == [3, 2]
    assert truth.counts() == {
        "users": 2,
        "test_rows": 5,
        "cold_users": 1,
        "cold_rows": 2,
        "unknown_items": 1,
        "unknown_rows": 2,
    }


def test_a_user_all_of_whose_items_are_unknown_is_scored() -> None:
    truth = Truth.of(raw([("b", "9")]), USERS, ITEMS)
    assert truth.users.tolist() == [1]
    assert truth.sizes.tolist() == [1]
    assert truth.relevant.row(0).tolist() == []


def test_an_empty_test_part() -> None:
    truth = Truth.of(raw([]), USERS, ITEMS)
    assert len(truth) == 0
    assert truth.cold_users == 0


def test_a_sample_keeps_users_whole() -> None:
    test = raw([(user, item) for user in "abc" for item in "1234"[: 1 + "abc".index(user)]])
    truth = Truth.of(test, USERS, ITEMS)
    part = truth.sample(2, np.random.default_rng(0))
    assert len(part) == 2
    for position, user in enumerate(part.users):
        assert part.sizes[position] == user + 1
        assert part.relevant.row(position).tolist() == list(range(user + 1))
        assert part.user_ids[position] == "abc"[user]
    assert truth.sample(3, np.random.default_rng(0)) is truth
