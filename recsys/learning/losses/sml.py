"""Symmetric metric learning with adaptive margins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import torch

from recsys.learning.losses.parameters import Learned
from recsys.learning.pairs import Pairs, Terms

OF_USER: Final = "user_margin"
OF_ITEM: Final = "item_margin"
LOW: Final = 1e-3


@dataclass(frozen=True)
class SML:
    """A negative must be farther from the user than the positive is, and farther from the positive too.

    ``max(0, m_u + neg - pos) + item max(0, n_p + cross - pos) - adapt (m_u + n_p)`` for every used pair,
    ``cross`` the score of the positive with the negative; the margins m_u of each user and n_p of each item
    are learned. The last term lets a margin grow until the share ``adapt`` of its pairs violates it.

    By default each positive pulls with a force below 1, however many candidates outscore it (``balance`` of
    ``two_tower``); ``--set model.balance=false`` turns that off.

    Args:
        item: Weight of the item's triplets; not negative.
        adapt: Weight of large margins; in [0, 1).
        margin: Initial margins, in units of the distance's score.
        limit: Largest margin; margins stay in (0, limit].

    Returns:
        Terms (B, N), of any sign.

    Raises:
        ValueError: If an option is out of its range.

    Source: Li et al. 2020, Symmetric Metric Learning with Adaptive Margin for Recommendation, equations 4, 6
    and 8, with lambda for ``item`` and gamma for ``adapt``, for the score ``squared_euclidean`` of vectors in
    the unit ball; means over a batch take the place of sums over all.

    Example:
        >>> scores = torch.tensor([0.5]), torch.tensor([[0.4]]), torch.ones(1, 1).bool()
        >>> margins = {"user_margin": torch.tensor([0.2]), "item_margin": torch.tensor([0.3])}
        >>> pairs = Pairs(*scores, cross=torch.tensor([[0.1]]), learned=margins)
        >>> SML(item=1.0, adapt=0.1)(pairs).values  # 0.1 + 0 - 0.05
        tensor([[0.0500]])
    """

    item: float = 0.3
    adapt: float = 0.1
    margin: float = 0.4
    limit: float = 1.0

    needs: ClassVar[tuple[str, ...]] = ("cross",)
    needs_bounded: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.item >= 0:
            raise ValueError(f"item is {self.item}; it must not be negative")
        if not 0 <= self.adapt < 1:
            raise ValueError(f"adapt is {self.adapt}; it must be in [0, 1)")
        if not LOW < self.margin <= self.limit:
            raise ValueError(f"margin is {self.margin}; it must lie above {LOW} and at most at {self.limit}")

    def parameters(self) -> tuple[Learned, ...]:
        """A margin per user and one per item."""
        return (
            Learned(OF_USER, "users", self.margin, LOW, self.limit),
            Learned(OF_ITEM, "items", self.margin, LOW, self.limit),
        )

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B, N)."""
        pairs = pairs.wide()
        assert pairs.cross is not None, "the step makes cross for losses that need it"
        of_user, of_item = pairs.of(OF_USER), pairs.of(OF_ITEM)  # (B,)
        user = torch.relu(pairs.neg + (of_user - pairs.pos)[:, None])  # (B, N)
        item = torch.relu(pairs.cross + (of_item - pairs.pos)[:, None])  # (B, N)
        return Terms(user + self.item * item - self.adapt * (of_user + of_item)[:, None], pairs.mask)
