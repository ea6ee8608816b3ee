"""One step of training: the whole of metric learning in thirty lines."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from recsys.learning.distances.distance import Distance
from recsys.learning.losses.loss import Loss
from recsys.learning.miners.miner import Miner, Moment
from recsys.learning.pairs import Pairs
from recsys.learning.reducers import Reduced, Reducer
from recsys.learning.regularizers import Points
from recsys.learning.samplers.sampler import Candidates
from recsys.learning.towers.tower import Tower, Users
from recsys.learning.training.tables import Tables, gradient

BLOCK = 512


@dataclass(frozen=True, slots=True)
class Batch:
    """B observed interactions and the candidates they are compared with.

    Args:
        users: The users (B,) and their histories.
        items: (B,) the item each of them chose.
        candidates: N items and their log probability.
        unknown: (B, N) bool, False where the user chose the candidate.
        moment: Where the training is.
    """

    users: Users
    items: Tensor
    candidates: Candidates
    unknown: Tensor
    moment: Moment


@dataclass(frozen=True, slots=True)
class Parts:
    """What the objective is made of."""

    tower: Tower
    distance: Distance
    miner: Miner
    loss: Loss
    reduce: Reducer
    regularize: Callable[[Points], Tensor] | None = None
    bfloat16: bool = False


def step(batch: Batch, tables: Tables, parts: Parts) -> Reduced:
    """Compute the loss of one batch and change the rows it was made from.

    The scores (B, N) are gone through in blocks of rows that fit the cache. The loss is a total over a count
    that is known only at the end, so gradients of the total are gathered and divided once.

    Returns:
        The loss as total and count, on the device; reading it is the caller's wait.
    """
    users = parts.tower.forward(batch.users, tables.gather, batch.items)  # (B, D)
    positives = tables.gather("items", batch.items)  # (B, D)
    candidates = tables.gather("items", batch.candidates.codes)  # (N, D)
    ends = [users, positives, candidates]
    leaves = [end.detach().requires_grad_() for end in ends]
    blocks = [
        objective(batch, Points(leaves[0][rows], leaves[1][rows], leaves[2]), rows, parts)
        for rows in _blocks(len(users))
    ]
    reduced = blocks[0]
    for block in blocks[1:]:
        reduced = reduced + block
    count = reduced.count.clamp(min=1.0)
    torch.autograd.backward(ends, [gradient(leaf) / count for leaf in leaves])
    if parts.regularize is not None:
        torch.autograd.backward(parts.regularize(Points(users, positives, candidates)))
    tables.update()
    return reduced


def objective(batch: Batch, points: Points, rows: slice, parts: Parts) -> Reduced:
    """The loss of some rows of a batch; its gradient is added to the leaves that the points were cut from."""
    with _scores(points.users.device, bfloat16=parts.bfloat16):
        pos = parts.distance.similarity(points.users, points.positives)  # (b,)
        neg = parts.distance.matrix(points.users, points.candidates)  # (b, N)
        pairs = Pairs(pos.to(neg.dtype), neg, batch.unknown[rows], batch.candidates.log_q)
    mined = replace(pairs, mask=parts.miner(pairs, batch.moment))
    reduced = parts.reduce(parts.loss(mined))
    torch.autograd.backward(reduced.total)
    return Reduced(reduced.total.detach(), reduced.count)


def _blocks(rows: int) -> list[slice]:
    return [slice(start, min(start + BLOCK, rows)) for start in range(0, rows, BLOCK)]


def _scores(device: torch.device, *, bfloat16: bool) -> AbstractContextManager[object]:
    return torch.autocast(device.type, dtype=torch.bfloat16) if bfloat16 else nullcontext()
