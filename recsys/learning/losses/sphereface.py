"""The multiplicative angular margin loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from recsys.learning.losses.angles import psi
from recsys.learning.losses.masked import cross_entropy
from recsys.learning.pairs import Pairs, Terms


@dataclass(frozen=True)
class SphereFace:
    """A softmax in which the angle of the positive, several times over, must still win.

    ``-log(e^(s psi(t)) / (e^(s psi(t)) + sum of e^(s neg)))`` over the used negatives, with t the angle of
    the positive and ``psi(t) = (-1)^k cos(m t) - 2 k`` for t in [k pi / m, (k + 1) pi / m], which falls all
    the way from 1 to 1 - 2 m. With ``ease`` it is averaged with the plain cosine:
    ``(ease cos t + psi) / (1 + ease)``.

    Args:
        margin: m, a whole number; at least 1.
        scale: s, the inverse of a temperature; positive.
        ease: Not negative. The sources lower it from 1000 to 5 during training; here it is constant. Without
            it psi is flat at right angles where m is even, and that is where positives are pushed to.

    Returns:
        Terms (B,).

    Raises:
        ValueError: If an option is out of its range.

    Source: Liu et al. 2017, SphereFace: Deep Hypersphere Embedding for Face Recognition, equation 7, with a
    constant s for the length of the feature, as in Liu et al. 2022, SphereFace Revived; the vectors of a
    cosine have no length. ``ease`` is lambda of Liu et al. 2016, Large-Margin Softmax Loss, section 4.3.

    Example:
        >>> import torch
        >>> pairs = Pairs(torch.tensor([0.5]), torch.tensor([[-0.5, -0.5]]), torch.ones(1, 2).bool())
        >>> SphereFace(margin=2, scale=4.0, ease=0.0)(pairs).values  # 60 degrees, doubled: -0.5: log 3
        tensor([1.0986])
    """

    margin: int = 2
    scale: float = 5.0
    ease: float = 5.0

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.margin < 1 or self.margin != int(self.margin):
            raise ValueError(f"margin is {self.margin}; it must be a whole number from 1")
        if not self.scale > 0:
            raise ValueError(f"scale is {self.scale}; it must be positive")
        if not self.ease >= 0:
            raise ValueError(f"ease is {self.ease}; it must not be negative")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        turned = (self.ease * pairs.pos + psi(pairs.pos, self.margin)) / (1 + self.ease)  # (B,)
        return Terms(
            cross_entropy(self.scale * turned, self.scale * pairs.neg, pairs.mask), pairs.mask.any(1)
        )
