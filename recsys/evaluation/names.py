"""Metrics by name: ``ndcg@20`` is the part ``ndcg`` with k = 20."""

from __future__ import annotations

from typing import Final

from recsys import plugins
from recsys.errors import InputError
from recsys.evaluation.metrics.metric import Metric

DEFAULT: Final = (
    "recall@10", "recall@20", "ndcg@10", "ndcg@20", "precision@20", "mrr@20",
    "average_precision@20", "hit_rate@20", "coverage@20", "novelty@20", "gini@20",
)  # fmt: skip


def metric(name: str) -> Metric:
    """The metric of a name such as ``recall@10``; without a cut-off, the part's default (20).

    Raises:
        InputError: If there is no such metric, or the cut-off is not a whole number of at least 1.

    Example:
        >>> metric("ndcg@10")
        NDCG(k=10)
    """
    part, at, cut_off = name.partition("@")
    if not at:
        made: Metric = plugins.make("metrics", part)
        return made
    if not (cut_off.isascii() and cut_off.isdigit()):
        raise InputError(f"metric {name!r} has no cut-off after '@'; write it as {part}@20")
    made = plugins.make("metrics", part, {"k": int(cut_off)})
    return made
