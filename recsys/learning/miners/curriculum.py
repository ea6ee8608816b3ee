"""From semihard to hard negatives in the course of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from recsys.learning.miners.miner import Moment
from recsys.learning.pairs import Pairs


@dataclass(frozen=True)
class Curriculum:
    """Semihard negatives at first; harder and harder ones as training proceeds, in the end all of them.

    ``pos - margin < neg < pos + margin * t / (1 - t)`` with t the share of the way from ``begin`` to ``end``:
    at 0 the band of ``semihard``, at 1 without an upper bound.

    Args:
        margin: In units of the distance's score; positive. As a rule that of the loss.
        begin: Progress of training at which harder ones begin; in [0, 1].
        end: Progress from which none is too hard; above begin, at most 1.

    Raises:
        ValueError: If an option is out of its range.

    Source: Bengio et al. 2009, Curriculum Learning, on the band of Schroff et al. 2015, FaceNet, equation 4.

    Example:
        >>> import torch
        >>> pairs = Pairs(torch.tensor([0.5]), torch.tensor([[0.1, 0.4, 0.9]]), torch.ones(1, 3).bool())
        >>> for progress in (0.0, 1.0):
        ...     Curriculum(margin=0.2)(pairs, Moment(progress, torch.Generator()))
        tensor([[False,  True, False]])
        tensor([[False,  True,  True]])
    """

    margin: float = 0.2
    begin: float = 0.1
    end: float = 0.6

    needs: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise ValueError(f"margin is {self.margin}; it must be positive")
        if not 0 <= self.begin <= 1:
            raise ValueError(f"begin is {self.begin}; it must be in [0, 1]")
        if not self.begin < self.end <= 1:
            raise ValueError(f"end is {self.end}; it must be above begin, {self.begin}, and at most 1")

    def __call__(self, pairs: Pairs, moment: Moment) -> Tensor:
        """Pairs -> mask (B, N)."""
        beaten_by = pairs.pos.detach()[:, None] - pairs.neg.detach()  # (B, N)
        band = pairs.mask & (beaten_by < self.margin)
        way = (moment.progress - self.begin) / (self.end - self.begin)
        if way >= 1:
            return band
        way = max(way, 0.0)
        return band & (beaten_by > -self.margin * way / (1 - way))
