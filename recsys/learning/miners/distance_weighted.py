"""Negatives drawn evenly over distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from recsys.learning.miners.miner import Moment
from recsys.learning.pairs import Pairs


@dataclass(frozen=True)
class DistanceWeighted:
    """One negative a row, drawn so that every distance from the anchor is as likely.

    On the sphere in n dimensions nearly all points are about sqrt(2) apart: the density of the distance d is
    ``q(d) = d^(n-2) (1 - d^2/4)^((n-3)/2)``. A negative is drawn with probability in proportion to
    ``1 / q(max(d, near))``, and not at all beyond ``far``, where its loss is nothing.

    Args:
        dim: n, the dimension of the vectors; at least 2.
        near: Distance below which nearer is not likelier, so that noise does not rule; positive.
        far: Distance beyond which a negative is not drawn; in (near, 2].

    Raises:
        ValueError: If an option is out of its range.

    Source: Wu et al. 2017, Sampling Matters in Deep Embedding Learning, section 4, for cosines, with
    ``d = sqrt(2 - 2 cos)``; ``far`` is the cut of its authors' code.
    """

    dim: int = 64
    near: float = 0.5
    far: float = 1.4

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.dim < 2:
            raise ValueError(f"dim is {self.dim}; it must be at least 2")
        if not self.near > 0:
            raise ValueError(f"near is {self.near}; it must be positive")
        if not self.near < self.far <= 2:
            raise ValueError(f"far is {self.far}; it must be above near, {self.near}, and at most 2")

    def __call__(self, pairs: Pairs, moment: Moment) -> Tensor:
        """Pairs -> mask (B, N)."""
        distance = (2 - 2 * pairs.wide().neg.detach()).clamp(min=0.0).sqrt()  # (B, N)
        drawable = pairs.mask & (distance < self.far)
        # Gumbel's way to draw: the highest of the log weights with noise; no sum, no overflow.
        noise = -torch.empty_like(distance).exponential_(generator=moment.rng).log()
        chances = (self.log_weights(distance) + noise).masked_fill(~drawable, float("-inf"))
        drawn = torch.zeros_like(pairs.mask).scatter_(1, chances.argmax(1, keepdim=True), True)
        return drawn & drawable

    def log_weights(self, distance: Tensor) -> Tensor:
        """``-log q`` of distances, up to a constant: (B, N) -> (B, N)."""
        cut = distance.clamp(min=self.near)
        within = (1 - cut.square() / 4).clamp(min=1e-12)
        return (2 - self.dim) * cut.log() - (self.dim - 3) / 2 * within.log()
