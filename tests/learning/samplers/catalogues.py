"""Catalogues for samplers: counts, scores, and the ranking by these scores."""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.learning.samplers.sampler import Population


def catalogue(counts: Tensor, scores: Tensor | None = None) -> Population:
    """Items (I,) by their counts, with the scores (U, I) of all users, 0 unless given; none has chosen.

    User u dislikes item u alone, where there is one of that code; else the last.
    """
    known = torch.zeros(9, len(counts)) if scores is None else scores
    return Population(
        counts,
        lambda users, items: known[users][:, items],
        lambda skip, count: known.argsort(1, descending=True)[:, skip : skip + count].int(),
        lambda users, rng: users.clamp(max=len(counts) - 1),
    )
