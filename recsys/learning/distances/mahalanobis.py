"""The Euclidean distance after a learned linear map, negated so that higher is closer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from recsys.learning.distances.distance import Array, IndexMetric
from recsys.learning.distances.euclidean import Euclidean


@dataclass(frozen=True)
class Mahalanobis:
    """Minus the length of the difference after a learned linear map shared by users and items.

    ``-|L a - L b| = -sqrt((a - b)' M (a - b))`` with ``M = L' L`` and L (D, D), initially the identity.
    Training moves points by ``move`` and scores the moved ones; the finished vectors are the moved ones and
    their distance is ``euclidean``, so every index of that serves them in the same order.

    Source: Weinberger and Saul 2009, Distance Metric Learning for Large Margin Nearest Neighbor
    Classification, equations 1 and 2.

    Example:
        >>> import numpy as np
        >>> distance, stretch = Mahalanobis(), np.diag([1.0, 2.0])
        >>> a, b = (distance.move(np.array(point), stretch) for point in ([3.0, 0.0], [0.0, 2.0]))
        >>> float(distance.similarity(a, b))  # (3, 0) and (0, 4)
        -5.0
    """

    bounded: ClassVar[bool] = False
    index_metric: ClassVar[IndexMetric | None] = "euclidean"
    served: ClassVar[str] = "euclidean"

    def move(self, points: Array, learned: Array) -> Array:
        """``L x`` of each point, by L (D, D): (..., D) -> (..., D)."""
        return points @ learned.T

    def similarity(self, a: Array, b: Array) -> Array:
        """Score of paired moved points: (..., D), (..., D) -> (...)."""
        return Euclidean().similarity(a, b)

    def matrix(self, a: Array, b: Array) -> Array:
        """Scores of all pairs of moved points: (A, D), (M, D) -> (A, M)."""
        return Euclidean().matrix(a, b)
