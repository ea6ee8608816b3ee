"""The triplet loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.nn.functional import softplus

from recsys.learning.losses.loss import in_force
from recsys.learning.pairs import Pairs, Scores, Slopes, Terms


@dataclass(frozen=True)
class Triplet:
    """A negative must be farther than the positive by a margin.

    ``max(0, margin + neg - pos)`` for every used pair; soft: ``log(1 + e^(margin + neg - pos))``.

    By default each positive pulls with a force below 1, however many candidates outscore it (``balance`` of
    ``two_tower``); ``--set model.balance=false`` turns that off.

    Args:
        margin: In units of the distance's score; positive, or 0 if it is soft. None: chosen on the validation
            set, 0.4 without one.
        soft: A softplus instead of the hinge: a solved pair keeps a small gradient.
        swap: Use the negative's score with the positive if it is nearer to the positive than to the anchor.

    Returns:
        Terms (B, N).

    Raises:
        ValueError: If margin is out of its range.

    Source: Schroff et al. 2015, FaceNet, equation 2, with scores in place of squared distances; soft margin:
    Hermans et al. 2017, In Defense of the Triplet Loss, section 2 (with margin 0); swap: Balntas et al. 2016,
    Learning Local Feature Descriptors with Triplets, section 2.2.

    Example:
        >>> pairs = Pairs(torch.tensor([0.9]), torch.tensor([[0.8, 0.1]]), torch.ones(1, 2, dtype=torch.bool))
        >>> Triplet(margin=0.2)(pairs).values
        tensor([[0.1000, 0.0000]])
    """

    margin: float | None = None
    soft: bool = False
    swap: bool = False

    needs_bounded: ClassVar[bool] = False
    tries: ClassVar[Mapping[str, tuple[float, ...]]] = {"margin": (0.8, 0.6, 0.4, 0.25, 0.15)}

    def __post_init__(self) -> None:
        if not (self.m > 0 or (self.soft and self.m == 0)):
            raise ValueError(f"margin is {self.margin}; it must be positive, or 0 with a soft margin")

    @property
    def m(self) -> float:
        """The margin in force."""
        return in_force(self, "margin")

    @property
    def needs(self) -> tuple[str, ...]:
        """``cross``, if ``swap`` is on."""
        return ("cross",) if self.swap else ()

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B, N)."""
        pairs = pairs.wide()
        neg = pairs.neg
        if self.swap:
            assert pairs.cross is not None, "the step makes cross for losses that need it"
            neg = torch.maximum(neg, pairs.cross)
        gap = neg + (self.m - pairs.pos)[:, None]  # (B, N)
        return Terms(softplus(gap) if self.soft else torch.relu(gap), pairs.mask)

    def slopes(self, scores: Scores) -> Slopes | None:
        """1 where the margin is not kept, 0 elsewhere; see ``Sloped``."""
        if self.swap:
            return None
        gap = scores.negatives(rows=self.m - scores.pos)
        slope = gap.sigmoid_() if self.soft else gap.gt_(0)
        return Slopes(-slope.sum(1).to(scores.pos.dtype), slope, None, scores.total())
