"""How much of what is listed the user chose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.evaluation.metrics.metric import Values, check_cut_off, hits_at
from recsys.evaluation.ranked import Ranked


@dataclass(frozen=True)
class Precision:
    """The share of the first k ranks that hold one of the user's test items.

    ``hits / k``, also where the list is shorter than k. NaN without a test item.

    Args:
        k: How many ranks count.

    Source: Herlocker et al. 2004, Evaluating collaborative filtering recommender systems, section 3.3.

    Example:
        >>> import numpy as np
        >>> hits = np.array([[True, False, True], [False, False, False]])
        >>> lists, chosen = np.array([[0, 1, 2], [3, 1, 2]]), np.array([4, 2, 1, 1])
        >>> ranked = Ranked(lists, hits, np.array([4, 1]), chosen, 4)
        >>> Precision(k=2)(ranked).tolist()
        [0.5, 0.0]
    """

    k: int = 20
    per_user: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_cut_off(self.k)

    def __call__(self, ranked: Ranked) -> Values:
        """Values (n,)."""
        return np.where(ranked.sizes > 0, hits_at(ranked, self.k) / self.k, np.nan)
