"""What losses and miners ask for beside scores, made once for all rows of a batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Asked:
    """A number for each row of a batch, or None where nothing asks for it; see ``Pairs``.

    Args:
        easiest: (B,) bool.
    """

    easiest: Tensor | None = None

    def of(self, rows: slice) -> Asked:
        """That of some rows."""
        return Asked(None if self.easiest is None else self.easiest[rows])


def easiest(users: Tensor, scores: Tensor) -> Tensor:
    """Which rows no other row of the same user outscores: (B,), (B,) -> (B,) bool.

    Example:
        >>> easiest(torch.tensor([7, 3, 7]), torch.tensor([0.1, 0.2, 0.3]))
        tensor([False,  True,  True])
    """
    owner = torch.unique(users, return_inverse=True)[1]
    best = torch.full_like(scores, float("-inf")).scatter_reduce(0, owner, scores, "amax")
    return scores >= best.index_select(0, owner)
