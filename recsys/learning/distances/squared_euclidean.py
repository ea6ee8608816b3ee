"""The squared Euclidean distance, negated so that higher is closer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from recsys.learning.distances.distance import Array, IndexMetric
from recsys.learning.distances.norms import squared_norm


@dataclass(frozen=True)
class SquaredEuclidean:
    """Minus the squared length of the difference; smooth everywhere, and the order of ``euclidean``.

    ``-sum((a - b) ** 2)``.
    """

    bounded: ClassVar[bool] = False
    index_metric: ClassVar[IndexMetric | None] = "euclidean"

    def similarity(self, a: Array, b: Array) -> Array:
        """(..., D), (..., D) -> (...)."""
        return -squared_norm(a - b)

    def matrix(self, a: Array, b: Array) -> Array:
        """(A, D), (M, D) -> (A, M), by ``2 a.b - |a|^2 - |b|^2``; rounding may not make it positive."""
        return (2.0 * (a @ b.T) - squared_norm(a)[:, None] - squared_norm(b)).clip(max=0.0)
