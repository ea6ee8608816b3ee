"""One step of training on one batch."""

from __future__ import annotations

import torch

from recsys.learning.reducers import Reduced
from recsys.learning.regularizers import Points
from recsys.learning.towers.tower import Gather
from recsys.learning.training.batch import Batch, Parts
from recsys.learning.training.normalize import unit
from recsys.learning.training.objective import Objective
from recsys.learning.training.pair_inputs import PairInputs, easiest, learned
from recsys.learning.training.projection import move
from recsys.learning.training.tables import Tables


def step(batch: Batch, tables: Tables, parts: Parts) -> Reduced | None:
    """Compute the loss of one batch and update the rows it depends on.

    The gathered rows are the leaves of the graph: no gradient has the size of a table.

    Returns:
        The loss as total and count, of all rows or of a sample of them, on the device, which the caller waits
        for when reading it; None if the batch is not to report it.
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
    inputs = pair_inputs(batch, points, tables.gather, parts)
    leaves = (points.users, points.positives, points.candidates, *inputs.learned.values())
    total, count = Objective.apply(batch, parts, inputs, *leaves)  # type: ignore[no-untyped-call]
    objective = [total] if parts.regularize is None else [total, parts.regularize(rows)]
    torch.autograd.backward(objective)
    tables.update()
    return None if count is None else Reduced(total.detach(), count)


@torch.no_grad()
def pair_inputs(batch: Batch, points: Points, rows: Gather, parts: Parts) -> PairInputs:
    """Inputs of loss and miner besides scores, for all rows; ``rows`` gathers the loss's parameters."""
    users, nearest = batch.users.codes, None
    if "easiest" in parts.miner.needs:
        nearest = easiest(users, parts.distance.similarity(points.users, points.positives))
    hard = None if batch.hardness is None else batch.hardness.index_select(0, batch.items)
    return PairInputs(nearest, hard, learned(parts.loss, users, batch.items, rows))
