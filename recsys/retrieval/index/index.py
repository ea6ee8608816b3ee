"""What an index is: items near a vector, best first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from recsys.storage.arrays import Codes, FloatArray


@dataclass(frozen=True, slots=True)
class Rows:
    """Ragged rows of item codes, such as what each of n users has seen.

    Row r is ``indices[indptr[r]:indptr[r + 1]]``.

    Args:
        indptr: (n + 1,) i64.
        indices: (nnz,) i32, sorted within a row.
    """

    indptr: npt.NDArray[np.int64]
    indices: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.indptr) - 1

    def row(self, position: int) -> npt.NDArray[np.int32]:
        """Codes of one row."""
        return self.indices[self.indptr[position] : self.indptr[position + 1]]

    def take(self, positions: npt.NDArray[Any]) -> Rows:
        """The rows at ``positions``, in that order."""
        starts, lengths = (
            self.indptr[positions],
            self.indptr[np.asarray(positions) + 1] - self.indptr[positions],
        )
        indptr = np.zeros(len(lengths) + 1, dtype=np.int64)
        np.cumsum(lengths, out=indptr[1:])
        within = np.arange(indptr[-1]) - np.repeat(indptr[:-1], lengths)
        return Rows(indptr, self.indices[np.repeat(starts, lengths) + within])


class Index(Protocol):
    """Item vectors that can be asked for the nearest of a vector."""

    @property
    def exact(self) -> bool:
        """Whether the lists are the true ones."""
        ...

    def query(self, vectors: FloatArray, k: int, exclude: Rows | None = None) -> tuple[Codes, FloatArray]:
        """The k best items for each vector, best first; equal scores by code.

        Args:
            vectors: (n, D) user (or item) vectors.
            k: Length of a list, at least 1.
            exclude: A row for each vector: items that may not be listed.

        Returns:
            Codes (n, k) i32 and scores (n, k) f32 as the distance defines them; where fewer than k items
            remain, the rest is -1 and -inf.
        """
        ...
