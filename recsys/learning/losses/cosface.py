"""The large margin cosine loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from recsys.learning.losses.margins import margins
from recsys.learning.losses.masked import cross_entropy, softmax_slopes
from recsys.learning.pairs import Pairs, Scores, Slopes, Terms


@dataclass(frozen=True)
class CosFace:
    """A softmax in which the cosine of the positive must win by a margin.

    ``-log(e^(s (pos - m)) / (e^(s (pos - m)) + sum of e^(s neg)))`` over the used negatives.

    Args:
        margin: m, a cosine; in [0, 2).
        scale: s, the inverse of a temperature; positive.
        bias_aware: Whether a row has the margin ``m * hardness`` instead, as in BC loss, with
            ``hardness = c / (c + count)`` of its item's count and the mean count c of all items: near 0 where
            popularity alone explains the choice, near m where it does not.

    Returns:
        Terms (B,).

    Raises:
        ValueError: If margin or scale is out of its range.

    Source: Wang et al. 2018, CosFace: Large Margin Cosine Loss for Deep Face Recognition, equation 4; the
    items are the classes, the user the feature. Bias-aware: Zhang et al. 2022, Incorporating Bias-aware
    Margins into Contrastive Loss for Collaborative Filtering, with the margin subtracted from the cosine, as
    here.

    Example:
        >>> import torch
        >>> pairs = Pairs(torch.tensor([0.6]), torch.tensor([[0.5, 0.5]]), torch.ones(1, 2, dtype=torch.bool))
        >>> CosFace(margin=0.1, scale=5.0)(pairs).values  # log 3
        tensor([1.0986])
    """

    margin: float = 0.2
    scale: float = 8.0
    bias_aware: bool = False

    needs_bounded: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.margin < 2:
            raise ValueError(f"margin is {self.margin}; it must be in [0, 2)")
        if not self.scale > 0:
            raise ValueError(f"scale is {self.scale}; it must be positive")

    @property
    def needs(self) -> tuple[str, ...]:
        """``hardness``, if margins are bias-aware."""
        return ("hardness",) if self.bias_aware else ()

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        pos = self.scale * (pairs.pos - margins(self.margin, pairs, bias_aware=self.bias_aware))
        return Terms(cross_entropy(pos, self.scale * pairs.neg, pairs.mask), pairs.mask.any(1))

    def slopes(self, scores: Scores) -> Slopes | None:
        """Those of ``infonce``, every negative nearer by the margin; see ``Sloped``."""
        if self.bias_aware:
            return None
        return softmax_slopes(scores, self.scale, self.margin)
