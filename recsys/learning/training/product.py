"""The product that makes the scores of all candidates, with what the loss wants done to them riding in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from recsys.learning.training.scratch import Scratch

if TYPE_CHECKING:
    from recsys.learning.training.step import Batch


@dataclass(frozen=True, slots=True)
class Product:
    """Inner products of B users with N candidates; see ``Negatives``.

    A shift of each row is one more dimension, in which all candidates are 1; in bfloat16 it is two, as a
    shift rounded to eight bits would be wrong for a whole row by the same amount.

    Args:
        users: (B, D).
        candidates: (N, D).
        kind: Type of the scores.
        batch: Which candidates are known, and whether one stands twice.
        scratch: Room for the scores.
    """

    users: Tensor
    candidates: Tensor
    kind: torch.dtype
    batch: Batch
    scratch: Scratch

    def __call__(
        self, scale: float = 1.0, rows: Tensor | None = None, columns: Tensor | None = None
    ) -> Tensor:
        """``scale * neg + rows + columns``, -inf where the candidate is not used: (B, N)."""
        left, right = [self.users if scale == 1.0 else self.users * scale], [self.candidates]
        if rows is not None:
            left.append(self._split(rows))
            right.append(torch.ones_like(self.candidates[:, :2]))
        if columns is not None:
            left.append(torch.ones_like(self.users[:, :2]))
            right.append(self._split(columns))
        n, width = len(self.users), len(self.candidates)
        users, candidates = (torch.cat(parts, 1).to(self.kind) for parts in (left, right))
        flat = self.scratch.take(n * width + 1, users)
        scores = flat[:-1].view(n, width)
        torch.mm(users, candidates.T, out=scores)
        flat.index_fill_(0, self.batch.known.places, float("-inf"))
        if not self.batch.candidates.distinct:
            scores.masked_fill_(self.batch.known.twice, float("-inf"))
        if (others := self.batch.known.others) is not None:
            scores[:, width - others.shape[1] :].masked_fill_(others, float("-inf"))
        return scores

    def _split(self, shift: Tensor) -> Tensor:
        """(n,) -> (n, 2), numbers of the scores' type and what their rounding left over."""
        high = shift.to(self.kind).to(shift.dtype)
        return torch.stack([high, shift - high], 1)
