"""Negatives sampled uniformly over distances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from recsys.learning.miners.miner import Moment
from recsys.learning.miners.pool import check_pool, pooled
from recsys.learning.pairs import Pairs


@dataclass(frozen=True)
class DistanceWeighted:
    """One negative per row, drawn so that all distances from the anchor are equally likely.

    On the sphere in n dimensions nearly all points are about sqrt(2) apart: the density of the distance d is
    ``q(d) = d^(n-2) (1 - d^2/4)^((n-3)/2)``. A negative is drawn with probability in proportion to
    ``1 / q(max(d, near))``, and not at all beyond ``far``, where its loss is zero. If points do not fill
    their n dimensions, the nearest of many outweigh all others, so it is drawn from a pool of a few per row.

    Args:
        dim: n, the dimension of the vectors; at least 2.
        near: Distance below which nearer is not likelier, so that noise does not dominate; positive.
        far: Distance beyond which a negative is not drawn; in (near, 2].
        pool: Number of negatives, drawn uniformly for each row, that it is drawn from; at least 1; None takes
            all, which is for small ``candidates`` (see ``pool.py``).

    Raises:
        ValueError: If an option is out of its range.

    Source: Wu et al. 2017, Sampling Matters in Deep Embedding Learning, section 4, for cosines, with
    ``d = sqrt(2 - 2 cos)``; ``far`` is the cut of its authors' code.
    """

    dim: int = 64
    near: float = 0.5
    far: float = 1.4
    pool: int | None = 8

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.dim < 2:
            raise ValueError(f"dim is {self.dim}; it must be at least 2")
        if not self.near > 0:
            raise ValueError(f"near is {self.near}; it must be positive")
        if not self.near < self.far <= 2:
            raise ValueError(f"far is {self.far}; it must be above near, {self.near}, and at most 2")
        check_pool(self.pool)

    def __call__(self, pairs: Pairs, moment: Moment) -> Tensor:
        """Pairs -> mask (B, N)."""
        columns, used = pooled(pairs.mask, self.pool, moment.rng)  # (B, P)
        cosine = pairs.neg.detach().gather(1, columns).float()
        distance = (2 - 2 * cosine).clamp(min=0.0).sqrt()
        drawable = used & (distance < self.far)
        # The Gumbel-max trick: the highest of the log weights with noise; no sum, no overflow.
        noise = -torch.empty_like(distance).exponential_(generator=moment.rng).log()
        chances = (self.log_weights(distance) + noise).masked_fill(~drawable, float("-inf"))
        drawn = chances.argmax(1, keepdim=True)  # (B, 1)
        return torch.zeros_like(pairs.mask).scatter_(1, columns.gather(1, drawn), drawable.gather(1, drawn))

    def log_weights(self, distance: Tensor) -> Tensor:
        """``-log q`` of distances, up to a constant: (B, P) -> (B, P)."""
        cut = distance.clamp(min=self.near)
        within = (1 - cut.square() / 4).clamp(min=1e-12)
        return (2 - self.dim) * cut.log() - (self.dim - 3) / 2 * within.log()
