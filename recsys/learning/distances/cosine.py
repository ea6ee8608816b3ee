"""The cosine of the angle between two points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from recsys.learning.distances.distance import Array, IndexMetric
from recsys.learning.distances.norms import unit


@dataclass(frozen=True)
class Cosine:
    """The cosine of the angle between two points, in [-1, 1]; 0 if one of them is the origin.

    ``sum(a * b) / (|a| |b|)``.
    """

    bounded: ClassVar[bool] = True
    index_metric: ClassVar[IndexMetric | None] = "angular"

    def similarity(self, a: Array, b: Array) -> Array:
        """(..., D), (..., D) -> (...)."""
        return (unit(a) * unit(b)).sum(axis=-1)

    def matrix(self, a: Array, b: Array) -> Array:
        """(A, D), (M, D) -> (A, M)."""
        return unit(a) @ unit(b).T
