"""One hop over the graph of interactions, after training: points move towards what they were chosen with."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from recsys.learning.training.log import Log


def propagate(users: Tensor, items: Tensor, log: Log, weight: float) -> tuple[Tensor, Tensor]:
    """Add to each point a share of its neighbours: users (U, D) and items (I, D) to the same.

    ``u + weight * sum over the user's items of i / sqrt(n_u n_i)``, likewise for items, both from the points
    before; n is a number of interactions.

    Source: He et al. 2020, LightGCN, equation 3, with one layer and no training through it.
    """
    lengths = log.starts.diff().clamp(min=1).to(users.dtype)  # (U,)
    counts = log.popularity.clamp(min=1).to(users.dtype)  # (I,)
    shares = (lengths[log.users] * counts[log.items]).rsqrt()  # (R,)
    order = torch.argsort(log.items, stable=True)
    starts = log.popularity.cumsum(0) - log.popularity  # (I,)
    near_users = _sums(items, log.items, log.starts[:-1], shares)
    near_items = _sums(users, log.users[order], starts, shares[order])
    return users + weight * near_users, items + weight * near_items


def _sums(points: Tensor, codes: Tensor, starts: Tensor, shares: Tensor) -> Tensor:
    """Weighted sums of slices of rows: codes (R,), the start of each slice (n,), shares (R,) -> (n, D)."""
    return embedding_bag(codes, points, starts, mode="sum", per_sample_weights=shares)
