"""Signs that a run has gone wrong, each with what to try."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from recsys.errors import RecsysError

SAMPLE = 2048
COLLAPSED = 1e-3


def check_loss(loss: float, epoch: int) -> None:
    """Stop where the loss is not finite.

    Raises:
        RecsysError: With what to try.
    """
    if not math.isfinite(loss):
        raise RecsysError(f"the loss of epoch {epoch} is {loss}: the steps are too long; lower rate")


def check_spread(vectors: Tensor, kind: str, epoch: int) -> None:
    """Stop where all vectors (n, D) point the same way, so that everyone would get the same list.

    Raises:
        RecsysError: With what to try.
    """
    if len(vectors) > 1 and not spread(vectors) > COLLAPSED:
        raise RecsysError(
            f"the {kind} vectors collapsed to one direction in epoch {epoch}, so everyone would get the same "
            "list; lower rate, enlarge the loss's margin, or give more candidates"
        )


def spread(vectors: Tensor) -> float:
    """How far vectors (n, D) point different ways, from 0 to 1: one minus the mean cosine of two.

    Example:
        >>> spread(torch.tensor([[1.0, 0.0], [-2.0, 0.0]])), spread(torch.ones(4, 2)) < 1e-6
        (1.0, True)
    """
    unit = torch.nn.functional.normalize(vectors.double(), dim=1)
    return 1 - float(unit.mean(0).square().sum())


def effective_rank(vectors: Tensor) -> float:
    """The number of directions that vectors (n, D) really use, from 1 to D; of the unit vectors, not centred.

    ``exp(-sum p log p)`` of ``p``, the eigenvalues of the unit vectors' second moment divided by their sum.

    Source: Roy and Vetterli 2007, The effective rank, definition 1, on eigenvalues of the moment matrix.

    Example:
        >>> round(effective_rank(torch.eye(3)), 3), round(effective_rank(torch.ones(5, 3)), 3)
        (3.0, 1.0)
    """
    some = vectors[:: max(1, len(vectors) // SAMPLE)].double()
    unit = torch.nn.functional.normalize(some, dim=1)
    values = torch.linalg.eigvalsh(unit.T @ unit).clamp(min=0)
    share = values / values.sum().clamp(min=1e-12)
    return float(torch.exp(-torch.special.xlogy(share, share).sum()))
