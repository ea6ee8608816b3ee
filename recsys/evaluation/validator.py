"""Quality on the validation set, as a number that a model may stop and choose by."""

from __future__ import annotations

import polars as pl

from recsys import seeds
from recsys.data.tables import Interactions
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.truth import Truth
from recsys.models.model import Scorer, Validate


def validator(
    valid: pl.DataFrame,
    train: Interactions,
    metric: str = "ndcg@10",
    *,
    max_users: int | None = 10_000,
    seed: int = 0,
) -> Validate:
    """A function that scores a model fitted on ``train`` by a metric on ``valid``, per user.

    Args:
        valid: Raw table (user, item).
        train: What the model is fitted on; its items are left out of the lists.
        metric: A name such as ``ndcg@10``; one of all lists together, such as ``coverage@10``, has no error.
        max_users: Score at most so many users, the same ones each time; None: all.
        seed: Of the draw of those users.

    Raises:
        InputError: (from the function) if no user in ``valid`` is in train.
    """
    truth = Truth.of(valid, train.users, train.items)
    if max_users is not None:
        truth = truth.sample(max_users, seeds.generator(seed, "validator"))
    seen = train.histories()

    def validate(scorer: Scorer) -> float:
        return evaluate(scorer, truth, seen, metrics=(metric,)).judgement(metric)

    return validate
