"""One step of training: a batch in, its rows changed."""

from __future__ import annotations

import torch

from recsys.learning.reducers import Reduced
from recsys.learning.regularizers import Points
from recsys.learning.towers.tower import Gather
from recsys.learning.training.batch import Batch, Parts
from recsys.learning.training.normalize import unit
from recsys.learning.training.objective import Objective
from recsys.learning.training.pair_inputs import Asked, easiest, learned
from recsys.learning.training.projection import move
from recsys.learning.training.tables import Tables


def step(batch: Batch, tables: Tables, parts: Parts) -> Reduced | None:
    """Compute the loss of one batch and change the rows it was made from.

    The gathered rows are the leaves of the graph: no gradient has the size of a table.

    Returns:
        Where it is to be shown, the loss as total and count, on the device, of all rows or of enough of them;
        reading it is the caller's wait.
    """
    sizes = [len(batch.items), len(batch.candidates.codes)]
    users = parts.tower.forward(batch.users, tables.gather, batch.items)  # (B, D)
    items = parts.items(torch.cat([batch.items, batch.candidates.codes]), tables.gather)  # (B + N, D)
    rows = Points(users, *torch.split(items, sizes))
    users, items = move(parts.distance, tables.gather, users, items)
    if parts.distance.bounded:
        # A cosine is the inner product of unit vectors: rows are scaled once, not once for each pair.
        users, items = unit(users), unit(items)
    points = Points(users, *torch.split(items, sizes))
    asked = ask(batch, points, tables.gather, parts)
    leaves = (points.users, points.positives, points.candidates, *asked.learned.values())
    total, count = Objective.apply(batch, parts, asked, *leaves)  # type: ignore[no-untyped-call]
    objective = [total] if parts.regularize is None else [total, parts.regularize(rows)]
    torch.autograd.backward(objective)
    tables.update()
    return None if count is None else Reduced(total.detach(), count)


@torch.no_grad()
def ask(batch: Batch, points: Points, rows: Gather, parts: Parts) -> Asked:
    """What the loss and the miner need to know of all rows; ``rows`` reads what the loss learns."""
    users, nearest = batch.users.codes, None
    if "easiest" in parts.miner.needs:
        nearest = easiest(users, parts.distance.similarity(points.users, points.positives))
    hard = None if batch.hardness is None else batch.hardness.index_select(0, batch.items)
    return Asked(nearest, hard, learned(parts.loss, users, batch.items, rows))
