"""Bayesian personalised ranking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import softplus

from recsys.learning.pairs import Pairs, Slopes, Terms


@dataclass(frozen=True)
class Bpr:
    """A positive should outscore each negative; the logistic likelihood that it does.

    ``-log sigmoid(pos - neg)`` for every used pair, computed as ``softplus(neg - pos)``, which does not
    overflow.

    Returns:
        Terms (B, N).

    Source: Rendle et al. 2009, BPR: Bayesian Personalized Ranking from Implicit Feedback, section 4.3, with
    the regularisation left to ``regularizers.py``.

    Example:
        >>> import torch
        >>> pairs = Pairs(torch.tensor([1.0]), torch.tensor([[1.0, 3.0]]), torch.ones(1, 2, dtype=torch.bool))
        >>> Bpr()(pairs).values
        tensor([[0.6931, 2.1269]])
    """

    needs_cross: ClassVar[bool] = False
    needs_bounded: ClassVar[bool] = False

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B, N)."""
        pairs = pairs.wide()
        return Terms(softplus(pairs.neg - pairs.pos[:, None]), pairs.mask)

    def slopes(self, pos: Tensor, gap: Tensor, used: Tensor, log_q: Tensor | None) -> Slopes | None:
        """``sigmoid(neg - pos)``; see ``Sloped``."""
        slope = gap.sigmoid_()
        weight = torch.ones_like(pos)
        return Slopes(-slope.sum(1).to(pos.dtype), slope, weight, used.sum())
