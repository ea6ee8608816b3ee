"""The margin loss."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import torch

from recsys.learning.losses.parameters import Learned
from recsys.learning.pairs import Pairs, Terms

BOUNDARY: Final = "boundary"


@dataclass(frozen=True)
class Margin:
    """Positives above a boundary and negatives below it, each by a margin; the boundary is learned.

    ``max(0, margin + b - pos) + max(0, margin + neg - b)`` for every used pair.

    By default each positive pulls with a force below 1, however many candidates outscore it (``balance`` of
    ``two_tower``); ``--set model.balance=false`` turns that off.

    Args:
        margin: In units of the distance's score; positive.
        boundary: Initial value of the boundary b, in units of the distance's score.
        boundaries: Whether there is one boundary, one per user (the source's classes) or one per item.

    Returns:
        Terms (B, N).

    Raises:
        ValueError: If margin is not positive, or boundaries is none of those.

    Source: Wu et al. 2017, Sampling Matters in Deep Embedding Learning, equations 6 and 7, with scores in
    place of minus the distances (b = -beta); of its boundaries for all, classes and samples one kind is
    learned, and without a penalty on its size. Its mean over the active pairs is the reducer ``active``, its
    sampling the miner ``distance_weighted``.

    Example:
        >>> boundary = {"boundary": torch.tensor([0.5])}
        >>> scores = torch.tensor([0.6]), torch.tensor([[0.55, 0.1]]), torch.ones(1, 2).bool()
        >>> Margin(margin=0.2)(Pairs(*scores, learned=boundary)).values
        tensor([[0.3500, 0.1000]])
    """

    margin: float = 0.3
    boundary: float = 0.3
    boundaries: Literal["one", "users", "items"] = "one"

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.margin > 0:
            raise ValueError(f"margin is {self.margin}; it must be positive")
        if self.boundaries not in ("one", "users", "items"):
            raise ValueError(f"boundaries is {self.boundaries!r}; it can be one, users, items")

    def parameters(self) -> tuple[Learned, ...]:
        """The boundary, without limits."""
        return (Learned(BOUNDARY, self.boundaries, self.boundary, -math.inf, math.inf),)

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B, N)."""
        pairs = pairs.wide()
        boundary = pairs.of(BOUNDARY)  # (B,)
        near = torch.relu(self.margin + boundary - pairs.pos)  # (B,)
        far = torch.relu(pairs.neg + (self.margin - boundary)[:, None])  # (B, N)
        return Terms(near[:, None] + far, pairs.mask)
