"""The map and the scaling of points before their distance is measured."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from recsys.learning.distances.distance import Distance
from recsys.learning.distances.mahalanobis import Mahalanobis
from recsys.learning.distances.norms import unit
from recsys.learning.towers.tower import Gather

MAP: Final = "map"


def move(distance: Distance, rows: Gather, *points: Tensor) -> tuple[Tensor, ...]:
    """Points (n, D) after the linear map of the distance, if it has one."""
    if not isinstance(distance, Mahalanobis):
        return points
    learned = rows(MAP, torch.arange(points[0].shape[1], device=points[0].device))  # (D, D)
    return tuple(distance.move(each, learned) for each in points)


def place(distance: Distance, rows: Gather, *points: Tensor) -> tuple[Tensor, ...]:
    """Moved points (n, D); unit vectors if only the angle counts, which every index serves alike.

    A cosine is the inner product of unit vectors: points are scaled once, not once for each pair.
    """
    moved = move(distance, rows, *points)
    return tuple(map(unit, moved)) if distance.bounded else moved
