"""The Chebyshev distance, negated so that higher is closer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.learning.distances.distance import Array, IndexMetric
from recsys.learning.distances.tiles import joined


@dataclass(frozen=True)
class Chebyshev:
    """Minus the largest absolute difference; a metric. Ranked exactly only: no index supports it.

    ``-max(abs(a - b))``. Only the coordinate with the largest difference gets a gradient from a pair. It is
    not a matrix product: a step of training takes roughly ``cost`` times as long as one of ``cosine`` on a
    CPU.
    """

    bounded: ClassVar[bool] = False
    index_metric: ClassVar[IndexMetric | None] = None
    cost: ClassVar[float] = 6.0

    def similarity(self, a: Array, b: Array) -> Array:
        """(..., D), (..., D) -> (...)."""
        difference = abs(a - b)
        return -(difference.max(axis=-1) if isinstance(a, np.ndarray) else difference.amax(dim=-1))

    def matrix(self, a: Array, b: Array) -> Array:
        """(A, D), (M, D) -> (A, M), without the (A, M, D) differences in between."""
        return -joined(a, b, np.maximum) if isinstance(a, np.ndarray) else -_of_tensors(a, b)


def _of_tensors(a: Array, b: Array) -> Array:
    import torch

    from recsys.learning.distances import tiles_torch

    kind = torch.promote_types(a.dtype, torch.float32)
    return tiles_torch.chebyshev(a.to(kind), b.to(kind))
