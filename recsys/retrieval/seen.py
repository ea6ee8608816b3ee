"""What a dataset knows of each user: lists leave all of it out, popularity and evaluation count a part."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.ragged import Ragged
from recsys.storage.arrays import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class Seen:
    """The items of each user, and which of them the run learned from.

    Args:
        rows: A row for each user code: items of the train, validation and test sets, and those that
            ``--positive-from`` left out. None of them is recommended.
        learned: (nnz,) for each entry of ``rows``, whether the run learned from it: train and valid, and test
            too where the run was fitted again on everything.
    """

    rows: Ragged
    learned: BoolArray

    @classmethod
    def of(cls, learned: Ragged, *others: Ragged) -> Seen:
        """Put together what was learned from and what else is known; a pair counts once.

        Example:
            >>> one, two = (np.array(codes, dtype=np.int32) for codes in ([3, 5], [4, 5, 1]))
            >>> seen = Seen.of(Ragged(np.array([0, 2, 2]), one), Ragged(np.array([0, 2, 3]), two))
            >>> seen.rows.row(0).tolist(), seen.rows.row(1).tolist(), seen.learned.tolist()
            ([3, 4, 5], [1], [True, False, True, False])
        """
        keys = np.concatenate([_keys(rows) for rows in (learned, *others)])
        unique, first = np.unique(keys, return_index=True)
        indptr = np.zeros(len(learned) + 1, dtype=np.int64)
        np.cumsum(np.bincount(unique >> 32, minlength=len(learned)), out=indptr[1:])
        return cls(Ragged(indptr, (unique & 0xFFFFFFFF).astype(np.int32)), first < len(learned.indices))

    def learned_rows(self) -> Ragged:
        """The entries that the run learned from: what evaluation leaves out of the lists that it scores."""
        before = np.concatenate([[0], np.cumsum(self.learned)])
        return Ragged(before[self.rows.indptr], self.rows.indices[self.learned])

    def counts(self, items: int) -> FloatArray:
        """How many users each of the items was learned from: (items,)."""
        return np.bincount(self.rows.indices[self.learned], minlength=items).astype(np.float32)


def _keys(rows: Ragged) -> IntArray:
    """Each entry as one number that sorts by user, then item."""
    users = np.repeat(np.arange(len(rows), dtype=np.int64), np.diff(rows.indptr))
    keys: IntArray = (users << 32) | rows.indices
    return keys
