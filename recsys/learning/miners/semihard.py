"""Negatives that are farther than the positive, but not far enough."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from recsys.learning.miners.miner import Moment
from recsys.learning.pairs import Pairs


@dataclass(frozen=True)
class Semihard:
    """Negatives that the positive beats by less than the margin.

    ``pos - margin < neg < pos``. Harder ones, which early in training lead to a collapse, are left out, as
    are those already solved.

    Args:
        margin: In units of the distance's score; positive. As a rule that of the loss.

    Raises:
        ValueError: If margin is not positive.

    Source: Schroff et al. 2015, FaceNet, equation 4 and the text after it.

    Example:
        >>> import torch
        >>> pairs = Pairs(torch.tensor([0.5]), torch.tensor([[0.1, 0.4, 0.9]]), torch.ones(1, 3).bool())
        >>> Semihard(margin=0.2)(pairs, Moment(0.0, torch.Generator()))
        tensor([[False,  True, False]])
    """

    margin: float = 0.2

    needs: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise ValueError(f"margin is {self.margin}; it must be positive")

    def __call__(self, pairs: Pairs, moment: Moment) -> Tensor:
        """Pairs -> mask (B, N)."""
        beaten_by = pairs.pos.detach()[:, None] - pairs.neg.detach()  # (B, N)
        return pairs.mask & (beaten_by > 0) & (beaten_by < self.margin)
