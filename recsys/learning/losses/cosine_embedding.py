"""The cosine embedding loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from recsys.learning.pairs import Pairs, Terms


@dataclass(frozen=True)
class CosineEmbedding:
    """Positive pairs are pulled to a cosine of 1, negative pairs pushed below a margin.

    ``(1 - pos + sum over the used negatives of max(0, neg - margin)) / (1 + their number)``: the mean over
    all pairs of the row, each counting the same.

    Args:
        margin: Cosine up to which a negative is left alone; in [-1, 1).

    Returns:
        Terms (B,).

    Raises:
        ValueError: If margin is out of its range.

    Source: ``torch.nn.CosineEmbeddingLoss`` on the pairs of a row; Payne et al. 2015.

    Example:
        >>> pairs = Pairs(torch.tensor([0.4]), torch.tensor([[0.9, -0.2]]), torch.ones(1, 2).bool())
        >>> CosineEmbedding(margin=0.3)(pairs).values  # (0.6 + 0.6 + 0) / 3
        tensor([0.4000])
    """

    margin: float = 0.0

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not -1 <= self.margin < 1:
            raise ValueError(f"margin is {self.margin}; it must be in [-1, 1)")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        far = torch.relu(pairs.neg - self.margin).masked_fill(~pairs.mask, 0.0).sum(1)  # (B,)
        return Terms((1 - pairs.pos + far) / (1 + pairs.mask.sum(1)), pairs.mask.any(1))
