"""Slopes in closed form are what autograd finds."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from recsys import plugins
from recsys.learning.losses.loss import Sloped
from recsys.learning.pairs import Pairs, Scores

CASES: list[tuple[str, dict[str, Any]]] = [
    ("bpr", {}),
    ("bpr", {"temperature": 2.0}),
    ("triplet", {"margin": 0.3}),
    ("triplet", {"margin": 0.3, "soft": True}),
    ("contrastive", {"positive": 0.5, "negative": 0.1, "weight": 3.0}),
    ("contrastive", {"positive": 0.5, "negative": 0.1, "squared": True}),
    ("infonce", {"temperature": 0.2}),
    ("infonce", {"temperature": 0.2, "correct": False}),
    ("bsl", {"temperature": 0.2, "power": 1.3}),
    ("ccl", {"margin": 0.4, "weight": 20.0}),
    ("n_pair", {}),
    ("nca", {"scale": 3.0}),
    ("cosface", {"margin": 0.2, "scale": 4.0}),
    ("sl_at_k", {"k": 2, "weight_temperature": 0.5}),
    ("sl_at_k", {"k": 6}),
    ("sl_at_k", {"k": 7}),
]


def scores(
    pos: torch.Tensor, neg: torch.Tensor, mask: torch.Tensor, log_q: torch.Tensor | None, ceiling: float
) -> Scores:
    """Scores made from a finished matrix."""

    def negatives(
        scale: float = 1.0, rows: torch.Tensor | None = None, columns: torch.Tensor | None = None
    ) -> torch.Tensor:
        shift = (0 if rows is None else rows[:, None]) + (0 if columns is None else columns)
        return (scale * neg + shift).masked_fill(~mask, float("-inf"))

    return Scores(pos, negatives, lambda: mask.sum(1), mask.sum, log_q, ceiling)


def test_every_loss_with_slopes_is_tried() -> None:
    sloped = {name for name in plugins.names("losses") if isinstance(plugins.make("losses", name), Sloped)}
    assert sloped == {name for name, _ in CASES}


@pytest.mark.parametrize(("name", "options"), CASES)
@pytest.mark.parametrize(("scale", "ceiling"), [(1.0, math.inf), (1.0, 1.0), (1e4, math.inf), (1e4, 1e4)])
def test_slopes_are_the_derivatives_of_the_terms(
    name: str, options: dict[str, Any], scale: float, ceiling: float
) -> None:
    """With masked candidates, a row without any, and scores so large that exponentials overflow."""
    rng = torch.Generator().manual_seed(0)
    pos = (torch.rand(6, generator=rng, dtype=torch.float64) * scale).requires_grad_()
    neg = (torch.rand(6, 5, generator=rng, dtype=torch.float64) * scale).requires_grad_()
    mask = torch.rand(6, 5, generator=rng) < 0.7
    mask[2] = False
    log_q = torch.rand(5, generator=rng, dtype=torch.float64).log()
    loss = plugins.make("losses", name, options)
    terms = loss(Pairs(pos, neg, mask, log_q))
    by_pos, by_neg = torch.autograd.grad(terms.values.masked_fill(~terms.mask, 0).sum(), (pos, neg))

    slopes = loss.slopes(scores(pos.detach(), neg.detach(), mask, log_q, ceiling))

    torch.testing.assert_close(slopes.pos, by_pos)
    weight = torch.ones(6) if slopes.weight is None else slopes.weight
    torch.testing.assert_close(slopes.neg * weight[:, None], by_neg)
    assert slopes.count == terms.mask.sum()


def test_swapped_triplets_have_none() -> None:
    loss = plugins.make("losses", "triplet", {"swap": True})
    nothing = scores(torch.zeros(1), torch.zeros(1, 1), torch.ones(1, 1).bool(), None, math.inf)
    assert loss.slopes(nothing) is None
