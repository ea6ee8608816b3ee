"""Sums over the used negatives of a row, and the derivatives of the softmax."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus

from recsys.learning.pairs import Scores, Slopes

# The exponential of this, and of its negative, is neither zero nor infinite in float32 and bfloat16.
RANGE = 80.0


def mean_of_used(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the used entries of each row, 0 if there are none: (B, N), (B, N) -> (B,)."""
    count = mask.sum(1).clamp(min=1)
    return values.masked_fill(~mask, 0.0).sum(1) / count


def log_sum_exp_of_used(values: Tensor, mask: Tensor) -> Tensor:
    """``log(sum(exp(values)))`` over the used entries of each row: (B, N), (B, N) -> (B,).

    A row without any gives the logarithm of a negligible number, with gradient zero, not -inf, whose gradient
    would be NaN.
    """
    return values.masked_fill(~mask, -1e30).logsumexp(1)


def log_mean_exp_of_used(values: Tensor, mask: Tensor) -> Tensor:
    """``log(mean(exp(values)))`` over the used entries of each row: (B, N), (B, N) -> (B,)."""
    count = mask.sum(1).clamp(min=1).to(values.dtype)
    return log_sum_exp_of_used(values, mask) - torch.log(count)


def highest_of_used(values: Tensor, mask: Tensor) -> Tensor:
    """The largest used entry of each row, 0 if there are none: (B, N), (B, N) -> (B,)."""
    highest = values.masked_fill(~mask, float("-inf")).amax(1)
    return highest.masked_fill(~mask.any(1), 0.0)


def cross_entropy(pos: Tensor, neg: Tensor, mask: Tensor) -> Tensor:
    """``-log(e^pos / (e^pos + sum over the used negatives of e^neg))``: (B,), (B, N), (B, N) -> (B,)."""
    return softplus(log_sum_exp_of_used(neg, mask) - pos)


def odds_of_used(scores: Scores, scale: float, columns: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """``e^(scale neg + columns - top)`` (B, N), 0 where not used, and top (B,), so that none overflows.

    The top is that of the upper bound of the scores if no exponential then underflows, else that of the
    largest score of the row, which takes two passes.
    """
    if 2 * scale * scores.ceiling < RANGE:
        top = torch.full_like(scores.pos, scale * scores.ceiling)
        return scores.negatives(scale, -top, columns).exp_(), top
    logits = scores.negatives(scale, -scale * scores.pos, columns)
    highest = logits.amax(1).clamp_(min=torch.finfo(logits.dtype).min)  # finite where none is used
    return logits.sub_(highest[:, None]).exp_(), highest.to(scores.pos.dtype) + scale * scores.pos


def softmax_slopes(
    scores: Scores, scale: float, margin: float = 0.0, columns: Tensor | None = None
) -> Slopes:
    """Those of ``cross_entropy(scale * (pos - margin), scale * neg + columns)``: its probabilities."""
    odds, top = odds_of_used(scores, scale, columns)
    some = (scores.used() > 0).to(scores.pos.dtype)
    target = scale * (scores.pos - margin) - top  # (B,)
    shift = target.clamp(min=0)
    against = odds.sum(1).to(target.dtype) * torch.exp(-shift)
    weight = some * scale / (torch.exp(target - shift) + against)
    return Slopes(-against * weight, odds, weight * torch.exp(-shift), some.sum())
