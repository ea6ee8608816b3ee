"""How soon the first hit comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.evaluation.metrics.metric import Values, check_cut_off
from recsys.evaluation.ranked import Ranked


@dataclass(frozen=True)
class MRR:
    """The reciprocal rank of the first of the user's test items, 0 where none is in the first k ranks.

    ``1 / rank``. NaN without a test item. Its mean over users is the mean reciprocal rank.

    Args:
        k: How many ranks count.

    Source: Voorhees 1999, The TREC-8 question answering track report, section 3.

    Example:
        >>> import numpy as np
        >>> hits = np.array([[True, False, True], [False, False, False]])
        >>> lists, chosen = np.array([[0, 1, 2], [3, 1, 2]]), np.array([4, 2, 1, 1])
        >>> ranked = Ranked(lists, hits, np.array([4, 1]), chosen, 4)
        >>> MRR(k=3)(ranked).tolist()
        [1.0, 0.0]
    """

    k: int = 20
    per_user: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_cut_off(self.k)

    def __call__(self, ranked: Ranked) -> Values:
        """Values (n,)."""
        hits = ranked.hits[:, : self.k]
        rank = hits.argmax(axis=1) + 1  # of the first hit; 1 where there is none
        return np.where(ranked.sizes > 0, hits.any(axis=1) / rank, np.nan)
