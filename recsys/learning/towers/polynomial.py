"""A polynomial kernel machine on top of the history, by landmarks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from recsys.embeddings import FoldIn
from recsys.learning.towers.history import History
from recsys.learning.towers.tower import Gather, Users


@dataclass(frozen=True)
class Polynomial:
    """A learned linear map of the history in the feature space of a polynomial kernel.

    ``u = k(x, Z) V / landmarks`` with ``k(x, z) = (1 + x . z) ** degree``,
    ``x = sum(inputs[i] for i in history) / len(history) ** power``, and the landmarks Z (landmarks, D) and V
    (landmarks, D) learned. The Nystroem features ``k(x, Z) K(Z, Z)^-1/2`` differ from ``k(x, Z)`` by an
    invertible linear map, which V absorbs, so the functions are the same. A user never seen in training gets
    the mean of the history's items, an approximation.

    Args:
        degree: Of the polynomial, at least 1; 1 is linear.
        landmarks: Number of landmarks, at least 1.
        power: As in ``history``: 0 is the sum, 1 the mean.

    Raises:
        ValueError: If an option is outside its range.

    Source: Williams and Seeger 2001, Using the Nystroem method to speed up kernel machines, equation 8, with
    learned landmarks (Snelson and Ghahramani 2006) instead of sampled ones.
    """

    degree: int = 2
    landmarks: int = 128
    power: float = 0.5

    needs_ages: ClassVar[bool] = False
    enough: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        for name in ("degree", "landmarks"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        History(self.power)

    def tables(self, users: int, items: int) -> Mapping[str, int]:
        """Input vectors of the items, the landmarks, and the map."""
        return {"inputs": items, "landmarks": self.landmarks, "output": self.landmarks}

    def forward(self, users: Users, rows: Gather, targets: Tensor | None = None) -> Tensor:
        """Users (n,) -> vectors (n, D)."""
        x = History(self.power).forward(users, rows, targets)  # (n, D)
        every = torch.arange(self.landmarks, device=x.device)
        likeness = (1 + x @ rows("landmarks", every).T) ** self.degree  # (n, landmarks)
        made: Tensor = likeness @ rows("output", every) / self.landmarks
        return made

    def fold_in(self) -> tuple[FoldIn, bool]:
        """The mean of the history's item vectors, an approximation."""
        return FoldIn("mean"), False
