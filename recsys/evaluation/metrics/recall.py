"""How much of what the user chose is listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from recsys.evaluation.metrics.metric import Values, check_cut_off, hits_at, share
from recsys.evaluation.ranked import Ranked


@dataclass(frozen=True)
class Recall:
    """The share of the user's test items that are in the first k ranks.

    ``hits / |test|``; items unknown to train are in ``|test|`` and count as misses. NaN without a test item.

    Args:
        k: How many ranks count.

    Source: Herlocker et al. 2004, Evaluating collaborative filtering recommender systems, section 3.3; the
    denominator is ``|test|`` even where it is larger than k.

    Example:
        >>> import numpy as np
        >>> hits = np.array([[True, False, True], [False, False, False]])
        >>> lists, chosen = np.array([[0, 1, 2], [3, 1, 2]]), np.array([4, 2, 1, 1])
        >>> ranked = Ranked(lists, hits, np.array([4, 1]), chosen, 4)
        >>> Recall(k=3)(ranked).tolist()
        [0.5, 0.0]
    """

    k: int = 20
    per_user: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_cut_off(self.k)

    def __call__(self, ranked: Ranked) -> Values:
        """Values (n,)."""
        return share(hits_at(ranked, self.k), ranked.sizes)
