"""Whether anything the user chose is listed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.evaluation.metrics.metric import Values, check_cut_off
from recsys.evaluation.ranked import Ranked


@dataclass(frozen=True)
class HitRate:
    """1 where one of the user's test items is in the first k ranks, else 0.

    ``min(1, hits)``. NaN without a test item.

    Args:
        k: How many ranks count.

    Source: Deshpande and Karypis 2004, Item-based top-N recommendation algorithms, section 6.1.

    Example:
        >>> import numpy as np
        >>> hits = np.array([[True, False, True], [False, False, False]])
        >>> lists, chosen = np.array([[0, 1, 2], [3, 1, 2]]), np.array([4, 2, 1, 1])
        >>> ranked = Ranked(lists, hits, np.array([4, 1]), chosen, 4)
        >>> HitRate(k=1)(ranked).tolist()
        [1.0, 0.0]
    """

    k: int = 20
    per_user: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_cut_off(self.k)

    def __call__(self, ranked: Ranked) -> Values:
        """Values (n,)."""
        return np.where(ranked.sizes > 0, ranked.hits[:, : self.k].any(axis=1), np.nan)
