"""The Manhattan distance, negated so that higher is closer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.learning.distances.distance import Array, IndexMetric


@dataclass(frozen=True)
class Manhattan:
    """Minus the sum of the absolute differences; a metric, less swayed by one large difference.

    ``-sum(abs(a - b))``. It is no product of matrices: a step costs several times that of ``euclidean``.
    """

    bounded: ClassVar[bool] = False
    index_metric: ClassVar[IndexMetric | None] = "manhattan"

    def similarity(self, a: Array, b: Array) -> Array:
        """(..., D), (..., D) -> (...)."""
        return -abs(a - b).sum(axis=-1)

    def matrix(self, a: Array, b: Array) -> Array:
        """(A, D), (M, D) -> (A, M), without the (A, M, D) differences in between."""
        if not isinstance(a, np.ndarray):
            return _torch_matrix(a, b)
        total = np.zeros((len(a), len(b)), dtype=np.result_type(a, b))
        for axis in range(a.shape[1]):
            total += np.abs(a[:, axis, None] - b[:, axis])
        return -total


def _torch_matrix(a: Array, b: Array) -> Array:
    import torch

    kind = torch.promote_types(a.dtype, torch.float32)
    return -torch.cdist(a.to(kind), b.to(kind), p=1.0)
