"""The pool of negatives that a miner looks at: a few per row, drawn at random, instead of all.

The hardest of a whole catalogue are no longer hard but wrong: on ml-100k, from a spectral start, 21 % of the
rows find theirs in the validation set, which holds .5 % of the pairs; of a pool of 8, 5 % do. And they are
few (171 items; 580 with a pool): few vectors are pushed while all are pulled, and as the optimiser gives each
row a step of similar size whatever the force, all are pulled together (after three epochs the items have an
effective rank of 2, with a pool of 46). The sources of such miners look at the tens of negatives of one
batch.

Source: Zhang et al. 2013, Optimizing Top-N Collaborative Filtering via Dynamic Negative Item Sampling,
section 4 (a pool drawn uniformly); Shi et al. 2023, On the Theories Behind Hard Negative Sampling for
Recommendation (the share of the pool that is kept decides how much of the top of a list is looked at).
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def pooled(mask: Tensor, size: int | None, rng: Generator) -> tuple[Tensor, Tensor]:
    """``size`` used negatives per row, uniformly without replacement; all if there are fewer or size is None.

    Args:
        mask: (B, N) the used negatives.
        size: At least 1, or None.
        rng: Random generator, on the device of the mask.

    Returns:
        Columns (B, P), and which of these (B, P) hold a used negative; P is size, or N.

    Example:
        >>> columns, used = pooled(torch.tensor([[True, False, True]]), 2, torch.Generator())
        >>> columns.sort().values, used
        (tensor([[0, 2]]), tensor([[True, True]]))
    """
    rows, width = mask.shape
    if size is None or size >= width:
        return torch.arange(width, device=mask.device).expand(rows, width), mask
    keys = torch.rand(mask.shape, generator=rng, device=mask.device).masked_fill_(~mask, 2.0)  # (B, N)
    columns = keys.topk(size, dim=1, largest=False, sorted=False).indices  # (B, P)
    return columns, mask.gather(1, columns)


def check_pool(pool: int | None) -> None:
    """Check the size of a pool.

    Raises:
        ValueError: If the pool is below 1.
    """
    if pool is not None and pool < 1:
        raise ValueError(f"pool is {pool}; it must be at least 1, or none for all negatives")
