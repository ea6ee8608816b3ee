"""Evaluation from lists to numbers."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from recsys.choosing import Judgement
from recsys.data.tables import Interactions
from recsys.errors import InputError
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.evaluation import Evaluation
from recsys.evaluation.truth import Truth
from recsys.evaluation.validator import validator
from recsys.models.popularity import Popularity
from recsys.retrieval.index.exact import Exact
from recsys.retrieval.ranking import rank
from tests.evaluation.lists import DEFINITIONS
from tests.factories import random_log, raw


def halves() -> tuple[Interactions, pl.DataFrame]:
    log = random_log(users=70, items=30, rows=900)
    train, test = log.filter(pl.int_range(pl.len()) % 3 > 0), log.filter(pl.int_range(pl.len()) % 3 == 0)
    return Interactions.of(train), pl.concat([test, raw([("u1", "unseen"), ("nobody", "i1")])])


def scored(metrics: tuple[str, ...] = ("recall@5", "ndcg@10", "coverage@5")) -> Evaluation:
    train, test = halves()
    model = Popularity().fit(train).scorer
    return evaluate(model, Truth.of(test, train.users, train.items), train.histories(), metrics=metrics)


@pytest.mark.parametrize("name", DEFINITIONS)
@pytest.mark.parametrize("k", [1, 5, 20])
def test_values_are_means_of_the_definition_over_raw_ids(name: str, k: int) -> None:
    train, test = halves()
    model = Popularity().fit(train).scorer
    truth = Truth.of(test, train.users, train.items)
    found = evaluate(model, truth, train.histories(), metrics=(f"{name}@{k}", "recall@3"))
    liked = {user: set(items) for user, items in test.group_by("user").agg("item").iter_rows()}
    codes, _ = rank(model, truth.users, k, train.histories())
    by_hand = []
    for user, line in zip(truth.user_ids, codes, strict=True):
        shown = train.items.decode(line[line >= 0]).to_list()
        by_hand.append(DEFINITIONS[name](shown, liked[user], len(liked[user]), k))
    assert found.values[f"{name}@{k}"] == pytest.approx(np.mean(by_hand), abs=1e-12)
    assert found.per_user["user"].to_list() == truth.user_ids.to_list()
    assert found.per_user[f"{name}@{k}"].to_list() == pytest.approx(by_hand)
    assert found.counts["cold_users"] == 1
    assert found.counts["unknown_items"] == 1


def test_an_index_is_asked_where_it_is_given() -> None:
    train, test = halves()
    model = Popularity().fit(train).scorer
    truth, seen = Truth.of(test, train.users, train.items), train.histories()
    upside_down = Exact().build(-model.items)
    assert (
        evaluate(model, truth, seen, index=Exact().build(model.items)).values
        == evaluate(model, truth, seen).values
    )
    assert (
        evaluate(model, truth, seen, index=upside_down).values["ndcg@10"]
        < evaluate(model, truth, seen).values["ndcg@10"]
    )


def test_intervals_hold_the_value_and_follow_the_seed() -> None:
    found = scored()
    intervals = found.intervals(seed=3)
    assert list(intervals) == list(found.values)
    for name, (low, high) in intervals.items():
        assert low < found.values[name] < high
    assert intervals == found.intervals(seed=3)
    assert intervals != found.intervals(seed=4)


def test_the_difference_is_paired() -> None:
    found = scored()
    same = found.difference(found)
    assert list(same) == ["recall@5", "ndcg@10"]
    assert all(entry == {"mean": 0.0, "low": 0.0, "high": 0.0} for entry in same.values())
    better = Evaluation(
        found.values,
        found.per_user.with_columns(pl.col("recall@5") + 0.25),
        found.counts,
        found.ranked,
    )
    gap = better.difference(found)["recall@5"]
    assert gap == pytest.approx({"mean": 0.25, "low": 0.25, "high": 0.25})  # pairs: no spread is left


def test_different_users_cannot_be_compared() -> None:
    found = scored()
    other = Evaluation(found.values, found.per_user.head(5), found.counts, found.ranked)
    with pytest.raises(InputError, match="different users"):
        found.difference(other)


def test_nobody_to_score_and_nothing_to_measure_are_refused() -> None:
    train, test = halves()
    model, seen = Popularity().fit(train).scorer, train.histories()
    with pytest.raises(InputError, match="no user of the test or validation set"):
        evaluate(model, Truth.of(raw([("x", "i1")]), train.users, train.items), seen)
    with pytest.raises(InputError, match="no metric"):
        evaluate(model, Truth.of(test, train.users, train.items), seen, metrics=())
    with pytest.raises(InputError, match="unknown metric"):
        evaluate(model, Truth.of(test, train.users, train.items), seen, metrics=("accuracy",))


def test_a_validator_is_the_evaluation_of_the_valid_part() -> None:
    train, valid = halves()
    model = Popularity().fit(train).scorer
    whole = evaluate(
        model, Truth.of(valid, train.users, train.items), train.histories(), metrics=("ndcg@10",)
    )
    judged = validator(valid, train)(model)
    assert isinstance(judged, Judgement)
    assert judged == whole.values["ndcg@10"]
    assert judged.per_user.tolist() == whole.per_user["ndcg@10"].to_list()
    assert not isinstance(validator(valid, train, "coverage@10")(model), Judgement)
    few = validator(valid, train, "recall@5", max_users=10)
    assert few(model) == few(model)
    assert not math.isnan(few(model))
