"""A perceptron on top of the history."""

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
class MLP:
    """The history plus a hidden layer on top of it.

    ``u = x + relu(x W') V`` with ``x = sum(inputs[i] for i in history) / len(history) ** power`` and the rows
    of W (hidden, D) and V (hidden, D) learned with the inputs. With V = 0 it is the tower ``history``. A user
    never seen in training gets the mean of the history's items, an approximation.

    Args:
        hidden: Units of the layer, at least 1.
        power: As in ``history``: 0 is the sum, 1 the mean.

    Raises:
        ValueError: If an option is outside its range.

    Source: Covington et al. 2016, Deep neural networks for YouTube recommendations, section 3.1, with one
    layer and a residual connection (He et al. 2016).
    """

    hidden: int = 64
    power: float = 0.5

    needs_ages: ClassVar[bool] = False
    enough: ClassVar[int | None] = None

    def __post_init__(self) -> None:
        if self.hidden < 1:
            raise ValueError(f"hidden is {self.hidden}; it must be at least 1")
        History(self.power)

    def tables(self, users: int, items: int) -> Mapping[str, int]:
        """Input vectors of the items, and the two layers."""
        return {"inputs": items, "hidden": self.hidden, "output": self.hidden}

    def forward(self, users: Users, rows: Gather, targets: Tensor | None = None) -> Tensor:
        """Users (n,) -> vectors (n, D)."""
        x = History(self.power).forward(users, rows, targets)  # (n, D)
        units = torch.arange(self.hidden, device=x.device)
        made: Tensor = x + torch.relu(x @ rows("hidden", units).T) @ rows("output", units)
        return made

    def fold_in(self) -> tuple[FoldIn, bool]:
        """The mean of the history's item vectors, an approximation."""
        return FoldIn("mean"), False
