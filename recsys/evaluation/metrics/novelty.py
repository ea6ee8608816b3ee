"""How far the lists are from what everybody chose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.evaluation.metrics.metric import Values, check_cut_off, share
from recsys.evaluation.ranked import Ranked


@dataclass(frozen=True)
class Novelty:
    """The mean self-information, in bits, of the first k items: high where few training users chose them.

    ``mean of log2(training users / users who chose the item)``; an item that no user chose counts as
    chosen once. NaN where the list is empty. It does not depend on the test items.

    Args:
        k: How many ranks count.

    Source: Zhou et al. 2010, Solving the apparent diversity-accuracy dilemma of recommender systems,
    equation 3 (surprisal).

    Example:
        >>> import numpy as np
        >>> hits = np.array([[True, False, True], [False, False, False]])
        >>> lists, chosen = np.array([[0, 1, 2], [3, 1, 2]]), np.array([4, 2, 1, 1])
        >>> ranked = Ranked(lists, hits, np.array([4, 1]), chosen, 4)
        >>> Novelty(k=2)(ranked).tolist()
        [0.5, 1.5]
    """

    k: int = 20
    per_user: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_cut_off(self.k)

    def __call__(self, ranked: Ranked) -> Values:
        """Values (n,)."""
        codes = ranked.codes[:, : self.k]
        bits = np.log2(ranked.training_users / np.maximum(ranked.chosen, 1))  # (I,)
        listed = codes >= 0
        return share((bits[codes] * listed).sum(axis=1), np.count_nonzero(listed, axis=1))
