"""Multiples of the angle behind a cosine."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def psi(cosine: Tensor, margin: int) -> Tensor:
    """``(-1)^k cos(m t) - 2 k`` of ``cos t``, for t in [k pi / m, (k + 1) pi / m]: cos(m t), kept falling.

    ``cos(m t)`` is the Chebyshev polynomial of the cosine, so the gradient is finite everywhere; the arc
    cosine only finds k.

    Args:
        cosine: In [-1, 1]; values slightly outside by rounding are clamped.
        margin: m, at least 1.

    Returns:
        Of the shape of ``cosine``; from 1 down to 1 - 2 m.

    Source: Liu et al. 2016, Large-Margin Softmax Loss for Convolutional Neural Networks, equation 6.

    Example:
        >>> psi(torch.tensor([1.0, 0.0, -1.0]), 2)  # cos 0; -cos 180 - 2; -cos 360 - 2
        tensor([ 1., -1., -3.])
    """
    angle = torch.acos(cosine.detach().clamp(-1.0, 1.0))
    k = (angle * margin / math.pi).floor().clamp(max=margin - 1)
    return (1 - 2 * (k % 2)) * _cosine_of_multiple(cosine, margin) - 2 * k


def _cosine_of_multiple(cosine: Tensor, margin: int) -> Tensor:
    """``cos(m t)`` by ``cos((n + 1) t) = 2 cos t cos(n t) - cos((n - 1) t)``."""
    before, now = torch.ones_like(cosine), cosine
    for _ in range(margin - 1):
        before, now = now, 2 * cosine * now - before
    return now
