"""The large-margin softmax loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from recsys.learning.losses.angles import psi
from recsys.learning.losses.masked import cross_entropy
from recsys.learning.pairs import Pairs, Terms


@dataclass(frozen=True)
class LSoftmax:
    """A softmax of inner products in which the angle of the positive, several times over, must still win.

    ``-log(e^f / (e^f + sum of e^neg))`` over the used negatives, with ``f = |u| |p| psi(t)``, t the angle
    between user and positive, and ``psi(t) = (-1)^k cos(m t) - 2 k`` for t in [k pi / m, (k + 1) pi / m].
    The lengths are learned with the angles: made for the distance ``dot``; for a cosine they are 1, and it is
    ``sphereface`` at scale 1. With ``ease``, f is ``(ease pos + |u| |p| psi(t)) / (1 + ease)``.

    Args:
        margin: m, a whole number; at least 1, where it is the plain softmax.
        ease: Not negative. The source lowers it from 1000 to 5 during training; here it is constant. Without
            it psi is flat at right angles where m is even, and that is where random vectors start.

    Returns:
        Terms (B,).

    Raises:
        ValueError: If an option is out of its range.

    Source: Liu et al. 2016, Large-Margin Softmax Loss for Convolutional Neural Networks, equations 4 to 6 and
    section 4.3; the items are the classes, the user the feature.

    Example:
        >>> import torch
        >>> pos, neg, used = torch.tensor([3.0]), torch.tensor([[-3.0, -3.0]]), torch.ones(1, 2).bool()
        >>> pairs = Pairs(pos, neg, used, lengths=torch.tensor([6.0]))  # 60 degrees, doubled: 6 cos 120 = -3
        >>> LSoftmax(ease=0.0)(pairs).values  # log 3
        tensor([1.0986])
    """

    margin: int = 2
    ease: float = 5.0

    needs: ClassVar[tuple[str, ...]] = ("lengths",)
    needs_bounded: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.margin < 1 or self.margin != int(self.margin):
            raise ValueError(f"margin is {self.margin}; it must be a whole number from 1")
        if not self.ease >= 0:
            raise ValueError(f"ease is {self.ease}; it must not be negative")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        assert pairs.lengths is not None, "the step makes lengths for losses that need them"
        turned = pairs.lengths * psi(pairs.pos / pairs.lengths, self.margin)  # (B,)
        own = (self.ease * pairs.pos + turned) / (1 + self.ease)
        return Terms(cross_entropy(own, pairs.neg, pairs.mask), pairs.mask.any(1))
