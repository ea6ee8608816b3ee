"""Epochs, finished vectors, and the hop that they may take."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from recsys.columns import ITEM, USER
from recsys.learning.training.log import Log
from recsys.learning.training.loop import batches, embed
from recsys.learning.training.propagate import propagate
from recsys.models.two_tower import TwoTower
from tests import factories

TRAIN = factories.interactions()
MODEL = TwoTower(dim=4, batch=64, candidates=8, epochs=3)
CHOSEN = set(TRAIN.frame.select(USER, ITEM).iter_rows())


def test_an_epoch_holds_every_interaction_once_and_no_two_the_same_order() -> None:
    work = MODEL.prepare(TRAIN)
    orders = []
    for epoch in (1, 2):
        seen = [
            pair
            for batch in batches(work, epoch)
            for pair in zip(batch.users.codes.tolist(), batch.items.tolist(), strict=True)
        ]
        assert len(seen) == len(TRAIN)
        assert set(seen) == CHOSEN
        orders.append(seen)
    assert orders[0] != orders[1]


def test_no_known_positive_is_a_negative_and_every_other_candidate_is() -> None:
    work = replace(MODEL, candidates=40).prepare(TRAIN)
    for batch in batches(work, 1):
        mask = batch.known.mask(slice(0, len(batch.items)))
        assert batch.known.used().tolist() == (~mask).sum(1).tolist()
        for row, user in zip(mask.tolist(), batch.users.codes.tolist(), strict=True):
            for known, item in zip(row, batch.candidates.codes.tolist(), strict=True):
                assert known == ((user, item) in CHOSEN)


def test_the_moment_runs_from_the_start_to_the_end() -> None:
    work = MODEL.prepare(TRAIN)
    moments = [batch.moment.progress for epoch in (1, 2, 3) for batch in batches(work, epoch)]
    assert moments[0] == 0
    assert moments == sorted(moments)
    assert 0.9 < moments[-1] < 1


@pytest.mark.parametrize("weight", [0.5, 2.0])
def test_a_hop_is_the_normalised_sum_over_neighbours(weight: float) -> None:
    matrix = (TRAIN.csr() != 0).toarray().astype(np.float64)
    matrix /= np.sqrt(matrix.sum(1, keepdims=True).clip(1) * matrix.sum(0).clip(1))
    rng = torch.Generator().manual_seed(0)
    users, items = (torch.randn(size, 3, generator=rng) for size in matrix.shape)
    moved = propagate(users, items, Log.of(TRAIN, torch.device("cpu")), weight)
    hop = torch.from_numpy(matrix).float()
    torch.testing.assert_close(moved[0], users + weight * hop @ items)
    torch.testing.assert_close(moved[1], items + weight * hop.T @ users)


def test_an_item_nobody_chose_stays_where_it_is() -> None:
    raw = factories.raw([("a", "x"), ("a", "z"), ("b", "x")])
    train = factories.interactions(raw)
    log = Log.of(train, torch.device("cpu"))
    alone = replace(log, users=log.users[log.items == 0], items=log.items[log.items == 0])
    alone = replace(alone, starts=torch.tensor([0, 1, 2]))
    items = torch.randn(2, 3)
    assert torch.equal(propagate(torch.randn(2, 3), items, alone, 1.0)[1][1], items[1])


def test_finished_vectors_take_the_hop_and_stay_unit_vectors() -> None:
    plain, hopped = (embed(replace(MODEL, hop=hop).prepare(TRAIN)) for hop in (0.0, 1.0))
    assert not np.allclose(plain["items"], hopped["items"])
    np.testing.assert_allclose(np.linalg.norm(hopped["items"], axis=1), 1, rtol=1e-5)


def test_figures_of_an_epoch_are_reported() -> None:
    figures: list[dict[str, float]] = []
    MODEL.fit(TRAIN, report=lambda _, values: figures.append(dict(values)))
    assert [set(each) for each in figures] == [{"loss", "pairs_per_second", "rank"}] * 3
    assert figures[2]["loss"] < figures[0]["loss"]
