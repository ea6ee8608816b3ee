"""The circle loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from recsys.learning.losses.masked import cross_entropy
from recsys.learning.pairs import Pairs, Terms


@dataclass(frozen=True)
class Circle:
    """Every score is pulled with a force that grows with its distance from its optimum.

    ``log(1 + sum of e^(gamma a_n (neg - m)) * e^(-gamma a_p (pos - 1 + m)))`` over the used negatives, with
    the weights ``a_n = max(0, neg + m)`` and ``a_p = max(0, 1 + m - pos)``, which carry no gradient.

    Args:
        margin: m, the radius of the decision boundary; in (0, 1).
        scale: gamma; positive.

    Returns:
        Terms (B,).

    Raises:
        ValueError: If margin or scale is out of its range.

    Source: Sun et al. 2020, Circle Loss: A Unified Perspective of Pair Similarity Optimization, equations 4,
    5 and 8, with one positive per row.

    Example:
        >>> pairs = Pairs(torch.tensor([0.5]), torch.tensor([[0.5, 0.5]]), torch.ones(1, 2, dtype=torch.bool))
        >>> Circle(margin=0.5, scale=1.0)(pairs).values  # log 3
        tensor([1.0986])
    """

    margin: float = 0.4
    scale: float = 10.0

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = True
    exempt: ClassVar[Mapping[str, str]] = {
        "monotone": "the term of a negative is lowest at a score of 0, as its weight grows with the score",
        "gradient": "the weights carry no gradient",
    }

    def __post_init__(self) -> None:
        if not 0 < self.margin < 1:
            raise ValueError(f"margin is {self.margin}; it must be in (0, 1)")
        if not self.scale > 0:
            raise ValueError(f"scale is {self.scale}; it must be positive")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        near = torch.relu(1 + self.margin - pairs.pos.detach())  # (B,)
        far = torch.relu(pairs.neg.detach() + self.margin)  # (B, N)
        pos = self.scale * near * (pairs.pos - (1 - self.margin))
        neg = self.scale * far * (pairs.neg - self.margin)
        return Terms(cross_entropy(pos, neg, pairs.mask), pairs.mask.any(1))
