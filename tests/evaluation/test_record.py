"""What a run keeps of an evaluation: it is read back as it was written, and compared user by user."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.evaluation import Evaluation
from recsys.evaluation.record import Verdict, plain
from recsys.evaluation.truth import Truth
from recsys.pipeline.fit import seen_rows
from tests.factories import embeddings, raw

METRICS = ("recall@3", "coverage@3")


def verdict(values: dict[str, float], **beside: object) -> Verdict:
    """Recall by user."""
    table = pl.DataFrame({"user": list(values), "recall@3": list(values.values())})
    return Verdict({"recall@3": 0.0}, {"recall@3": [0.0, 0.0]}, {"users": len(values)}, table, beside)


@pytest.fixture
def evaluation() -> Evaluation:
    model = embeddings()
    test = raw([("u0", "i1"), ("u1", "i2"), ("u2", "i3"), ("u2", "new"), ("cold", "i1")])
    train = raw([(f"u{user}", f"i{user + 10}") for user in range(12)])
    truth = Truth.of(test, model.user_ids, model.item_ids)
    return evaluate(model, truth, seen_rows(model, train), metrics=METRICS)


def test_it_is_read_back_as_it_was(evaluation: Evaluation, tmp_path: Path) -> None:
    kept = Verdict.of(evaluation, 3, {"warm_up": {"rows": 2}})
    assert kept.metrics == {name: pytest.approx(evaluation.values[name]) for name in METRICS}
    assert kept.intervals["recall@3"] == evaluation.intervals(3)["recall@3"]
    assert kept.counts["cold_users"] == 1
    assert kept.counts["unknown_rows"] == 1
    kept.write(tmp_path / "users.parquet")
    stored = json.loads(json.dumps(kept.document()))
    assert set(stored) == {"metrics", "intervals", "counts", "warm_up"}
    again = Verdict.read(stored, tmp_path / "users.parquet")
    assert again.document() == kept.document()
    assert again.per_user.equals(kept.per_user)
    assert again.beside == {"warm_up": {"rows": 2}}


def test_what_is_undefined_is_null() -> None:
    none = Evaluation({"recall@3": math.nan}, pl.DataFrame({"user": ["a"], "recall@3": [math.nan]}), {}, None)  # type: ignore[arg-type]
    assert plain(none, 0) == {"metrics": {"recall@3": None}, "intervals": {"recall@3": [None, None]}}


def test_a_difference_is_over_the_users_of_both() -> None:
    mine = verdict({"a": 1.0, "b": 0.5, "c": 0.25, "only mine": 0.0})
    other = verdict({"c": 0.0, "b": 0.25, "a": 0.75, "only theirs": 1.0})
    gap = mine.difference(other, 0)["recall@3"]
    assert gap == {"mean": 0.25, "low": 0.25, "high": 0.25}  # the same for each user, in whatever order
    assert other.difference(mine, 0)["recall@3"]["mean"] == -0.25


def test_a_difference_is_paired() -> None:
    """Users differ far more than the two models do; only pairs of values show that one is better."""
    level = np.linspace(0, 0.9, 50)
    mine = verdict({f"u{at}": value + 0.05 for at, value in enumerate(level)})
    other = verdict({f"u{at}": value for at, value in enumerate(level)})
    gap = mine.difference(other, 0)["recall@3"]
    assert gap["mean"] == pytest.approx(0.05)
    assert gap["low"] == pytest.approx(0.05)


def test_without_a_common_user_there_is_no_difference() -> None:
    gap = verdict({"a": 1.0}).difference(verdict({"b": 1.0}), 0)["recall@3"]
    assert gap == {"mean": None, "low": None, "high": None}
