"""The objective of a batch as one node of the graph, with or without derivatives in closed form."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recsys.learning.distances.cosine import Cosine
from recsys.learning.distances.dot import Dot
from recsys.learning.distances.norms import length
from recsys.learning.losses.loss import Sloped
from recsys.learning.miners.miner import Narrowing
from recsys.learning.pairs import Pairs, Scores, Slopes
from recsys.learning.reducers import Reduced, mean
from recsys.learning.regularizers import Points
from recsys.learning.training.batch import Batch, Parts, Product
from recsys.learning.training.pair_inputs import PairInputs
from recsys.learning.training.tables import gradient

# Rows whose loss is computed if it is only reported.
SHOWN = 64


class Objective(torch.autograd.Function):
    """Points and parameters of the loss -> its total and count, which are reported; ``backward`` derives it.

    Derivatives are computed in ``forward``, while the scores are in memory: by slopes in closed form if all
    parts have them, else by autograd over blocks of rows, which bounds the memory. They are those of the
    reduced loss, balanced if ``Parts`` says so.
    """

    @staticmethod
    def forward(ctx: Any, batch: Batch, parts: Parts, inputs: PairInputs, *leaves: Tensor) -> Any:
        """Total () and count (); count is None, and total 0, if the loss is not reported.

        Args:
            ctx: Keeps the derivatives.
            batch: The interactions and their candidates.
            parts: What the objective is made of.
            inputs: Other inputs of the pairs.
            leaves: Users (B, D), positives (B, D), candidates (N, D); then the parameters of the loss, in the
                order of ``inputs.learned``.
        """
        points = Points(*(each.detach() for each in leaves[:3]))
        found = closed(batch, points, parts)
        if found is None:
            shown, gradients = _by_autograd(batch, points, inputs, parts)
        else:
            shown, gradients = _sample(batch, points, parts) if batch.shown else None, found
        ctx.save_for_backward(*gradients)
        if shown is None:
            return leaves[0].new_zeros(()), None
        ctx.mark_non_differentiable(shown.count)
        return shown.total, shown.count

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, by_total: Tensor, by_count: Tensor | None) -> Any:
        """The derivatives computed in ``forward``; ``by_total`` is 1, as the objective is the root."""
        return None, None, None, *ctx.saved_tensors


def of_rows(
    batch: Batch, points: Points, inputs: PairInputs, rows: slice, parts: Parts, *, balance: bool
) -> tuple[Reduced, Reduced]:
    """The loss of some rows of a batch, as it is and balanced.

    ``points`` holds these rows and all candidates, ``inputs`` all rows.
    """
    distance = Dot() if isinstance(parts.distance, Cosine) else parts.distance
    needs = {*parts.loss.needs, *parts.miner.needs}
    with _scores(points.users.device, bfloat16=parts.bfloat16):
        pos = distance.similarity(points.users, points.positives)  # (b,)
        neg = distance.matrix(points.users, points.candidates)  # (b, N)
        cross = distance.matrix(points.positives, points.candidates) if "cross" in needs else None
        lengths = length(points.users) * length(points.positives) if "lengths" in needs else None
    mask, log_q = ~batch.known.mask(rows), batch.candidates.log_q
    pairs = Pairs(pos.to(neg.dtype), neg, mask, log_q, cross, lengths, *inputs.of(rows))
    terms = parts.loss(replace(pairs, mask=parts.miner(pairs, batch.moment)))
    plain = parts.reduce(terms)
    if not (balance and terms.values.ndim == 2):
        return plain, plain
    used = terms.values.masked_fill(~terms.mask, 0.0).sum()
    force = torch.autograd.grad(used, pairs.pos, retain_graph=True)[0].abs()  # (b,)
    total = parts.reduce(replace(terms, values=terms.values / (1 + force)[:, None])).total
    return plain, Reduced(total, total.new_tensor(float(len(force))))


def closed(batch: Batch, points: Points, parts: Parts) -> tuple[Tensor, Tensor, Tensor] | None:
    """Derivatives by the points from slopes in closed form: three products, two or three passes over scores.

    Returns:
        By users (B, D), positives (B, D) and candidates (N, D); None if a part has no closed form.
    """
    loss, miner = parts.loss, parts.miner
    if not (isinstance(loss, Sloped) and isinstance(miner, Narrowing) and parts.reduce is mean):
        return None
    if not isinstance(parts.distance, Dot | Cosine):
        return None
    users, positives, candidates = points.users, points.positives, points.candidates
    kind = torch.bfloat16 if parts.bfloat16 else users.dtype
    scores = Scores(
        pos=(users * positives).sum(1),
        negatives=Product(users, candidates, kind, batch, parts.scratch),
        used=batch.known.used,
        total=batch.known.total,
        log_q=batch.candidates.log_q,
        ceiling=1.0 if parts.distance.bounded else math.inf,
    )
    narrowed = miner.narrow(scores)
    slopes = None if narrowed is None else loss.slopes(narrowed)
    if slopes is None:
        return None
    weight = slopes.weight
    if weight is None:
        weight = 1 / (1 + slopes.pos.abs()) if parts.balance else torch.ones_like(slopes.pos)
        count = slopes.count.new_tensor(len(weight)) if parts.balance else slopes.count
        slopes = replace(slopes, pos=slopes.pos * weight, count=count)
    return _by_points(slopes, weight, points, candidates.to(kind))


def _by_points(
    slopes: Slopes, weight: Tensor, points: Points, short: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Derivatives by the points from those by the scores."""
    users = points.users
    scale = 1 / slopes.count.clamp(min=1).to(users.dtype)
    pos, weight = slopes.pos[:, None] * scale, weight[:, None] * scale  # (B, 1)
    by_users = (slopes.neg @ short).to(users.dtype) * weight + pos * points.positives
    by_candidates = (slopes.neg.T @ (users * weight).to(short.dtype)).to(users.dtype)
    return by_users, pos * users, by_candidates


