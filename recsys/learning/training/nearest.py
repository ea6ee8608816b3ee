"""The items nearest to each user by the present vectors, ranked exactly."""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from recsys.learning.training.batch import Parts
from recsys.learning.training.interactions import InteractionTensors
from recsys.learning.training.projection import place
from recsys.learning.training.tables import Tables

# Histories of so many users are read at once.
BLOCK_USERS: Final = 4096


@torch.no_grad()
def nearest(
    log: InteractionTensors, tables: Tables, parts: Parts, skip: int, count: int, block_scores: int = 1 << 24
) -> Tensor:
    """For each user the ``count`` items after the ``skip`` nearest, best first: (U, count) int32.

    Every user is compared with every item, in the distance of the model; nothing leaves the device. The items
    that a user chose come last, in no particular order.

    Args:
        log: The interactions.
        tables: The vectors.
        parts: The tower and the distance.
        skip: Not negative.
        count: At least 1; with ``skip`` at most the number of items.
        block_scores: Scores computed at once, at most (but for at least one user); 64 MB in float32.
    """
    everything = torch.arange(log.catalogue, device=log.users.device)
    (items,) = place(parts.distance, tables.read, parts.items(everything, tables.read))  # (I, D)
    size = min(BLOCK_USERS, max(1, block_scores // log.catalogue))
    blocks = torch.split(torch.arange(len(log.starts) - 1, device=log.users.device), size)
    bounds = [*log.starts[:-1:size].tolist(), len(log)]  # the host waits once, not once per block
    found = []
    for users, first, end in zip(blocks, bounds, bounds[1:], strict=False):
        vectors = parts.tower.forward(log.take(users, end - first), tables.read)
        (points,) = place(parts.distance, tables.read, vectors)  # (b, D)
        scores = parts.distance.matrix(points, items)  # (b, I)
        scores[log.users[first:end] - users[0], log.items[first:end]] = float("-inf")
        found.append(scores.topk(skip + count, dim=1).indices[:, skip:].int())
    return torch.cat(found)
