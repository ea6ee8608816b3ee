"""Bayesian personalised ranking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch.nn.functional import softplus

from recsys.learning.losses.loss import in_force
from recsys.learning.pairs import Pairs, Scores, Slopes, Terms


@dataclass(frozen=True)
class BPR:
    """A positive should outscore each negative; the logistic likelihood that it does.

    ``-t log sigmoid((pos - neg) / t)`` for every used pair, by ``softplus``, which does not overflow.
    At t = 1 it is the source's; scores in [-1, 1] need a smaller one, or no pair is ever solved.

    By default each positive pulls with a force below 1, however many candidates outscore it (``balance`` of
    ``two_tower``); ``--set model.balance=false`` turns that off.

    Args:
        temperature: t, in units of the distance's score; positive. At 0 it would be ``max(0, neg - pos)``.
            None: chosen on the validation set, 0.12 without one.

    Raises:
        ValueError: If temperature is not positive.

    Returns:
        Terms (B, N).

    Source: Rendle et al. 2009, BPR: Bayesian Personalized Ranking from Implicit Feedback, section 4.3, with
    the regularisation left to ``regularizers.py``.

    Example:
        >>> import torch
        >>> pairs = Pairs(torch.tensor([1.0]), torch.tensor([[1.0, 3.0]]), torch.ones(1, 2, dtype=torch.bool))
        >>> BPR(temperature=1.0)(pairs).values
        tensor([[0.6931, 2.1269]])
    """

    temperature: float | None = None

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = False
    tries: ClassVar[Mapping[str, tuple[float, ...]]] = {"temperature": (0.3, 0.2, 0.12, 0.08, 0.05)}

    def __post_init__(self) -> None:
        if not self.t > 0:
            raise ValueError(f"temperature is {self.temperature}; it must be positive")

    @property
    def t(self) -> float:
        """The temperature in force."""
        return in_force(self, "temperature")

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B, N)."""
        pairs = pairs.wide()
        gap = pairs.neg - pairs.pos[:, None]  # (B, N)
        return Terms(self.t * softplus(gap / self.t), pairs.mask)

    def slopes(self, scores: Scores) -> Slopes | None:
        """``sigmoid((neg - pos) / t)``; see ``Sloped``."""
        slope = scores.negatives(1 / self.t, -scores.pos / self.t).sigmoid_()
        return Slopes(-slope.sum(1).to(scores.pos.dtype), slope, None, scores.total())
