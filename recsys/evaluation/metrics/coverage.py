"""How much of the catalogue is listed at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.evaluation.metrics.metric import Values, check_cut_off
from recsys.evaluation.ranked import Ranked


@dataclass(frozen=True)
class Coverage:
    """The share of the items known from train that are in the first k ranks of at least one list.

    ``different items listed / items``. It does not depend on the test items.

    Args:
        k: How many ranks count.

    Source: Herlocker et al. 2004, Evaluating collaborative filtering recommender systems, section 4.1
    (catalogue coverage).

    Example:
        >>> import numpy as np
        >>> hits = np.array([[True, False, True], [False, False, False]])
        >>> lists, chosen = np.array([[0, 1, 2], [3, 1, 2]]), np.array([4, 2, 1, 1])
        >>> ranked = Ranked(lists, hits, np.array([4, 1]), chosen, 4)
        >>> Coverage(k=2)(ranked).item()
        0.75
    """

    k: int = 20
    per_user: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_cut_off(self.k)

    def __call__(self, ranked: Ranked) -> Values:
        """One value, ()."""
        codes = ranked.codes[:, : self.k]
        listed = np.bincount(codes[codes >= 0], minlength=len(ranked.chosen))  # (I,)
        return np.asarray(np.count_nonzero(listed) / len(listed))
