"""The inner product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from recsys.learning.distances.distance import Array, IndexMetric


@dataclass(frozen=True)
class Dot:
    """The inner product of two points; not a metric, and the classic score of factor models.

    ``sum(a * b)``.
    """

    bounded: ClassVar[bool] = False
    index_metric: ClassVar[IndexMetric | None] = "dot"

    def similarity(self, a: Array, b: Array) -> Array:
        """(..., D), (..., D) -> (...)."""
        return (a * b).sum(axis=-1)

    def matrix(self, a: Array, b: Array) -> Array:
        """(A, D), (M, D) -> (A, M)."""
        return a @ b.T
