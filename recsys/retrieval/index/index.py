"""What an index is: items near a vector, best first."""

from __future__ import annotations

from typing import Protocol

from recsys.ragged import Ragged
from recsys.storage.arrays import Codes, FloatArray


class Index(Protocol):
    """Item vectors that can be asked for the nearest of a vector."""

    @property
    def exact(self) -> bool:
        """Whether the lists are the true ones."""
        ...

    def query(self, vectors: FloatArray, k: int, exclude: Ragged | None = None) -> tuple[Codes, FloatArray]:
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
