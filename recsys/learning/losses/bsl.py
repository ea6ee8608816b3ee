"""The bilateral softmax loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch

from recsys.learning.losses.loss import in_force
from recsys.learning.losses.masked import log_mean_exp_of_used, odds_of_used
from recsys.learning.pairs import Pairs, Scores, Slopes, Terms


@dataclass(frozen=True)
class BSL:
    """A softmax whose negatives have a temperature of their own: their mean is raised to a power.

    ``-log(e^(pos/t) / (mean over the used negatives of e^(neg/t)) ** power)``. A power above 1 weighs the
    negatives more, as a positive temperature below the negative one does; 1 is the plain softmax loss
    without the positive in the sum.

    Args:
        temperature: t, in units of the distance's score; positive. None: chosen on the validation set, 0.2
            without one.
        power: The quotient of the two temperatures; positive. None: chosen on the validation set, 1.1 without
            one.

    Returns:
        Terms (B,), of any sign.

    Raises:
        ValueError: If temperature or power is not positive.

    Source: Wu et al. 2024, BSL: Understanding and Improving Softmax Loss for Recommendation, section IV, as
    its authors compute it: one power over the negatives. The mean over several positives of a user in a
    batch is left out, as rows here are independent.

    Example:
        >>> import torch
        >>> pairs = Pairs(torch.tensor([0.5]), torch.tensor([[0.1, 0.1]]), torch.ones(1, 2, dtype=torch.bool))
        >>> BSL(temperature=0.1, power=2.0)(pairs).values  # -5 + 2 * 1
        tensor([-3.])
    """

    temperature: float | None = None
    power: float | None = None

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = False
    tries: ClassVar[Mapping[str, tuple[float, ...]]] = {
        "temperature": (0.5, 0.3, 0.2, 0.12, 0.08),
        "power": (0.9, 1.0, 1.1, 1.25, 1.4),
    }

    def __post_init__(self) -> None:
        if not self.t > 0:
            raise ValueError(f"temperature is {self.temperature}; it must be positive")
        if not self.p > 0:
            raise ValueError(f"power is {self.power}; it must be positive")

    @property
    def t(self) -> float:
        """The temperature in force."""
        return in_force(self, "temperature")

    @property
    def p(self) -> float:
        """The power in force."""
        return in_force(self, "power")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        against = log_mean_exp_of_used(pairs.neg / self.t, pairs.mask)  # (B,)
        return Terms(self.p * against - pairs.pos / self.t, pairs.mask.any(1))

    def slopes(self, scores: Scores) -> Slopes | None:
        """The softmax over the negatives, times the power; see ``Sloped``."""
        odds, _ = odds_of_used(scores, 1 / self.t)
        against = odds.sum(1).to(scores.pos.dtype)  # (B,)
        some = (scores.used() > 0).to(scores.pos.dtype)
        weight = some * self.p / (self.t * against.clamp(min=torch.finfo(against.dtype).tiny))
        return Slopes(-some / self.t, odds, weight, some.sum())
