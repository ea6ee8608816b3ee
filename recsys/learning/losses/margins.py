"""The margin of each row: one for all, or by how little popularity explains the row."""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.learning.pairs import Pairs


def margins(margin: float, pairs: Pairs, *, bias_aware: bool) -> Tensor:
    """``margin`` for each row, or ``margin * hardness`` if it is bias-aware: (B,).

    Args:
        margin: In the unit of the loss.
        pairs: With ``hardness`` if the margin is bias-aware.
        bias_aware: Whether a positive that popularity alone predicts needs less of a margin, down to none.

    Source: Zhang et al. 2022, Incorporating Bias-aware Margins into Contrastive Loss for Collaborative
    Filtering; ``pair_inputs.hardness`` describes the difference.

    Example:
        >>> mask, hardness = torch.ones(2, 1).bool(), torch.tensor([0.25, 1.0])
        >>> pairs = Pairs(torch.zeros(2), torch.zeros(2, 1), mask, hardness=hardness)
        >>> margins(0.4, pairs, bias_aware=True)
        tensor([0.1000, 0.4000])
    """
    if not bias_aware:
        return torch.full_like(pairs.pos, margin)
    assert pairs.hardness is not None, "the step makes hardness for losses that need it"
    return margin * pairs.hardness.to(pairs.pos.dtype)
