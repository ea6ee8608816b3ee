"""Ranked lists with their hits: the input of a metric; ranks only, no scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.ragged import Ragged
from recsys.storage.arrays import BoolArray, Codes

COMPARED_AT_ONCE: Final = 1 << 22


@dataclass(frozen=True, slots=True)
class Ranked:
    """The lists of n users, K long.

    Args:
        codes: (n, K) item codes, best first; -1 where a list is shorter.
        hits: (n, K) whether the item at that rank is one of the user's test items.
        sizes: (n,) number of the user's test items.
        chosen: (I,) how many training users chose each item.
        training_users: How many training users there are.
    """

    codes: Codes
    hits: BoolArray
    sizes: npt.NDArray[np.int64]
    chosen: npt.NDArray[np.int64]
    training_users: int

    @classmethod
    def of(
        cls,
        codes: Codes,
        relevant: Ragged,
        sizes: npt.NDArray[np.int64],
        chosen: npt.NDArray[np.int64],
        training_users: int,
    ) -> Ranked:
        """Mark the hits: each test item is compared with the K items of its user's list.

        Example:
            >>> lists = np.array([[4, 0, 2]], dtype=np.int32)
            >>> relevant = Ragged(np.array([0, 2]), np.array([1, 2], dtype=np.int32))
            >>> Ranked.of(lists, relevant, np.array([2]), np.ones(5, dtype=np.int64), 7).hits.tolist()
            [[False, False, True]]
        """
        hits = np.zeros(codes.shape, dtype=np.bool_)
        rows = np.repeat(np.arange(len(relevant)), np.diff(relevant.indptr))
        size = max(1, COMPARED_AT_ONCE // max(1, codes.shape[1]))
        for start in range(0, len(rows), size):
            block = rows[start : start + size]
            found, rank = np.nonzero(codes[block] == relevant.indices[start : start + size, None])
            hits[block[found], rank] = True
        return cls(codes, hits, sizes, chosen, training_users)
