"""The Manhattan distance, negated so that higher is closer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.learning.distances.distance import Array, IndexMetric
from recsys.learning.distances.tiles import joined


@dataclass(frozen=True)
class Manhattan:
    """Minus the sum of the absolute differences; a metric, less affected by one large difference.

    ``-sum(abs(a - b))``. It is not a matrix product: a step of training takes roughly ``cost`` times as long
    as one of ``cosine`` on a CPU.
    """

    bounded: ClassVar[bool] = False
    index_metric: ClassVar[IndexMetric | None] = "manhattan"
    cost: ClassVar[float] = 10.0

    def similarity(self, a: Array, b: Array) -> Array:
        """(..., D), (..., D) -> (...)."""
        return -abs(a - b).sum(axis=-1)

    def matrix(self, a: Array, b: Array) -> Array:
        """(A, D), (M, D) -> (A, M), without the (A, M, D) differences in between."""
        return -joined(a, b, np.add) if isinstance(a, np.ndarray) else -_of_tensors(a, b)


def _of_tensors(a: Array, b: Array) -> Array:
    import torch

    from recsys.learning.distances import tiles_torch

    kind = torch.promote_types(a.dtype, torch.float32)
    return tiles_torch.manhattan(a.to(kind), b.to(kind))
