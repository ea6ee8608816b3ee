"""The Chebyshev distance, negated so that higher is closer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.learning.distances.distance import Array, IndexMetric


@dataclass(frozen=True)
class Chebyshev:
    """Minus the largest absolute difference; a metric. Ranked exactly only: no index knows it.

    ``-max(abs(a - b))``. Only the coordinate with the largest difference learns from a pair.
    """

    bounded: ClassVar[bool] = False
    index_metric: ClassVar[IndexMetric | None] = None

    def similarity(self, a: Array, b: Array) -> Array:
        """(..., D), (..., D) -> (...)."""
        difference = abs(a - b)
        return -(difference.max(axis=-1) if isinstance(a, np.ndarray) else difference.amax(dim=-1))

    def matrix(self, a: Array, b: Array) -> Array:
        """(A, D), (M, D) -> (A, M), without the (A, M, D) differences in between."""
        if not isinstance(a, np.ndarray):
            return _torch_matrix(a, b)
        total = np.zeros((len(a), len(b)), dtype=np.result_type(a, b))
        for axis in range(a.shape[1]):
            np.maximum(total, np.abs(a[:, axis, None] - b[:, axis]), out=total)
        return -total


def _torch_matrix(a: Array, b: Array) -> Array:
    import torch

    kind = torch.promote_types(a.dtype, torch.float32)
    return -torch.cdist(a.to(kind), b.to(kind), p=float("inf"))
