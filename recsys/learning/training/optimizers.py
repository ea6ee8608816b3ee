"""Optimisers that touch only the rows of a batch: a step costs the same whatever the size of the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor


@dataclass(slots=True)
class ParameterTable:
    """Vectors that are learned.

    Args:
        weights: (n, D).
        state: The state of the optimiser, each with n rows.
        places: (n,) buffer used to find the rows that a batch holds twice.
    """

    weights: Tensor
    state: dict[str, Tensor] = field(default_factory=dict)
    places: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.places = torch.zeros(len(self.weights), dtype=torch.int64, device=self.weights.device)


class Optimizer(Protocol):
    """Turns gradients of gathered rows into new rows."""

    def state(self, weights: Tensor) -> dict[str, Tensor]:
        """The initial state for a table (n, D)."""
        ...

    def change(self, gradient: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The change of rows (m, D), given their gradient; ``state``, of those rows, changes in place.

        Returns:
            Directions (m, D) and what each is multiplied by (m, 1), to be added to the rows.
        """
        ...


def update(
    table: ParameterTable,
    codes: Tensor,
    rows: Tensor,
    gradient: Tensor,
    optimizer: Optimizer,
    project: Callable[[Tensor], Tensor] | None = None,
) -> None:
    """Change the rows ``codes`` (m,) of a table, gathered as ``rows`` (m, D), by their gradients (m, D).

    A code that occurs twice gets the sum of its gradients, once: both places compute the same row, so it does
    not matter which is written last. Nothing depends on the number of distinct codes, so the host does not
    wait for the device.
    """
    order = torch.arange(len(codes), device=codes.device)
    place = table.places.index_copy_(0, codes, order).index_select(0, codes)  # (m,) one place for each code
    total = torch.zeros_like(gradient).index_add_(0, place, gradient).index_select(0, place)  # (m, D)
    state = {name: values.index_select(0, codes) for name, values in table.state.items()}
    changed = torch.addcmul(rows, *optimizer.change(total, state))
    for name, values in state.items():
        table.state[name].index_copy_(0, codes, values)
    table.weights.index_copy_(0, codes, changed if project is None else project(changed))


@dataclass(frozen=True)
class Adagrad:
    """A step shrinks with the root of the sum of squares seen so far; one number per row.

    ``s += mean(g ** 2); w -= rate * g / (sqrt(s) + epsilon)``.

    Source: Duchi et al. 2011, with one state per row instead of per element (Gupta et al. 2014).
    """

    rate: float
    epsilon: float = 1e-20

    def state(self, weights: Tensor) -> dict[str, Tensor]:
        """Sum of squares (n, 1)."""
        return {"squares": weights.new_zeros(len(weights), 1)}

    def change(self, gradient: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """(m, D) -> (m, D) and (m, 1)."""
        state["squares"].add_((gradient * gradient).mean(dim=1, keepdim=True))
        return gradient, -self.rate / (state["squares"].sqrt() + self.epsilon)


@dataclass(frozen=True)
class Adam:
    """Adam whose moments change only if a row is in the batch; the second moment is one number per row.

    ``m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) mean(g ** 2);
    w -= rate * m / (1 - b1 ** t) / (sqrt(v / (1 - b2 ** t)) + epsilon)``; t counts updates of the row.

    Source: Kingma and Ba 2015, algorithm 1, made lazy.
    """

    rate: float
    first: float = 0.9
    second: float = 0.999
    epsilon: float = 1e-20

    def state(self, weights: Tensor) -> dict[str, Tensor]:
        """First moment (n, D), second moment (n, 1), number of updates (n, 1)."""
        column = weights.new_zeros(len(weights), 1)
        return {"first": torch.zeros_like(weights), "second": column, "updates": column.clone()}

    def change(self, gradient: Tensor, state: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """(m, D) -> (m, D) and (m, 1)."""
        state["first"].lerp_(gradient, 1 - self.first)
        state["second"].lerp_((gradient * gradient).mean(dim=1, keepdim=True), 1 - self.second)
        state["updates"].add_(1)
        age = state["updates"]
        size = (state["second"] / (1 - self.second**age)).sqrt_().add_(self.epsilon)
        return state["first"], -self.rate / (1 - self.first**age) / size
