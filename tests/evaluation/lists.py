"""Metrics by their definitions, in plain loops over one user's list; and small cases."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from recsys.evaluation.ranked import Ranked
from recsys.ragged import Ragged

Definition = Callable[[list[int], set[int], int, int], float]


def recall(shown: list[int], relevant: set[int], size: int, k: int) -> float:
    return sum(item in relevant for item in shown[:k]) / size


def precision(shown: list[int], relevant: set[int], size: int, k: int) -> float:
    return sum(item in relevant for item in shown[:k]) / k


def hit_rate(shown: list[int], relevant: set[int], size: int, k: int) -> float:
    return float(any(item in relevant for item in shown[:k]))


def mrr(shown: list[int], relevant: set[int], size: int, k: int) -> float:
    return next((1 / rank for rank, item in enumerate(shown[:k], 1) if item in relevant), 0.0)


def ndcg(shown: list[int], relevant: set[int], size: int, k: int) -> float:
    gain = sum(1 / math.log2(rank + 1) for rank, item in enumerate(shown[:k], 1) if item in relevant)
    return gain / sum(1 / math.log2(rank + 1) for rank in range(1, min(k, size) + 1))


def average_precision(shown: list[int], relevant: set[int], size: int, k: int) -> float:
    total, hits = 0.0, 0
    for rank, item in enumerate(shown[:k], 1):
        if item in relevant:
            hits += 1
            total += hits / rank
    return total / min(k, size)


DEFINITIONS: dict[str, Definition] = {
    "recall": recall,
    "precision": precision,
    "hit_rate": hit_rate,
    "mrr": mrr,
    "ndcg": ndcg,
    "average_precision": average_precision,
}


def ranked(lists: list[list[int]], truth: list[set[int]], items: int, *, unknown: int = 0) -> Ranked:
    """Lists beside the truth; each user has ``unknown`` more test items that nobody could list."""
    length = max(map(len, lists))
    codes = np.array([line + [-1] * (length - len(line)) for line in lists], dtype=np.int32)
    indptr = np.cumsum([0, *map(len, truth)]).astype(np.int64)
    relevant = Ragged(indptr, np.array([item for row in truth for item in sorted(row)], dtype=np.int32))
    sizes = np.diff(indptr) + unknown
    return Ranked.of(codes, relevant, sizes, np.arange(items, dtype=np.int64), training_users=items)
