"""The metric that a table is read by."""

from __future__ import annotations

import pytest

from recsys.evaluation.main_metric import best, main_metric
from recsys.evaluation.names import DEFAULT


@pytest.mark.parametrize(
    ("asked", "main"),
    [
        (DEFAULT, "ndcg@10"),
        (("recall@5", "ndcg@20"), "recall@5"),
        (("gini@20", "coverage@20", "mrr@3"), "mrr@3"),
        (("coverage@20",), "coverage@20"),
    ],
)
def test_it_is_what_was_chosen_by_or_the_first_with_a_value_a_user(asked: tuple[str, ...], main: str) -> None:
    assert main_metric(asked) == main


def test_the_best_is_the_highest_and_the_first_of_equals() -> None:
    scores = {"a": {"x": 0.1}, "b": {"x": 0.3}, "c": {"x": 0.3, "y": 1.0}, "d": {"x": None}}
    assert best(scores, "x") == "b"
    assert best(scores, "y") == "c"
    assert best(scores, "z") is None
    assert best({}, "x") is None
