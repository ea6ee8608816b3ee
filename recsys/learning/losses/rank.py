"""The rank of the positive, estimated from the candidates."""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.learning.pairs import Pairs


def estimated_rank(violators: Tensor, pairs: Pairs) -> Tensor:
    """Estimate how many items of the catalogue violate the margin from the used candidates that do.

    ``sum over the violators of 1 / (n q)``, with n the number of used candidates of the row: ``I * M / n``
    for M violators among candidates drawn uniformly from I items. Without log_q the candidates are taken to
    be the whole catalogue, and the rank is M.

    Args:
        violators: (B, N) bool, inside ``pairs.mask``.
        pairs: Scores of the batch.

    Returns:
        (B,), without gradient.

    Source: Weston et al. 2011, WSABIE, section 4.2, and Hsieh et al. 2017, section 3.3 (rank = J M / U), with
    the Horvitz-Thompson estimator for candidates drawn with unequal probabilities.

    Example:
        >>> import math
        >>> used = torch.tensor([[True, True, True, True]])
        >>> pairs = Pairs(torch.zeros(1), torch.zeros(1, 4), used, torch.full((4,), -math.log(100)))
        >>> estimated_rank(torch.tensor([[True, False, True, False]]), pairs).round()  # 100 * 2 / 4
        tensor([50.])
    """
    kind = pairs.neg.dtype
    if pairs.log_q is None:
        return violators.sum(1).to(kind)
    weights = torch.exp(-pairs.log_q.to(kind))  # (N,)
    return (violators * weights).sum(1) / pairs.mask.sum(1).clamp(min=1)
