"""The contrastive loss of pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from recsys.learning.losses.masked import mean_of_used
from recsys.learning.pairs import Pairs, Scores, Slopes, Terms


@dataclass(frozen=True)
class Contrastive:
    """Positives are pulled up to one score, negatives pushed down to another, each on its own.

    ``f(positive - pos) + weight * mean over the used negatives of f(neg - negative)``, with
    ``f(x) = max(0, x) ** 2 / 2``, or ``max(0, x)`` if not ``squared``. With the Euclidean distance, squared,
    positive 0, negative -m and weight 1 this is the loss of the source with its margin m.

    Args:
        positive: Score from which a positive is near enough, in units of the distance's score.
        negative: Score up to which a negative is far enough; below ``positive``.
        weight: Of the negatives; positive. Most of many candidates are far enough, so their mean is small.
        squared: Squares with the half, as in the source, or the plain hinge.

    Returns:
        Terms (B,).

    Raises:
        ValueError: If negative is not below positive, or weight is not positive.

    Source: Hadsell et al. 2006, Dimensionality Reduction by Learning an Invariant Mapping, equation 4, with a
    margin for positives too; where it sums over pairs, a row here is a positive and the mean of its
    negatives.

    Example:
        >>> used = torch.ones(1, 2, dtype=torch.bool)
        >>> pairs = Pairs(torch.tensor([0.7]), torch.tensor([[0.4, -0.5]]), used)
        >>> Contrastive(weight=1.0, squared=False)(pairs).values  # 0.3 + (0.4 + 0) / 2
        tensor([0.5000])
    """

    positive: float = 1.0
    negative: float = 0.0
    weight: float = 50.0
    squared: bool = True

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.negative < self.positive:
            raise ValueError(f"negative is {self.negative}; it must be below positive, {self.positive}")
        if not self.weight > 0:
            raise ValueError(f"weight is {self.weight}; it must be positive")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        near, far = torch.relu(self.positive - pairs.pos), torch.relu(pairs.neg - self.negative)
        if self.squared:
            near, far = near.square() / 2, far.square() / 2
        return Terms(near + self.weight * mean_of_used(far, pairs.mask), pairs.mask.any(1))

    def slopes(self, scores: Scores) -> Slopes | None:
        """Steps at the two margins, or ramps where squared; see ``Sloped``."""
        pos, used = scores.pos, scores.used()
        some = (used > 0).to(pos.dtype)
        near = torch.relu(self.positive - pos)
        far = scores.negatives(rows=torch.full_like(pos, -self.negative) if self.negative else None)
        if self.squared:
            slope = far.relu_()
        else:
            near, slope = (near > 0).to(pos.dtype), far.gt_(0)
        weight = self.weight / used.clamp(min=1).to(pos.dtype)
        return Slopes(-near * some, slope, weight, some.sum())
