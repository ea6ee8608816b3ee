"""Sums over the used negatives of a row."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import softplus


def mean_of_used(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the used entries of each row, 0 where there are none: (B, N), (B, N) -> (B,)."""
    count = mask.sum(1).clamp(min=1)
    return values.masked_fill(~mask, 0.0).sum(1) / count


def log_sum_exp_of_used(values: Tensor, mask: Tensor) -> Tensor:
    """``log(sum(exp(values)))`` over the used entries of each row: (B, N), (B, N) -> (B,).

    A row without any gives the logarithm of a number too small to matter, with gradient zero, not -inf,
    whose gradient would not be a number.
    """
    return values.masked_fill(~mask, -1e30).logsumexp(1)


def log_mean_exp_of_used(values: Tensor, mask: Tensor) -> Tensor:
    """``log(mean(exp(values)))`` over the used entries of each row: (B, N), (B, N) -> (B,)."""
    count = mask.sum(1).clamp(min=1).to(values.dtype)
    return log_sum_exp_of_used(values, mask) - torch.log(count)


def highest_of_used(values: Tensor, mask: Tensor) -> Tensor:
    """The largest used entry of each row, 0 where there are none: (B, N), (B, N) -> (B,)."""
    highest = values.masked_fill(~mask, float("-inf")).amax(1)
    return highest.masked_fill(~mask.any(1), 0.0)


def cross_entropy(pos: Tensor, neg: Tensor, mask: Tensor) -> Tensor:
    """``-log(e^pos / (e^pos + sum over the used negatives of e^neg))``: (B,), (B, N), (B, N) -> (B,)."""
    return softplus(log_sum_exp_of_used(neg, mask) - pos)
