"""What an epoch is made of, and what it reports."""

from __future__ import annotations

import math
from dataclasses import replace

from recsys.columns import ITEM, USER
from recsys.learning.training.loop import batches
from recsys.models.two_tower import TwoTower
from tests import factories

TRAIN = factories.interactions()
MODEL = TwoTower(
    loss="infonce", tower="lookup", start="normal", hops=0, dim=4, batch=64, candidates=8, epochs=3
)
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


def test_figures_of_an_epoch_are_reported() -> None:
    figures: list[dict[str, float]] = []
    MODEL.fit(TRAIN, report=lambda _, values: figures.append(dict(values)))
    of_space = {"rank", "alignment", "uniformity", "hubness", "norm_popularity", "dead"}
    assert [set(each) for each in figures] == [{"loss", "pairs_per_second"} | of_space] * 3
    assert all(
        isinstance(value, float) and math.isfinite(value) for each in figures for value in each.values()
    )
    assert figures[2]["loss"] < figures[0]["loss"]


def test_the_share_of_pairs_without_loss_is_reported_where_pairs_are_terms() -> None:
    figures: list[dict[str, float]] = []
    replace(MODEL, loss="triplet").fit(TRAIN, report=lambda _, values: figures.append(dict(values)))
    assert {"zero_loss", "pinned"} < set(figures[0])
    assert 0 < figures[0]["zero_loss"] < 1
