"""What the index proposes, against loops, and what is learned from it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from recsys.learning.samplers.index_mined import IndexMined
from recsys.learning.samplers.sampler import Positives
from recsys.models.popularity import Popularity
from recsys.models.two_tower import TwoTower
from tests import factories
from tests.learning.samplers.catalogues import catalogue

SCORES = torch.randn(6, 40, generator=torch.Generator().manual_seed(0))
BATCH = Positives(torch.tensor([4, 1, 4]), torch.tensor([0, 0, 3]))


def drawn(sampler: IndexMined, times: int = 1) -> list[list[int]]:
    draw, rng = sampler.over(catalogue(torch.ones(40), SCORES)), torch.Generator().manual_seed(1)
    return [draw(BATCH, rng).codes.tolist() for _ in range(times)]


def places(users: list[int], first: int, end: int) -> set[int]:
    """Items at places ``first`` to ``end`` of the ranking of one of the users."""
    ranked = [sorted(range(40), key=lambda item: -SCORES[user, item].item()) for user in users]
    return {item for one in ranked for item in one[first:end]}


def test_the_lists_of_the_users_of_the_batch_behind_what_is_too_near() -> None:
    """5 of 100 candidates are drawn uniformly; the nearest 10 % of 40 are left out, the next 6 listed."""
    for codes in drawn(IndexMined(100, share=0.95, too_near=0.1, depth=6), 5):
        assert len(codes) == 100
        assert set(codes[:95]) == places([4, 1], 4, 10)


def test_the_too_near_of_one_user_are_never_proposed() -> None:
    alone = Positives(torch.tensor([2]), torch.tensor([0]))
    draw = IndexMined(100, share=0.95, too_near=0.1, depth=40).over(catalogue(torch.ones(40), SCORES))
    proposed = set(draw(alone, torch.Generator().manual_seed(0)).codes[:95].tolist())
    assert proposed <= places([2], 4, 40)
    assert not proposed & places([2], 0, 4)


def test_a_row_of_the_batch_is_as_likely_as_another_and_a_place_as_another() -> None:
    """User 4 has two rows of three: an item of its list alone comes twice as often as one of user 1's."""
    codes = [
        code for one in drawn(IndexMined(2000, share=0.99, too_near=0.0, depth=5), 10) for code in one[:1980]
    ]
    for item in places([4, 1], 0, 5):
        expected = sum(item in places([user], 0, 5) for user in (4, 1, 4)) / (3 * 5)
        assert codes.count(item) / len(codes) == pytest.approx(expected, abs=0.01)


def test_the_others_are_drawn_uniformly_without_replacement() -> None:
    rest = [one[30:] for one in drawn(IndexMined(60, share=0.5, too_near=0.0, depth=1), 200)]
    assert all(len(set(one)) == 30 for one in rest)
    often = np.bincount([code for one in rest for code in one], minlength=40) / (200 * 30)
    assert often == pytest.approx(np.full(40, 1 / 40), abs=0.006)


def test_invalid_values_are_refused() -> None:
    with pytest.raises(ValueError, match=r"depth is 0; it must be at least 1"):
        IndexMined(depth=0)
    with pytest.raises(ValueError, match=r"share is 1.0; it must be in \[0, 1\)"):
        IndexMined(share=1.0)
    with pytest.raises(ValueError, match=r"too_near is -0.1; it must be in \[0, 1\)"):
        IndexMined(too_near=-0.1)


def test_it_trains_beyond_popularity() -> None:
    """A planted log: a user likes the 30 of 150 items that are nearest in 4 dimensions, and 10 are hidden."""
    rng = np.random.default_rng(0)
    taste = rng.normal(size=(120, 4)) @ rng.normal(size=(4, 150)) + rng.normal(size=150)
    liked = np.argsort(-taste, axis=1)[:, :30]
    hidden = rng.permuted(liked, axis=1)[:, :10]
    rows = [(f"{user}", f"{item}") for user in range(120) for item in set(liked[user]) - set(hidden[user])]
    train = factories.interactions(factories.raw(rows))
    model = TwoTower(
        loss="triplet", sampler="index_mined", tower="lookup", start="normal", hops=0, dim=8, epochs=10,
        batch=256, candidates=64, rate=0.3, device="cpu", precision="fp32",
    )  # fmt: skip

    def recall(model: TwoTower | Popularity) -> float:
        scores = model.fit(train).scorer.scores(np.arange(120))
        scores[train.csr().nonzero()] = -np.inf
        best = train.items.ids.to_numpy()[np.argsort(-scores, axis=1)[:, :10]].astype(int)
        of = train.users.ids.to_numpy().astype(int)
        return float(np.mean([len(set(best[row]) & set(hidden[user])) / 10 for row, user in enumerate(of)]))

    assert recall(model) > recall(Popularity()) + 0.2
