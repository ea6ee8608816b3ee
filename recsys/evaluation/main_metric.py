"""The one metric that a table is read by, and which model is best by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

# What the validation set chooses by.
MAIN: Final = "ndcg@10"


def main_metric(metrics: Sequence[str]) -> str:
    """``ndcg@10`` where it was asked for; else the first metric with a value per user, or the first.

    Example:
        >>> main_metric(["coverage@20", "recall@5"]), main_metric(["recall@5", "ndcg@10"])
        ('recall@5', 'ndcg@10')
    """
    from recsys.evaluation.names import metric

    if MAIN in metrics:
        return MAIN
    return next((name for name in metrics if metric(name).per_user), metrics[0])


def best(scores: Mapping[str, Mapping[str, float | None]], name: str) -> str | None:
    """Of models with their metrics, the one that is best by one of them, the first of equals; None of none.

    Example:
        >>> best({"als": {"ndcg@10": 0.1}, "ease": {"ndcg@10": 0.2}, "spectral": {}}, "ndcg@10")
        'ease'
    """
    found = {model: value for model, values in scores.items() if (value := values.get(name)) is not None}
    return max(found, key=lambda model: found[model], default=None)
