"""The multi-class N-pair loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from recsys.learning.losses.masked import cross_entropy, softmax_slopes
from recsys.learning.pairs import Pairs, Scores, Slopes, Terms


@dataclass(frozen=True)
class NPair:
    """A positive against all negatives of its row at once, on scores as they are.

    ``log(1 + sum over the used negatives of e^(neg - pos))``. The paper's batches are the sampler
    ``in_batch``, its scores the distance ``dot``, and its penalty on lengths the regulariser ``L2``.

    Returns:
        Terms (B,).

    Source: Sohn 2016, Improved Deep Metric Learning with Multi-class N-pair Loss Objective, equation 6.

    Example:
        >>> import torch
        >>> pairs = Pairs(torch.tensor([2.0]), torch.tensor([[2.0, 2.0]]), torch.ones(1, 2, dtype=torch.bool))
        >>> NPair()(pairs).values  # log 3
        tensor([1.0986])
    """

    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = False

    def __call__(self, pairs: Pairs) -> Terms:
        """Pairs -> Terms (B,)."""
        pairs = pairs.wide()
        return Terms(cross_entropy(pairs.pos, pairs.neg, pairs.mask), pairs.mask.any(1))

    def slopes(self, scores: Scores) -> Slopes | None:
        """Those of ``infonce`` at temperature 1; see ``Sloped``."""
        return softmax_slopes(scores, 1.0)
