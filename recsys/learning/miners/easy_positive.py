"""Only the easiest positive of each user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from recsys.learning.miners.miner import Moment
from recsys.learning.pairs import Pairs


@dataclass(frozen=True)
class EasyPositive:
    """Of a user's positives in the batch only the nearest is used, with all negatives.

    A user of several tastes need not bring all of them to one point: each item is left near those users that
    it is easily near to. Rows of the other positives get no negative, and so no gradient. Their number
    depends on how often a user occurs in a batch more than once: if histories are short, ``batch`` has to be
    large.

    Source: Xuan et al. 2020, Improved Embeddings with Easy Positive Triplet Mining, section 3.1 (easy
    positive), with users as anchors and their items of the batch as positives.

    Example:
        >>> import torch
        >>> used, easiest = torch.ones(2, 2).bool(), torch.tensor([True, False])
        >>> pairs = Pairs(torch.tensor([0.5, 0.4]), torch.zeros(2, 2), used, easiest=easiest)
        >>> EasyPositive()(pairs, Moment(0.0, torch.Generator()))
        tensor([[ True,  True],
                [False, False]])
    """

    needs: ClassVar[tuple[str, ...]] = ("easiest",)

    def __call__(self, pairs: Pairs, moment: Moment) -> Tensor:
        """Pairs -> mask (B, N)."""
        assert pairs.easiest is not None, "the step makes easiest for miners that need it"
        return pairs.mask & pairs.easiest[:, None]
