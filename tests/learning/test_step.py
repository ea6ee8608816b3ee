"""A step against the definitions: the whole matrix in float64, dense gradients, plain autograd."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from recsys import plugins, seeds
from recsys.columns import ITEM, USER
from recsys.learning.distances.mahalanobis import Mahalanobis
from recsys.learning.miners.counting import CountingMiner
from recsys.learning.miners.hardest_k import HardestK
from recsys.learning.miners.miner import Moment
from recsys.learning.pairs import Pairs, Terms
from recsys.learning.reducers import REDUCERS
from recsys.learning.regularizers import L2, Points
from recsys.learning.samplers.sampler import Candidates
from recsys.learning.training import pair_inputs
from recsys.learning.training.batch import Batch, Known, Parts
from recsys.learning.training.interactions import InteractionTensors
from recsys.learning.training.objective import closed
from recsys.learning.training.optimizers import ParameterTable
from recsys.learning.training.step import step
from recsys.learning.training.tables import Tables
from tests import factories

TRAIN = factories.interactions()
LOG = InteractionTensors.of(TRAIN, torch.device("cpu"))
CHOSEN = set(TRAIN.frame.select(USER, ITEM).iter_rows())
CODES = torch.tensor([3, 5, 3, 9, 11, 0, 3])


class Descent:
    """Plain gradient descent with rate 1, so that what a step changed is its gradient."""

    def state(self, weights: torch.Tensor) -> dict[str, torch.Tensor]:
        return {}

    def change(
        self, gradient: torch.Tensor, state: dict[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return gradient, -torch.ones_like(gradient[:, :1])


def parts(loss: str, distance: str = "cosine", **changed: Any) -> Parts:
    start = Parts(
        plugins.make("towers", "lookup"),
        plugins.make("item_towers", "id_vectors").over(TRAIN, None, torch.device("cpu")),
        plugins.make("distances", distance),
        plugins.make("miners", "everything"),
        plugins.make("losses", loss),
        REDUCERS["mean"],
    )
    return replace(start, **changed)


def tables(dtype: torch.dtype = torch.float64) -> Tables:
    rng = seeds.torch_generator(0, "test")
    lengths = {"users": len(TRAIN.users), "items": len(TRAIN.items), "inputs": len(TRAIN.items), "map": 4}
    return Tables(
        {name: ParameterTable(torch.randn(n, 4, generator=rng, dtype=dtype)) for name, n in lengths.items()},
        Descent(),
    )


def batch(codes: torch.Tensor = CODES, rows: int = 9) -> Batch:
    """Rows of the log, two of one user among them, and candidates of which one occurs two or three times."""
    picked = torch.arange(0, rows * 7, 7)
    users = LOG.take(torch.cat([LOG.users[picked], LOG.users[:1]]))
    items = torch.cat([LOG.items[picked], LOG.items[:1]])
    candidates = Candidates(codes, torch.full((len(codes),), -3.0, dtype=torch.float64))
    return Batch(users, items, candidates, Known.of(LOG, users.codes, codes), Moment(0.5, torch.Generator()))


def definition(batch: Batch, start: Tables, parts: Parts) -> tuple[float, dict[str, torch.Tensor]]:
    """Loss and dense gradients of the tables, from the definitions."""
    weights = {name: table.weights.clone().requires_grad_() for name, table in start.tables.items()}
    codes = batch.candidates.codes.tolist()
    last = [column for column, code in enumerate(codes) if code not in codes[column + 1 :]]
    mask = torch.tensor(
        [
            [column in last and (user, code) not in CHOSEN for column, code in enumerate(codes)]
            for user in batch.users.codes.tolist()
        ]
    )
    users = parts.tower.forward(batch.users, lambda name, rows: weights[name][rows], batch.items)
    points = Points(users, weights["items"][batch.items], weights["items"][batch.candidates.codes])
    if isinstance(parts.distance, Mahalanobis):
        moved = (points.users, points.positives, points.candidates)
        points = Points(*(torch.einsum("ed,nd->ne", weights["map"], each) for each in moved))
    pos = parts.distance.similarity(points.users, points.positives)
    neg = parts.distance.similarity(points.users[:, None], points.candidates[None])
    cross = parts.distance.similarity(points.positives[:, None], points.candidates[None])
    lengths = points.users.norm(dim=1) * points.positives.norm(dim=1)
    lengths = torch.ones_like(lengths) if parts.distance.bounded else lengths
    easy, hard = easiest(batch, pos.tolist()), hardness(batch)
    pairs = Pairs(pos, neg, mask, batch.candidates.log_q, cross, lengths, easy, hard)
    terms = parts.loss(replace(pairs, mask=parts.miner(pairs, batch.moment)))
    loss = parts.reduce(terms).value()
    total = loss
    if parts.balance and terms.values.ndim == 2:
        total = parts.reduce(balanced(terms, pos)).total / len(pos)
    total = total if parts.regularize is None else total + parts.regularize(points)
    total.backward()  # type: ignore[no-untyped-call]
    return float(loss.detach()), {
        name: torch.zeros_like(leaf) if leaf.grad is None else leaf.grad for name, leaf in weights.items()
    }


def easiest(batch: Batch, scores: list[float]) -> torch.Tensor:
    """Whether no row of the same user scores higher."""
    rows = list(zip(batch.users.codes.tolist(), scores, strict=True))
    return torch.tensor([all(score >= other for own, other in rows if own == user) for user, score in rows])


def hardness(batch: Batch) -> torch.Tensor:
    """The probability with which popularity alone would prefer an item of average popularity."""
    counts = [sum(item == other for _, other in CHOSEN) for item in range(LOG.catalogue)]
    typical = sum(counts) / len(counts)
    return torch.tensor([1 - 1 / (1 + typical / counts[item]) for item in batch.items.tolist()])


def balanced(terms: Terms, pos: torch.Tensor) -> Terms:
    """Each row over one plus the sum of its slopes."""
    rows = [values[mask].sum() for values, mask in zip(terms.values, terms.mask, strict=True)]
    slopes = [torch.autograd.grad(row, pos, retain_graph=True)[0].sum().abs() for row in rows]
    return replace(terms, values=terms.values / (1 + torch.stack(slopes))[:, None])


def check(parts: Parts, batch: Batch) -> None:
    expected, gradients = definition(batch, tables(), parts)
    before, after = tables(), tables()
    reduced = step(batch, after, parts)
    assert reduced is not None
    assert float(reduced.value()) == pytest.approx(expected)
    for name, gradient in gradients.items():
        torch.testing.assert_close(before[name] - after[name], gradient, msg=name)


@pytest.mark.parametrize("distance", plugins.names("distances"))
@pytest.mark.parametrize("loss", ["bpr", "contrastive", "triplet", "infonce"])
@pytest.mark.parametrize("balance", ["balanced", "plain"])
def test_a_step_is_the_definition(loss: str, distance: str, balance: str) -> None:
    check(parts(loss, distance, balance=balance == "balanced"), batch())


@pytest.mark.parametrize("reducer", ["active", "sum"])
@pytest.mark.parametrize("miner", ["hardest", "semihard"])
def test_with_miners_and_reducers(miner: str, reducer: str) -> None:
    made = parts("triplet", miner=plugins.make("miners", miner), reduce=REDUCERS[reducer])
    check(made, batch())


@pytest.mark.parametrize("balance", ["balanced", "plain"])
@pytest.mark.parametrize("loss", ["bpr", "triplet", "contrastive", "infonce", "bsl"])
def test_the_hardest_are_selected_in_the_score_buffer(loss: str, balance: str) -> None:
    made, here = parts(loss, miner=HardestK(2, pool=None), balance=balance == "balanced"), batch()
    some = Points(
        *(torch.randn(n, 4) for n in (len(here.items), len(here.items), len(here.candidates.codes)))
    )
    assert closed(here, some, made) is not None  # not by autograd
    check(made, here)


@pytest.mark.parametrize("k", [1, 100])
def test_a_watched_miner_counts_there_too(k: int) -> None:
    narrowed, masked = CountingMiner(HardestK(k, pool=None)), CountingMiner(HardestK(k, pool=None))
    step(batch(), tables(), parts("bpr", miner=narrowed))
    step(batch(), tables(), parts("bpr", "euclidean", miner=masked))  # no closed form
    assert narrowed.share == masked.share
    assert (narrowed.share == 1) == (k == 100)


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_with_easy_positives_in_blocks(distance: str) -> None:
    """The last row is of the user of the first, in another block."""
    here = batch()
    assert here.users.codes[0] == here.users.codes[-1]
    check(parts("triplet", distance, miner=plugins.make("miners", "easy_positive"), block=3), here)


def test_with_cross_scores() -> None:
    check(replace(parts("bpr"), loss=plugins.make("losses", "triplet", {"swap": True})), batch())


@pytest.mark.parametrize("distance", ["dot", "cosine"])
def test_with_lengths(distance: str) -> None:
    check(parts("l_softmax", distance), batch())


@pytest.mark.parametrize("loss", ["cosface", "arcface"])
def test_with_margins_by_popularity(loss: str) -> None:
    made = plugins.make("losses", loss, {"bias_aware": True})
    check(
        replace(parts("bpr"), loss=made, block=3),
        replace(batch(), hardness=pair_inputs.hardness(LOG.popularity)),
    )


def test_with_a_penalty() -> None:
    check(parts("bpr", "dot", regularize=L2(0.3)), batch())


@pytest.mark.parametrize("shared", [False, True])
def test_with_histories(shared: bool) -> None:
    check(parts("bpr", tower=plugins.make("towers", "history", {"shared": shared})), batch())


def test_in_blocks() -> None:
    check(parts("bpr", "euclidean", block=3), batch())


@pytest.mark.parametrize("codes", [[7], [2] * 5])
@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_one_candidate(codes: list[int], distance: str) -> None:
    check(parts("triplet", distance), batch(torch.tensor(codes), rows=0))


@pytest.mark.parametrize("loss", ["bpr", "contrastive", "triplet", "infonce"])
def test_bfloat16_scores_give_nearly_the_same_gradients(loss: str) -> None:
    codes = torch.arange(len(TRAIN.items))
    before, exact, short = (tables(torch.float32) for _ in range(3))
    step(batch(codes, rows=60), exact, parts(loss))
    step(batch(codes, rows=60), short, parts(loss, bfloat16=True))
    for name in ("users", "items"):
        gradient, rounded = (before[name] - exact[name]).flatten(), (before[name] - short[name]).flatten()
        assert torch.nn.functional.cosine_similarity(gradient, rounded, dim=0) > 0.995


def test_only_rows_of_the_batch_change() -> None:
    before, after = tables(), tables()
    here = batch()
    step(here, after, parts("bpr"))
    changed = set((before["items"] != after["items"]).any(1).nonzero().flatten().tolist())
    assert changed <= set(here.items.tolist()) | set(CODES.tolist())
    assert torch.equal(before["inputs"], after["inputs"])
