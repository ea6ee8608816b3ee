"""Hits weighted by rank, against the best list there could be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.evaluation.metrics.metric import Values, check_cut_off, share
from recsys.evaluation.ranked import Ranked


@dataclass(frozen=True)
class NDCG:
    """The discounted gain of the hits, divided by that of an ideal list.

    ``sum over hits of 1 / log2(rank + 1)``, divided by the same sum over the first ``min(k, |test|)`` ranks.
    NaN without a test item.

    Args:
        k: How many ranks count.

    Source: Järvelin and Kekäläinen 2002, Cumulated gain-based evaluation of IR techniques, with gains 0 and 1
    and discount ``log2(rank + 1)``.

    Example:
        >>> import numpy as np
        >>> hits = np.array([[True, False, True], [False, False, False]])
        >>> lists, chosen = np.array([[0, 1, 2], [3, 1, 2]]), np.array([4, 2, 1, 1])
        >>> ranked = Ranked(lists, hits, np.array([2, 1]), chosen, 4)
        >>> NDCG(k=3)(ranked).round(6).tolist()
        [0.919721, 0.0]
    """

    k: int = 20
    per_user: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_cut_off(self.k)

    def __call__(self, ranked: Ranked) -> Values:
        """Values (n,)."""
        hits = ranked.hits[:, : self.k]
        gain = 1.0 / np.log2(np.arange(self.k) + 2.0)  # (k,)
        ideal = np.concatenate([[0.0], np.cumsum(gain)])[np.minimum(ranked.sizes, self.k)]  # (n,)
        return share(hits @ gain[: hits.shape[1]], ideal)
