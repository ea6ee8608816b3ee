"""Penalties on the vectors themselves, in addition to the loss on their scores."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Points:
    """The vectors of a batch.

    Args:
        users: (B, D).
        positives: (B, D), the positive of the same row.
        candidates: (N, D).
    """

    users: Tensor
    positives: Tensor
    candidates: Tensor


class Regularizer(Protocol):
    """A penalty on the vectors of a batch."""

    def __call__(self, points: Points) -> Tensor:
        """A scalar to add to the loss."""
        ...


@dataclass(frozen=True)
class Together:
    """The sum of several regularisers."""

    parts: tuple[Regularizer, ...]

    def __call__(self, points: Points) -> Tensor:
        """A scalar to add to the loss."""
        return torch.stack([part(points) for part in self.parts]).sum()


@dataclass(frozen=True)
class L2:
    """Half the mean squared length of users, positives and candidates, each kind by its own mean.

    ``weight / 2 * (mean |u|^2 + mean |p|^2 + mean |c|^2)``.

    Args:
        weight: Not negative; 0 costs nothing.

    Raises:
        ValueError: If weight is negative.

    Source: Rendle et al. 2009, BPR, section 4.3.1, with batch means instead of one term per triple.
    """

    weight: float = 0.0

    def __post_init__(self) -> None:
        if not self.weight >= 0:
            raise ValueError(f"weight is {self.weight}; it must not be negative")

    def __call__(self, points: Points) -> Tensor:
        """A scalar to add to the loss."""
        parts = [points.users, points.positives, points.candidates]
        return self.weight / 2 * torch.stack([part.square().sum(-1).mean() for part in parts]).sum()


@dataclass(frozen=True)
class Uniformity:
    """Users should be spread over the sphere, and so should items: the other half of DirectAU.

    ``weight / 2 * (log mean e^(-2 |u - u'|^2) + log mean e^(-2 |p - p'|^2))`` over the pairs of different
    rows of a batch, for unit vectors; 0 for a batch of one row.

    Args:
        weight: Positive.

    Raises:
        ValueError: If weight is not positive.

    Source: Wang et al. 2022, Towards Representation Alignment and Uniformity in Collaborative Filtering,
    equation 6; the loss ``directau`` adds it.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise ValueError(f"weight is {self.weight}; it must be positive")

    def __call__(self, points: Points) -> Tensor:
        """A scalar to add to the loss."""
        return self.weight / 2 * (crowding(points.users) + crowding(points.positives))


def crowding(vectors: Tensor) -> Tensor:
    """``log mean e^(-2 |x - y|^2)`` over the pairs of different rows: (n, D) -> ()."""
    rows = len(vectors)
    if rows < 2:
        return vectors.sum() * 0.0
    points = torch.nn.functional.normalize(vectors, dim=1)
    exponents = 4 * (points @ points.T) - 4  # -2 |x - y|^2 = 4 x.y - 4
    itself = torch.eye(rows, dtype=torch.bool, device=vectors.device)
    return exponents.masked_fill(itself, float("-inf")).flatten().logsumexp(0) - math.log(rows * (rows - 1))


@dataclass(frozen=True)
class Center:
    """Users are pulled to the items they chose, which are the centres of their classes.

    ``weight / 2 * mean |u - p|^2`` on the vectors as they are.

    Args:
        weight: Positive.

    Raises:
        ValueError: If weight is not positive.

    Source: Wen et al. 2016, A Discriminative Feature Learning Approach for Deep Face Recognition, equation 2;
    a centre is the item's own vector and moves by the same gradient, not by a separate rule.
    """

    weight: float = 0.01

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise ValueError(f"weight is {self.weight}; it must be positive")

    def __call__(self, points: Points) -> Tensor:
        """A scalar to add to the loss."""
        return self.weight / 2 * (points.users - points.positives).square().sum(-1).mean()


@dataclass(frozen=True)
class UnitBall:
    """Vectors longer than the radius are scaled back onto the ball, after each step.

    ``x * min(1, radius / |x|)``: the nearest point of the ball.

    Args:
        radius: Positive.

    Raises:
        ValueError: If radius is not positive.

    Source: Hsieh et al. 2017, Collaborative Metric Learning, section 3.4 (and the same in CML's peers).

    Example:
        >>> UnitBall()(torch.tensor([[3.0, 4.0], [0.0, 0.5]]))
        tensor([[0.6000, 0.8000],
                [0.0000, 0.5000]])
    """

    radius: float = 1.0

    def __post_init__(self) -> None:
        if not self.radius > 0:
            raise ValueError(f"radius is {self.radius}; it must be positive")

    def __call__(self, vectors: Tensor) -> Tensor:
        """Projected vectors: (n, D) -> (n, D). Not part of the graph: call it without gradient."""
        length = vectors.square().sum(-1, keepdim=True).sqrt()
        return vectors * (self.radius / length.clamp(min=self.radius))
