"""The lifted structured loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from recsys.learning.losses.masked import log_sum_exp_of_used
from recsys.learning.pairs import Pairs, Terms


@dataclass(frozen=True)
class LiftedStructure:
    """A positive pair against the negatives of both its ends, the user's and the item's.

    ``max(0, J) ** 2 / 2`` with ``J = log(sum of e^(margin + neg) + sum of e^(margin + cross)) - pos``, the
    sums over the used negatives.

    Args:
        margin: In units of the distance's score; positive.

    Returns:
        Terms (B,).

    Raises:
        ValueError: If margin is not positive.

    Source: Oh Song et al. 2016, Deep Metric Learning via Lifted Structured Feature Embedding, equation 4,
    with distances in place of minus the scores (``euclidean``); the negatives of the positive are those of
    its user.

    Example:
        >>> same = torch.tensor([[0.0, 0.0]])
        >>> pairs = Pairs(torch.tensor([0.0]), same, torch.ones(1, 2, dtype=torch.bool), cross=same)
        >>> LiftedStructure(margin=1.0)(pairs).values  # (1 + log 4) ** 2 / 2
        tensor([2.8472])
    """

    margin: float = 1.0

    needs: ClassVar[tuple[str, ...]] = ("cross",)
    needs_bounded: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise ValueError(f"margin is {self.margin}; it must be positive")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        assert pairs.cross is not None, "the step makes cross for losses that need it"
        ends = [log_sum_exp_of_used(end, pairs.mask) for end in (pairs.neg, pairs.cross)]
        against = torch.logaddexp(ends[0], ends[1]) + self.margin  # (B,)
        return Terms(torch.relu(against - pairs.pos).square() / 2, pairs.mask.any(1))
