"""The ranked list loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from recsys.learning.pairs import Pairs, Terms


@dataclass(frozen=True)
class RankedList:
    """Positives inside one boundary, negatives outside another, the worst of them weighted most.

    ``(1 - pushed) * max(0, p - pos) + pushed * sum of w (neg - n) / sum of w`` over the used negatives with
    ``neg > n``, where ``w = e^(slope (neg - n))`` carries no gradient, and ``p = n + margin``.

    Args:
        negative: n, the score up to which negatives are left alone, in units of the distance's score.
        margin: Between the two boundaries; positive.
        slope: How much more the worse negatives weigh; not negative.
        pushed: Share of the negatives; in (0, 1).

    Returns:
        Terms (B,).

    Raises:
        ValueError: If an option is out of its range.

    Source: Wang et al. 2019, Ranked List Loss for Deep Metric Learning, equations 2 to 9, with scores in
    place of minus the distances (n = -alpha, T = slope), and one positive per row. A negative that has just
    passed the boundary can lower the weighted mean.

    Example:
        >>> pairs = Pairs(torch.tensor([0.3]), torch.tensor([[0.4, 0.0]]), torch.ones(1, 2, dtype=torch.bool))
        >>> RankedList(negative=0.2, margin=0.4)(pairs).values  # (0.3 + 0.2) / 2
        tensor([0.2500])
    """

    negative: float = 0.2
    margin: float = 0.4
    slope: float = 10.0
    pushed: float = 0.5

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = False
    exempt: ClassVar[Mapping[str, str]] = {
        "monotone": "a negative that has just passed the boundary can lower the weighted mean",
        "gradient": "the weights of the negatives carry no gradient",
    }

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise ValueError(f"margin is {self.margin}; it must be positive")
        if not self.slope >= 0:
            raise ValueError(f"slope is {self.slope}; it must not be negative")
        if not 0 < self.pushed < 1:
            raise ValueError(f"pushed is {self.pushed}; it must be in (0, 1)")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        near = torch.relu(self.negative + self.margin - pairs.pos)  # (B,)
        beyond = torch.relu(pairs.neg - self.negative)  # (B, N)
        far = (self._weights(beyond.detach(), pairs.mask) * beyond).sum(1)
        return Terms((1 - self.pushed) * near + self.pushed * far, pairs.mask.any(1))

    def _weights(self, beyond: Tensor, mask: Tensor) -> Tensor:
        """Shares of the violators of each row; all 0 if there are none: (B, N)."""
        violators = mask & (beyond > 0)
        shares = (self.slope * beyond).masked_fill(~violators, -1e30).softmax(1)
        return shares.masked_fill(~violators, 0.0)
