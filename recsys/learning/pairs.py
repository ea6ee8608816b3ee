"""Inputs of losses and miners, and what losses return."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Pairs:
    """Scores of a batch; higher is closer. A row is one observed interaction (the anchor and its positive).

    Args:
        pos: (B,) score of the anchor with its positive.
        neg: (B, N) scores of the anchor with the candidates.
        mask: (B, N) bool, True if the candidate is a negative to use.
        log_q: (N,) log probability by which each candidate was sampled, or None.
        cross: (B, N) score of the positive with the candidates.
        lengths: (B,) length of the anchor times that of the positive, if the score is an inner product.
        easiest: (B,) bool, whether none of the anchor's other positives in the batch is nearer to it.
        hardness: (B,) in (0, 1), how little the popularity of the positive explains that it was chosen.
        learned: (B,) each, by name: the parameters of the loss itself.

    The optional fields after ``log_q`` are computed only for losses and miners that need them.
    """

    pos: Tensor
    neg: Tensor
    mask: Tensor
    log_q: Tensor | None = None
    cross: Tensor | None = None
    lengths: Tensor | None = None
    easiest: Tensor | None = None
    hardness: Tensor | None = None
    learned: Mapping[str, Tensor] = field(default_factory=dict)

    def of(self, name: str) -> Tensor:
        """A learned number per row (B,).

        Raises:
            ValueError: If it was not given.
        """
        if name not in self.learned:
            raise ValueError(f"pairs hold no {name}; the step gives what the loss declares in parameters()")
        return self.learned[name]

    def wide(self) -> Pairs:
        """The same pairs with scores in float32 or wider, as sums and exponentials need."""
        cross, lengths = (None if part is None else _wide(part) for part in (self.cross, self.lengths))
        return replace(self, pos=_wide(self.pos), neg=_wide(self.neg), cross=cross, lengths=lengths)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a loss returns: the summands and which of them count.

    Args:
        values: (B,) or (B, N), finite where the mask is True.
        mask: bool, of the same shape.
    """

    values: Tensor
    mask: Tensor


class Negatives(Protocol):
    """Computes the scores of the candidates."""

    def __call__(
        self, scale: float = 1.0, rows: Tensor | None = None, columns: Tensor | None = None
    ) -> Tensor:
        """``scale * neg + rows + columns``, -inf if the candidate is not used.

        Scale and shifts are part of the matrix product, which saves one pass over the scores for each.

        Args:
            scale: A number.
            rows: (B,), to be added to each row; None adds nothing.
            columns: (N,), to be added to each column; None adds nothing.

        Returns:
            (B, N) of any float type, in a buffer that the caller may overwrite and that the next call
            overwrites.
        """
        ...


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores computed on demand, scaled and shifted as a loss needs them.

    Args:
        pos: (B,) scores of the positives, float32.
        negatives: Computes the scores of the candidates.
        used: Computes (B,), the number of used candidates per row.
        total: Computes (), the number of used candidates in all rows.
        log_q: (N,) log probability of the candidates, or None.
        ceiling: Upper bound of the scores: 1 for a cosine, infinity if there is none.
    """

    pos: Tensor
    negatives: Negatives
    used: Callable[[], Tensor]
    total: Callable[[], Tensor]
    log_q: Tensor | None
    ceiling: float


@dataclass(frozen=True, slots=True)
class Slopes:
    """Derivatives of the sum of a loss's terms, in closed form.

    Args:
        pos: (B,) by the scores of the positives.
        neg: (B, N) by the scores of the candidates, before each row is multiplied by its ``weight``.
        weight: (B,), not negative; None if it is 1, as each pair is a term of its own.
        count: () number of terms that were used.
    """

    pos: Tensor
    neg: Tensor
    weight: Tensor | None
    count: Tensor


def _wide(scores: Tensor) -> Tensor:
    return scores.to(torch.promote_types(scores.dtype, torch.float32))
