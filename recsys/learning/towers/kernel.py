"""A kernel machine on top of the history, by random features."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from recsys import seeds
from recsys.embeddings import FoldIn
from recsys.learning.towers.history import History
from recsys.learning.towers.tower import Gather, Users


@dataclass(frozen=True)
class Kernel:
    """A learned linear map of the history in the feature space of a Gaussian kernel.

    ``u = f(x) V`` with ``x = sum(inputs[i] for i in history) / len(history) ** power``, V (features, D)
    learned, and random Fourier features ``f(x) = sqrt(2 / features) cos(x W' + b)``: W normal with variance
    ``2 gamma``, b uniform in 0..2 pi, both fixed. Then ``f(x) . f(y)`` is ``exp(-gamma |x - y|^2)`` in
    expectation, with an error of about ``1 / sqrt(features)``; with the loss ``nca`` in a Euclidean distance
    this is kernel neighbourhood component analysis. A user never seen in training gets the mean of the
    history's items, an approximation.

    Args:
        features: Number of random features, at least 1.
        gamma: Inverse square of the kernel's width, above 0.
        power: As in ``history``: 0 is the sum, 1 the mean.
        seed: Of W and b.

    Raises:
        ValueError: If an option is outside its range.

    Source: Rahimi and Recht 2007, Random features for large-scale kernel machines, algorithm 1.
    """

    features: int = 256
    gamma: float = 0.5
    power: float = 0.5
    seed: int = 0

    needs_ages: ClassVar[bool] = False
    enough: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        if self.features < 1:
            raise ValueError(f"features is {self.features}; it must be at least 1")
        if not 0 < self.gamma < float("inf"):
            raise ValueError(f"gamma is {self.gamma}; it must be above 0")
        History(self.power)

    def tables(self, users: int, items: int) -> Mapping[str, int]:
        """Input vectors of the items, and the map."""
        return {"inputs": items, "output": self.features}

    def forward(self, users: Users, rows: Gather, targets: Tensor | None = None) -> Tensor:
        """Users (n,) -> vectors (n, D)."""
        x = History(self.power).forward(users, rows, targets)  # (n, D)
        made: Tensor = self.lift(x) @ rows("output", torch.arange(self.features, device=x.device))
        return made

    def lift(self, points: Tensor) -> Tensor:
        """Points (n, D) -> random features (n, features)."""
        rng = seeds.torch_generator(self.seed, "kernel")
        slopes = torch.randn(self.features, points.shape[1], generator=rng) * (2 * self.gamma) ** 0.5
        shifts = torch.rand(self.features, generator=rng) * 2 * torch.pi
        angles = points @ slopes.to(points).T + shifts.to(points)
        lifted: Tensor = torch.cos(angles) * (2 / self.features) ** 0.5
        return lifted

    def fold_in(self) -> tuple[FoldIn, bool]:
        """The mean of the history's item vectors, an approximation."""
        return FoldIn("mean"), False
