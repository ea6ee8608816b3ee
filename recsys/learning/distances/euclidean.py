"""The Euclidean distance, negated so that higher is closer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from recsys.learning.distances.distance import Array, IndexMetric
from recsys.learning.distances.norms import TINY, squared_norm


@dataclass(frozen=True)
class Euclidean:
    """Minus the length of the difference; a metric, so triangles hold.

    ``-sqrt(sum((a - b) ** 2))``. Nearer than 1e-6 counts as 1e-6, with gradient zero.
    """

    bounded: ClassVar[bool] = False
    index_metric: ClassVar[IndexMetric | None] = "euclidean"

    def similarity(self, a: Array, b: Array) -> Array:
        """(..., D), (..., D) -> (...)."""
        return -(squared_norm(a - b).clip(min=TINY) ** 0.5)

    def matrix(self, a: Array, b: Array) -> Array:
        """(A, D), (M, D) -> (A, M), by ``|a|^2 + |b|^2 - 2 a.b``."""
        squared = squared_norm(a)[:, None] + squared_norm(b) - 2.0 * (a @ b.T)
        return -(squared.clip(min=TINY) ** 0.5)
