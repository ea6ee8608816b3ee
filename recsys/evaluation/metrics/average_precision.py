"""Precision at the ranks of the hits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.evaluation.metrics.metric import Values, check_cut_off, share
from recsys.evaluation.ranked import Ranked


@dataclass(frozen=True)
class AveragePrecision:
    """The mean, over the hits there could be, of the precision at the rank of each hit.

    ``sum over hits of precision@rank``, divided by ``min(k, |test|)``. NaN without a test item. Its mean over
    users is MAP@k.

    Args:
        k: How many ranks count.

    Source: Manning, Raghavan and Schütze 2008, Introduction to information retrieval, equation 8.8, cut off
    at k as trec_eval and Kaggle do.

    Example:
        >>> import numpy as np
        >>> hits = np.array([[True, False, True], [False, False, False]])
        >>> lists, chosen = np.array([[0, 1, 2], [3, 1, 2]]), np.array([4, 2, 1, 1])
        >>> ranked = Ranked(lists, hits, np.array([2, 1]), chosen, 4)
        >>> AveragePrecision(k=3)(ranked).round(6).tolist()
        [0.833333, 0.0]
    """

    k: int = 20
    per_user: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_cut_off(self.k)

    def __call__(self, ranked: Ranked) -> Values:
        """Values (n,)."""
        hits = ranked.hits[:, : self.k]
        precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)  # (n, k)
        return share((precision * hits).sum(axis=1), np.minimum(ranked.sizes, self.k))
