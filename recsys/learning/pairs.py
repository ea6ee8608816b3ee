"""What losses and miners eat, and what losses return."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Pairs:
    """Scores of a batch; higher is closer. A row is one observed interaction (the anchor and its positive).

    Args:
        pos: (B,) score of the anchor with its positive.
        neg: (B, N) scores of the anchor with the candidates.
        mask: (B, N) bool, True where the candidate is a negative to use.
        log_q: (N,) log probability by which each candidate was sampled, or None.
        cross: (B, N) score of the positive with the candidates; made only for losses that ask for it.
    """

    pos: Tensor
    neg: Tensor
    mask: Tensor
    log_q: Tensor | None = None
    cross: Tensor | None = None

    def wide(self) -> Pairs:
        """The same with scores in float32 at least, as sums and exponentials need."""
        cross = None if self.cross is None else _wide(self.cross)
        return replace(self, pos=_wide(self.pos), neg=_wide(self.neg), cross=cross)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a loss returns: the summands and which of them count.

    Args:
        values: (B,) or (B, N), finite where the mask is True.
        mask: bool, of the same shape.
    """

    values: Tensor
    mask: Tensor


@dataclass(frozen=True, slots=True)
class Slopes:
    """Derivatives of the sum of a loss's terms, in closed form.

    Args:
        pos: (B,) by the scores of the positives.
        neg: (B, N) by the scores of the candidates, before each row is multiplied by its ``weight``.
        weight: (B,), not negative; None where it is 1, as each pair is a term of its own.
        count: () number of terms that were used.
    """

    pos: Tensor
    neg: Tensor
    weight: Tensor | None
    count: Tensor


def _wide(scores: Tensor) -> Tensor:
    return scores.to(torch.promote_types(scores.dtype, torch.float32))
