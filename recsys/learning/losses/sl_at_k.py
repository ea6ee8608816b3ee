"""The softmax loss at K."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from recsys.learning.losses.masked import log_sum_exp_of_used, odds_of_used
from recsys.learning.pairs import Pairs, Scores, Slopes, Terms


@dataclass(frozen=True)
class SLAtK:
    """A softmax loss whose positives count by how near they are to the top K of their user's list.

    ``w * log(sum over the used negatives of e^((neg - pos) / t))`` with ``w = sigmoid((pos - b) / v)``, b the
    K-th highest score of the row (positive and used negatives), without gradient; if the row has fewer than K
    scores, w is 1.

    Args:
        k: K; at least 1.
        temperature: t, of the softmax; positive.
        weight_temperature: v, of the weight; positive.

    Returns:
        Terms (B,), of any sign.

    Raises:
        ValueError: If k is below 1, or a temperature is not positive.

    Source: Yang et al. 2025, Breaking the Top-K Barrier: Advancing Top-K Ranking Metrics Optimization in
    Recommender Systems. There the threshold b of a user is found every few epochs among all positives and
    some negatives; here it is found in each step in the row, so that no state is kept. A closer negative
    raises b and so lowers the weight, which can lower the loss.

    Example:
        >>> pairs = Pairs(torch.tensor([0.4]), torch.tensor([[0.4, 0.2]]), torch.ones(1, 2, dtype=torch.bool))
        >>> SLAtK(k=1)(pairs).values  # sigmoid(0) * log(e^0 + e^-1)
        tensor([0.1566])
    """

    k: int = 20
    temperature: float = 0.2
    weight_temperature: float = 2.25

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = False
    exempt: ClassVar[Mapping[str, str]] = {
        "monotone": "a closer negative raises the threshold b, which lowers the weight"
    }

    def __post_init__(self) -> None:
        if self.k < 1:
            raise ValueError(f"k is {self.k}; it must be at least 1")
        for name in ("temperature", "weight_temperature"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be positive")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        against = log_sum_exp_of_used(pairs.neg / self.temperature, pairs.mask)  # (B,)
        used = pairs.mask.any(1)
        loss = (against - pairs.pos / self.temperature).masked_fill(~used, 0.0)
        negatives = pairs.neg.detach().masked_fill(~pairs.mask, float("-inf"))
        return Terms(self._weight(pairs.pos, negatives) * loss, used)

    def slopes(self, scores: Scores) -> Slopes | None:
        """The softmax over the negatives, weighted, and what the positive moves in its own weight.

        ``dl/dpos = w ((1 - w) / v * log(sum of e^((neg - pos) / t)) - 1 / t)``; see ``Sloped``. The scores
        are computed twice: the threshold is found in the unscaled ones.
        """
        weight = self._weight(scores.pos, scores.negatives())
        odds, top = odds_of_used(scores, 1 / self.temperature)
        against = odds.sum(1).to(weight.dtype).clamp(min=torch.finfo(weight.dtype).tiny)  # (B,)
        used = scores.used() > 0
        loss = (against.log() + top - scores.pos / self.temperature).masked_fill(~used, 0.0)
        weight = weight.masked_fill(~used, 0.0)
        pull = loss * (1 - weight) / self.weight_temperature - 1 / self.temperature
        return Slopes(weight * pull, odds, weight / (self.temperature * against), used.sum())

    def _weight(self, pos: Tensor, negatives: Tensor) -> Tensor:
        """The weight (B,) of positives (B,) among negatives (B, N), -inf where not used."""
        highest = negatives.topk(min(self.k, negatives.shape[1]), dim=1).values.to(pos.dtype)
        both = torch.cat([pos.detach()[:, None], highest], dim=1)  # (B, 1 + K) at most
        if both.shape[1] < self.k:
            return torch.ones_like(pos)
        threshold = both.topk(self.k, dim=1).values[:, -1]
        return torch.sigmoid((pos - threshold) / self.weight_temperature)
