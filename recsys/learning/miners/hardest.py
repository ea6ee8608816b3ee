"""The hardest negative of each row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from recsys.learning.miners.miner import Moment
from recsys.learning.pairs import Pairs


@dataclass(frozen=True)
class Hardest:
    """The used negative that scores highest, one a row; the first of equal ones.

    Source: Hermans et al. 2017, In Defense of the Triplet Loss for Person Re-Identification, equation 5
    (batch hard), where the positive is the row's own.

    Example:
        >>> used = torch.tensor([[True, True, False]])
        >>> pairs = Pairs(torch.tensor([0.5]), torch.tensor([[0.1, 0.4, 0.9]]), used)
        >>> Hardest()(pairs, Moment(0.0, torch.Generator()))
        tensor([[False,  True, False]])
    """

    needs: ClassVar[tuple[str, ...]] = ()

    def __call__(self, pairs: Pairs, moment: Moment) -> Tensor:
        """Pairs -> mask (B, N)."""
        best = pairs.neg.detach().masked_fill(~pairs.mask, float("-inf")).argmax(1, keepdim=True)
        # A row without a used negative has its first entry found: the mask takes it out again.
        return torch.zeros_like(pairs.mask).scatter_(1, best, True) & pairs.mask
