"""What is asked of the vectors themselves, beside the loss on their scores."""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True)
class L2:
    """Half the mean squared length of users, positives and candidates, each kind by its own mean.

    ``weight / 2 * (mean |u|^2 + mean |p|^2 + mean |c|^2)``.

    Args:
        weight: Not negative; 0 costs nothing.

    Raises:
        ValueError: If weight is negative.

    Source: Rendle et al. 2009, BPR, section 4.3.1, with batch means in place of a term a triple.
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
