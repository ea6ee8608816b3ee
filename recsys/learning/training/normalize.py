"""Rows scaled to length 1, with a gradient in three passes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from recsys.learning.distances.norms import TINY


class Unit(torch.autograd.Function):
    """``u = x / |x|``; its gradient, ``(g - (g . u) u) / |x|``, is the part of ``g`` orthogonal to ``u``.

    The same as ``distances.norms.unit``, for which autograd takes ten passes.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Unit rows."""
        length = torch.linalg.vector_norm(x, dim=1, keepdim=True).clamp_(min=TINY**0.5)
        scaled: Tensor = x / length
        ctx.save_for_backward(scaled, length)
        return scaled

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """Gradient by the unscaled rows."""
        unit, length = ctx.saved_tensors
        along = torch.linalg.vecdot(gradient, unit)[:, None]
        slope: Tensor = torch.addcmul(gradient, unit, along, value=-1).div_(length)
        return slope


def unit(x: Tensor) -> Tensor:
    """Rows (n, D) scaled to length 1; a zero stays zero.

    Example:
        >>> unit(torch.tensor([[0.0, 4.0]])).tolist()
        [[0.0, 1.0]]
    """
    scaled: Tensor = Unit.apply(x)  # type: ignore[no-untyped-call]
    return scaled
