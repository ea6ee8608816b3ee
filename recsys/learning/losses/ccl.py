"""The cosine contrastive loss of SimpleX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from recsys.learning.losses.masked import mean_of_used
from recsys.learning.pairs import Pairs, Scores, Slopes, Terms


@dataclass(frozen=True)
class CCL:
    """Positives are pulled to a cosine of 1; only negatives above a margin are pushed, with a large weight.

    ``(1 - pos) + weight * mean over the used negatives of max(0, neg - margin)``.

    Args:
        margin: Cosine up to which a negative is left alone; in [-1, 1).
        weight: Of the negatives; positive. Few negatives are above the margin, so 10 to 1000 are usual.

    Returns:
        Terms (B,).

    Raises:
        ValueError: If margin or weight is out of its range.

    Source: Mao et al. 2021, SimpleX: A Simple and Strong Baseline for Collaborative Filtering, equation 1.

    Example:
        >>> pairs = Pairs(torch.tensor([0.7]), torch.tensor([[0.9, 0.1]]), torch.ones(1, 2, dtype=torch.bool))
        >>> CCL(margin=0.5, weight=10.0)(pairs).values  # 0.3 + 10 * (0.4 + 0) / 2
        tensor([2.3000])
    """

    margin: float = 0.5
    weight: float = 20.0

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not -1 <= self.margin < 1:
            raise ValueError(f"margin is {self.margin}; it must be in [-1, 1)")
        if not self.weight > 0:
            raise ValueError(f"weight is {self.weight}; it must be positive")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        far = mean_of_used(torch.relu(pairs.neg - self.margin), pairs.mask)  # (B,)
        return Terms(1.0 - pairs.pos + self.weight * far, pairs.mask.any(1))

    def slopes(self, scores: Scores) -> Slopes | None:
        """A step at the margin; see ``Sloped``."""
        used = scores.used()
        some = (used > 0).to(scores.pos.dtype)
        weight = self.weight / used.clamp(min=1).to(scores.pos.dtype)
        return Slopes(-some, scores.negatives().gt_(self.margin), weight, some.sum())
