"""How unevenly the lists spread over the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.evaluation.metrics.metric import Values, check_cut_off
from recsys.evaluation.ranked import Ranked


@dataclass(frozen=True)
class Gini:
    """The Gini index of how often each item known from train is in the first k ranks.

    ``sum over items, least listed first, of (2 i - I - 1) x_i / (I sum(x))`` with i from 1: 0 where all are
    listed equally often, ``1 - 1/I`` where one item is all that is listed. NaN where all lists are empty.
    It does not depend on the test items.

    Args:
        k: How many ranks count.

    Source: Gini 1912, in the form of Shani and Gunawardana 2011, Evaluating recommendation systems,
    section 8.3.3.2, with denominator I so that few items do not exceed the whole.

    Example:
        >>> import numpy as np
        >>> hits = np.array([[True, False, True], [False, False, False]])
        >>> lists, chosen = np.array([[0, 1, 2], [3, 1, 2]]), np.array([4, 2, 1, 1])
        >>> ranked = Ranked(lists, hits, np.array([4, 1]), chosen, 4)
        >>> Gini(k=2)(ranked).item()
        0.375
    """

    k: int = 20
    per_user: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_cut_off(self.k)

    def __call__(self, ranked: Ranked) -> Values:
        """One value, ()."""
        codes = ranked.codes[:, : self.k]
        listed = np.sort(np.bincount(codes[codes >= 0], minlength=len(ranked.chosen)))  # (I,)
        items, total = len(listed), listed.sum()
        if not total:
            return np.asarray(np.nan)
        return np.asarray((2 * np.arange(1, items + 1) - items - 1) @ listed / (items * total))
