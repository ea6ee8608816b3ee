"""A user is what the user chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from recsys.embeddings import FoldIn
from recsys.learning.towers.tower import Rows, Users


@dataclass(frozen=True)
class History:
    """A user is the sum of the items of the history, and so is a user never seen in training.

    ``u = sum(inputs[i] for i in history) / len(history) ** power``; while training the target is left out of
    its own history, or the model would learn to copy.

    Args:
        power: 0 is the sum, 1 the mean.
        shared: Read the item vectors themselves in place of input vectors of their own.

    Raises:
        ValueError: If power is outside 0..1.

    Source: Kabbur et al. 2013, FISM, equation 3, with ``power`` for alpha.
    """

    power: float = 0.5
    shared: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.power <= 1:
            raise ValueError(f"power is {self.power}; it must lie in 0..1, where 0 is the sum and 1 the mean")

    def tables(self, users: int, items: int) -> Mapping[str, int]:
        """Input vectors of the items, unless they are shared."""
        return {} if self.shared else {"inputs": items}

    def forward(self, users: Users, rows: Rows, targets: Tensor | None = None) -> Tensor:
        """Users (n,) -> vectors (n, D)."""
        table = "items" if self.shared else "inputs"
        chosen = users.histories
        inputs = rows(table, chosen.items)  # (T, D)
        total = inputs.new_zeros(len(users.codes), inputs.shape[1])
        total = total.index_add(0, chosen.owner, inputs)  # (n, D)
        lengths = chosen.lengths  # (n,)
        if targets is not None:
            total = total - rows(table, targets)
            lengths = lengths - 1
        return total / lengths.clamp(min=1).to(total.dtype)[:, None] ** self.power

    def fold_in(self) -> tuple[FoldIn, str | None]:
        """The tower itself."""
        return FoldIn("sum", {"power": self.power}), "items" if self.shared else "inputs"
