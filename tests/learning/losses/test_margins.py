"""Margins by popularity, against the definition in loops."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.learning.losses.arcface import ArcFace
from recsys.learning.losses.cosface import CosFace
from recsys.learning.pairs import Pairs, Scores
from recsys.learning.training.loop import batches
from recsys.learning.training.pair_inputs import hardness
from recsys.models.two_tower import TwoTower
from tests import factories, oracles
from tests.learning.scenes import scene

KINDS: list[Any] = [CosFace, ArcFace]
COUNTS = torch.tensor([40, 1, 7, 12, 3, 9, 1])


def zhang(
    turn: Callable[[float, float], float], pairs: Pairs, counts: list[float], s: float, m: float
) -> float:
    """Zhang et al. 2022, the softmax over the turned cosine; the margin as by the score of their predictor.

    The predictor knows popularity alone: its probabilities are the shares, its logits their logarithms.
    """
    typical = math.log(sum(counts) / len(counts))
    losses = []
    for row, pos, negatives in oracles.used(pairs):
        if negatives:
            trust = 1 / (1 + math.exp(-(math.log(counts[row]) - typical)))
            own = math.exp(s * turn(pos, m * (1 - trust)))
            losses.append(-math.log(own / (own + sum(math.exp(s * neg) for neg in negatives))))
    return sum(losses) / len(losses)


def less(cosine: float, margin: float) -> float:
    return cosine - margin


def turned(cosine: float, margin: float) -> float:
    angle = math.acos(cosine) + margin
    return math.cos(angle) if angle <= math.pi else cosine - margin * math.sin(margin)


@pytest.mark.parametrize(("kind", "turn"), [(CosFace, less), (ArcFace, turned)])
def test_the_definition_in_loops(kind: Any, turn: Callable[[float, float], float]) -> None:
    pairs = replace(scene(rows=7, seed=40).pairs(), hardness=hardness(COUNTS))
    terms = kind(margin=1.0, scale=5.0, bias_aware=True)(pairs)
    expected = zhang(turn, pairs, COUNTS.tolist(), 5.0, 1.0)
    assert oracles.mean_of(terms) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_one_hardness_have_that_part_of_the_margin(kind: Any) -> None:
    pairs = scene(seed=41).pairs()
    half = replace(pairs, hardness=torch.full_like(pairs.pos, 0.5))
    assert torch.equal(kind(0.6, bias_aware=True)(half).values, kind(0.3)(pairs).values)


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_margin_it_is_the_plain_softmax(kind: Any) -> None:
    pairs = scene(seed=42).pairs()
    assert torch.equal(kind(0.0, bias_aware=True)(pairs).values, kind(0.0)(pairs).values)


@pytest.mark.parametrize("kind", KINDS)
def test_switched_off_hardness_is_neither_needed_nor_read(kind: Any) -> None:
    pairs = scene(seed=43).pairs()
    assert kind().needs == ()
    assert kind(bias_aware=True).needs == ("hardness",)
    assert torch.equal(kind()(replace(pairs, hardness=None)).values, kind()(pairs).values)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_the_value_and_the_harder_row_is_pulled_more(kind: Any) -> None:
    here = scene(rows=1, used=1.0, seed=44).pairs()
    pos, neg = torch.full((2,), 0.4, dtype=torch.float64).requires_grad_(), here.neg.expand(2, -1)
    pairs = Pairs(pos, neg, here.mask.expand(2, -1), hardness=torch.tensor([0.1, 0.9]))
    loss = kind(bias_aware=True)
    assert torch.autograd.gradcheck(lambda scores: loss(replace(pairs, pos=scores)).values, (pos,))
    (slopes,) = torch.autograd.grad(loss(pairs).values.sum(), pos)
    assert slopes[1] < slopes[0] < 0


def test_there_is_no_closed_form_for_margins_that_differ() -> None:
    nothing = Scores(torch.zeros(1), lambda *_: torch.zeros(1, 1), lambda: COUNTS, COUNTS.sum, None, 1.0)
    assert CosFace(bias_aware=True).slopes(nothing) is None


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=20))
def test_the_less_popular_is_the_harder(counts: list[int]) -> None:
    found = hardness(torch.tensor(counts)).tolist()
    assert all(0 < each < 1 for each in found)
    pairs = zip(counts, found, strict=True)
    ranked = sorted(pairs)
    assert [hard for _, hard in ranked] == sorted(found, reverse=True)
    assert hardness(torch.tensor([counts[0]] * 3)).tolist() == [0.5] * 3


@pytest.mark.parametrize("loss", ["cosface", "arcface"])
def test_training_provides_hardness_and_learns(loss: str) -> None:
    train = factories.interactions()
    model = TwoTower(
        loss={"name": loss, "bias_aware": True}, tower="lookup", start="normal", hops=0, dim=8, epochs=4,
        batch=64, candidates=32, device="cpu",
    )  # fmt: skip
    first = next(batches(model.prepare(train), 1))
    assert first.hardness is not None
    assert len(first.hardness) == len(train.items)
    assert next(batches(replace(model, loss=loss).prepare(train), 1)).hardness is None
    losses: list[float] = []
    model.fit(train, report=lambda _, figures: losses.append(figures["loss"]))
    assert losses[-1] < losses[0]
