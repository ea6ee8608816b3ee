"""Rows of different length, laid end to end: the one CSR type of item codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recsys.storage.arrays import Codes, FloatArray


@dataclass(frozen=True, slots=True)
class Ragged:
    """Ragged rows of item codes, such as what each of n users has seen.

    Row r is ``indptr[r]:indptr[r + 1]`` of the others.

    Args:
        indptr: (n + 1,) i64.
        indices: (nnz,) i32 item codes; sorted within a row where rows are seen items.
        values: (nnz,) f32, or None where every entry is 1.
    """

    indptr: npt.NDArray[np.int64]
    indices: Codes
    values: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def row(self, position: int) -> Codes:
        """Codes of one row."""
        return self.indices[self.indptr[position] : self.indptr[position + 1]]

    def positions(self, rows: npt.NDArray[np.integer]) -> npt.NDArray[np.int64]:
        """Positions of the entries of ``rows``, one row after the other.

        Example:
            >>> Ragged(np.array([0, 2, 3]), np.array([4, 5, 6], dtype=np.int32)).positions(np.array([1, 0]))
            array([2, 0, 1])
        """
        starts = self.indptr[rows]
        lengths = self.indptr[np.asarray(rows) + 1] - starts
        ends = np.cumsum(lengths)
        return np.repeat(starts - (ends - lengths), lengths) + np.arange(ends[-1] if len(ends) else 0)

    def take(self, rows: npt.NDArray[np.integer]) -> Ragged:
        """The rows at these positions, in that order.

        Example:
            >>> some = Ragged(np.array([0, 2, 3]), np.array([4, 5, 6], dtype=np.int32)).take(np.array([1, 1]))
            >>> some.indptr, some.indices
            (array([0, 1, 2]), array([6, 6], dtype=int32))
        """
        places = self.positions(rows)
        indptr = np.zeros(len(rows) + 1, dtype=np.int64)
        np.cumsum(self.indptr[np.asarray(rows) + 1] - self.indptr[rows], out=indptr[1:])
        values = None if self.values is None else self.values[places]
        return Ragged(indptr, self.indices[places], values)