@torch.enable_grad()
def _by_autograd(
    batch: Batch, points: Points, inputs: PairInputs, parts: Parts
) -> tuple[Reduced | None, tuple[Tensor, ...]]:
    """The loss, and its derivatives by points and parameters, in blocks of rows that bound the memory.

    The loss is a total over a count that is known only at the end, so gradients of the total are summed
    and divided once.
    """
    points = Points(*(each.requires_grad_() for each in (points.users, points.positives, points.candidates)))
    inputs = replace(
        inputs, learned={name: each.detach().requires_grad_() for name, each in inputs.learned.items()}
    )
    blocks = []
    for start in range(0, len(points.users), parts.block):
        rows = slice(start, min(start + parts.block, len(points.users)))
        some = replace(points, users=points.users[rows], positives=points.positives[rows])
        plain, balanced = of_rows(batch, some, inputs, rows, parts, balance=parts.balance)
        torch.autograd.backward(balanced.total)
        blocks.append((Reduced(plain.total.detach(), plain.count), balanced.count))
    count = torch.stack([each for _, each in blocks]).sum().clamp(min=1.0)
    reduced = blocks[0][0]
    for block, _ in blocks[1:]:
        reduced = reduced + block
    leaves = (points.users, points.positives, points.candidates, *inputs.learned.values())
    return reduced, tuple(gradient(leaf) / count for leaf in leaves)


def _sample(batch: Batch, points: Points, parts: Parts) -> Reduced:
    """The loss of the first rows; the order of the rows is random."""
    rows = slice(0, min(SHOWN, len(points.users)))
    some = replace(points, users=points.users[rows], positives=points.positives[rows])
    return of_rows(batch, some, PairInputs(), rows, parts, balance=False)[0]  # slopes need no other inputs


def _scores(device: torch.device, *, bfloat16: bool) -> AbstractContextManager[object]:
    return torch.autocast(device.type, dtype=torch.bfloat16) if bfloat16 else nullcontext()
