"""The additive angular margin loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from recsys.learning.losses.margins import margins
from recsys.learning.losses.masked import cross_entropy
from recsys.learning.pairs import Pairs, Terms


@dataclass(frozen=True)
class ArcFace:
    """A softmax in which the angle of the positive must win by a margin.

    ``-log(e^(s cos(t + m)) / (e^(s cos(t + m)) + sum of e^(s neg)))`` over the used negatives, with ``t`` the
    angle of the positive. Beyond ``t = pi - m``, where the cosine would rise again, ``pos - m sin m``
    replaces it.

    Args:
        margin: m, in radians; in [0, pi/2].
        scale: s, the inverse of a temperature; positive.
        bias_aware: Whether a row has the margin ``m * hardness`` instead, as in BC loss, with
            ``hardness = c / (c + count)`` of its item's count and the mean count c of all items: near 0 where
            popularity alone explains the choice, near m where it does not.

    Returns:
        Terms (B,).

    Raises:
        ValueError: If margin or scale is out of its range.

    Source: Deng et al. 2019, ArcFace: Additive Angular Margin Loss for Deep Face Recognition, equation 3,
    and the fall-back of its authors' code, which keeps the loss monotone. Bias-aware: Zhang et al. 2022,
    Incorporating Bias-aware Margins into Contrastive Loss for Collaborative Filtering.

    Example:
        >>> pairs = Pairs(torch.tensor([1.0]), torch.tensor([[0.5, 0.5]]), torch.ones(1, 2, dtype=torch.bool))
        >>> ArcFace(margin=math.pi / 3, scale=4.0)(pairs).values  # cos 60 degrees = 0.5: log 3
        tensor([1.0986])
    """

    margin: float = 0.3
    scale: float = 8.0
    bias_aware: bool = False

    needs_bounded: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.margin <= math.pi / 2:
            raise ValueError(f"margin is {self.margin}; it must be in [0, pi/2], in radians")
        if not self.scale > 0:
            raise ValueError(f"scale is {self.scale}; it must be positive")

    @property
    def needs(self) -> tuple[str, ...]:
        """``hardness``, if margins are bias-aware."""
        return ("hardness",) if self.bias_aware else ()

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        pos = self.scale * _widened(pairs.pos, margins(self.margin, pairs, bias_aware=self.bias_aware))
        return Terms(cross_entropy(pos, self.scale * pairs.neg, pairs.mask), pairs.mask.any(1))


def _widened(cosine: Tensor, margin: Tensor) -> Tensor:
    """``cos(t + m)`` of ``cos t``, monotone in t: (B,), (B,) -> (B,)."""
    # By the addition theorem: the arc cosine has no finite gradient at 1.
    sine = (1 - cosine.square()).clamp(min=1e-12).sqrt()
    turned = cosine * margin.cos() - sine * margin.sin()
    return torch.where(cosine >= -margin.cos(), turned, cosine - margin * margin.sin())
