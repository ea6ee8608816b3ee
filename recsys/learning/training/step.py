"""One step of training: a batch in, its rows changed."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import torch
from torch import Tensor

from recsys.learning.distances.cosine import Cosine
from recsys.learning.distances.dot import Dot
from recsys.learning.distances.norms import length
from recsys.learning.losses.loss import Sloped
from recsys.learning.miners.miner import Narrowing
from recsys.learning.pairs import Pairs, Scores, Slopes
from recsys.learning.reducers import Reduced, mean
from recsys.learning.regularizers import Points
from recsys.learning.towers.tower import Gather
from recsys.learning.training.batch import Batch, Parts, Product
from recsys.learning.training.normalize import unit
from recsys.learning.training.pair_inputs import Asked, easiest, learned
from recsys.learning.training.projection import move
from recsys.learning.training.tables import Tables, gradient

BLOCK = 512
SHOWN = 64


def step(batch: Batch, tables: Tables, parts: Parts) -> Reduced | None:
    """Compute the loss of one batch and change the rows it was made from.

    The gathered rows are the leaves of the graph. The loss is differentiated with respect to the scores, in
    closed form where it has one, and two products bring the slopes back to the points.

    Returns:
        Where it is to be shown, the loss as total and count, on the device, of all rows or of enough of them;
        reading it is the caller's wait.
    """
    users = parts.tower.forward(batch.users, tables.gather, batch.items)  # (B, D)
    items = tables.gather("items", torch.cat([batch.items, batch.candidates.codes]))  # (B + N, D)
    rows = Points(users, *_split(items, batch))
    users, items = move(parts.distance, tables.gather, users, items)
    if parts.distance.bounded:
        # A cosine is the inner product of unit vectors: rows are scaled once, not once for each pair.
        users, items = unit(users), unit(items)
    leaves = Points(*(each.detach().requires_grad_() for each in (users, *_split(items, batch))))
    closed = _closed(batch, leaves, parts)
    reduced = _sample(batch, leaves, parts) if closed and batch.shown else None
    if not closed:
        reduced = _blocks(batch, leaves, ask(batch, leaves, tables.gather, parts), parts)
    of_items = torch.cat([gradient(leaves.positives), gradient(leaves.candidates)])
    again = parts.regularize is not None  # a tower's graph is gone through twice then
    torch.autograd.backward([users, items], [gradient(leaves.users), of_items], retain_graph=again)
    if parts.regularize is not None:
        torch.autograd.backward(parts.regularize(rows))
    tables.update()
    return reduced


@torch.no_grad()
def ask(batch: Batch, points: Points, rows: Gather, parts: Parts) -> Asked:
    """What the loss and the miner need to know of all rows; ``rows`` reads what the loss learns."""
    users, nearest = batch.users.codes, None
    if "easiest" in parts.miner.needs:
        nearest = easiest(users, parts.distance.similarity(points.users, points.positives))
    hard = None if batch.hardness is None else batch.hardness.index_select(0, batch.items)
    return Asked(nearest, hard, learned(parts.loss, users, batch.items, rows))


def objective(
    batch: Batch, points: Points, asked: Asked, rows: slice, parts: Parts, *, balance: bool
) -> tuple[Reduced, Reduced]:
    """The loss of some rows of a batch, as it is and balanced.

    Points are those rows' and all candidates; what is asked is of all rows.
    """
    distance = Dot() if isinstance(parts.distance, Cosine) else parts.distance
    needs = {*parts.loss.needs, *parts.miner.needs}
    with _scores(points.users.device, bfloat16=parts.bfloat16):
        pos = distance.similarity(points.users, points.positives)  # (b,)
        neg = distance.matrix(points.users, points.candidates)  # (b, N)
        cross = distance.matrix(points.positives, points.candidates) if "cross" in needs else None
        lengths = length(points.users) * length(points.positives) if "lengths" in needs else None
    mask, log_q = ~batch.known.mask(rows), batch.candidates.log_q
    pairs = Pairs(pos.to(neg.dtype), neg, mask, log_q, cross, lengths, *asked.of(rows))
    terms = parts.loss(replace(pairs, mask=parts.miner(pairs, batch.moment)))
    plain = parts.reduce(terms)
    if not (balance and terms.values.ndim == 2):
        return plain, plain
    used = terms.values.masked_fill(~terms.mask, 0.0).sum()
    force = torch.autograd.grad(used, pairs.pos, retain_graph=True)[0].abs()  # (b,)
    total = parts.reduce(replace(terms, values=terms.values / (1 + force)[:, None])).total
    return plain, Reduced(total, total.new_tensor(float(len(force))))


def _blocks(batch: Batch, leaves: Points, asked: Asked, parts: Parts) -> Reduced:
    """Gradients at the leaves by autograd, in blocks of rows that bound the memory.

    The loss is a total over a count that is known only at the end, so gradients of the total are gathered
    and divided once.
    """
    blocks = []
    for start in range(0, len(leaves.users), BLOCK):
        rows = slice(start, min(start + BLOCK, len(leaves.users)))
        points = replace(leaves, users=leaves.users[rows], positives=leaves.positives[rows])
        plain, balanced = objective(batch, points, asked, rows, parts, balance=parts.balance)
        torch.autograd.backward(balanced.total)
        blocks.append((Reduced(plain.total.detach(), plain.count), balanced.count))
    count = torch.stack([each for _, each in blocks]).sum().clamp(min=1.0)
    for leaf in (*_each(leaves), *asked.learned.values()):
        leaf.grad = gradient(leaf) / count
    reduced = blocks[0][0]
    for block, _ in blocks[1:]:
        reduced = reduced + block
    return reduced


def _sample(batch: Batch, leaves: Points, parts: Parts) -> Reduced:
    """The loss of the first rows; the order of the rows is random."""
    with torch.no_grad():
        users, positives, candidates = _each(leaves)
        rows = slice(0, min(SHOWN, len(users)))
        points = Points(users[rows], positives[rows], candidates)
        return objective(batch, points, Asked(), rows, parts, balance=False)[0]  # slopes ask for nothing


def _closed(batch: Batch, leaves: Points, parts: Parts) -> bool:
    """Gradients at the leaves by the loss's own slopes: three products, two or three passes over scores.

    Returns:
        False where a part has no closed form, and nothing was done.
    """
    loss, miner = parts.loss, parts.miner
    if not (isinstance(loss, Sloped) and isinstance(miner, Narrowing) and parts.reduce is mean):
        return False
    if not isinstance(parts.distance, Dot | Cosine):
        return False
    users, positives, candidates = (leaf.detach() for leaf in _each(leaves))
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
        return False
    weight = slopes.weight
    if weight is None:
        weight = 1 / (1 + slopes.pos.abs()) if parts.balance else torch.ones_like(slopes.pos)
        count = slopes.count.new_tensor(len(weight)) if parts.balance else slopes.count
        slopes = replace(slopes, pos=slopes.pos * weight, count=count)
    _spread(slopes, weight, leaves, candidates.to(kind))
    return True


def _spread(slopes: Slopes, weight: Tensor, leaves: Points, short: Tensor) -> None:
    """Bring slopes at the scores back to the points."""
    users, positives, _ = (leaf.detach() for leaf in _each(leaves))
    scale = 1 / slopes.count.clamp(min=1).to(users.dtype)
    pos, weight = slopes.pos[:, None] * scale, weight[:, None] * scale  # (B, 1)
    leaves.users.grad = (slopes.neg @ short).to(users.dtype) * weight + pos * positives
    leaves.positives.grad = pos * users
    leaves.candidates.grad = (slopes.neg.T @ (users * weight).to(short.dtype)).to(users.dtype)


def _split(items: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Items gathered in one go (B + N, D) -> positives (B, D), candidates (N, D)."""
    rows = len(batch.items)
    return items[:rows], items[rows:]


def _each(points: Points) -> tuple[Tensor, Tensor, Tensor]:
    return points.users, points.positives, points.candidates


def _scores(device: torch.device, *, bfloat16: bool) -> AbstractContextManager[object]:
    return torch.autocast(device.type, dtype=torch.bfloat16) if bfloat16 else nullcontext()
