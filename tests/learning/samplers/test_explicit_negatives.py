"""Dislikes as negatives of those who have them, against loops, and what is learned from them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys import plugins
from recsys.columns import ITEM, USER
from recsys.data.tables import Interactions
from recsys.errors import InputError
from recsys.learning.samplers.explicit_negatives import ExplicitNegatives
from recsys.learning.samplers.sampler import Candidates, Positives
from recsys.learning.training.batch import Known
from recsys.learning.training.interactions import InteractionTensors
from recsys.learning.training.step import step
from recsys.models.two_tower import TwoTower
from tests import factories
from tests.learning.samplers.catalogues import catalogue
from tests.learning.test_step import batch, parts, tables

TRAIN = factories.interactions()
LOG = InteractionTensors.of(TRAIN, torch.device("cpu"))
assert TRAIN.disliked is not None
CHOSEN, DISLIKED = (set(log.frame.select(USER, ITEM).iter_rows()) for log in (TRAIN, TRAIN.disliked))
MODEL = TwoTower(
    loss={"name": "triplet", "margin": 0.5}, tower="lookup", start="normal", hops=0, dim=8, epochs=20,
    batch=64, candidates=32, device="cpu", precision="fp32",
)  # fmt: skip


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_last_candidates_are_dislikes_of_users_of_the_batch_and_the_others_are_random() -> None:
    """In this catalogue user u dislikes item u alone; user 4 has two rows of three."""
    draw = ExplicitNegatives(20, share=0.75).over(catalogue(torch.ones(40)))
    drawn = [
        draw(Positives(torch.tensor([4, 1, 4]), torch.tensor([0, 0, 3])), rng(seed)) for seed in range(200)
    ]
    assert {(len(each.codes), each.explicit, each.distinct) for each in drawn} == {(20, 15, True)}
    explicit = torch.cat([each.codes[5:] for each in drawn])
    assert set(explicit.tolist()) == {1, 4}
    assert (explicit == 4).double().mean().item() == pytest.approx(2 / 3, abs=0.03)
    others = torch.cat([each.codes[:5] for each in drawn])
    assert np.bincount(others, minlength=40).min() > 10


def test_each_dislike_of_a_user_is_as_likely_as_another() -> None:
    assert LOG.disliked is not None
    user = next(code for code, _ in sorted(DISLIKED))
    wanted = {item for code, item in DISLIKED if code == user}
    drawn = LOG.disliked.one_of_each(torch.full((3000,), user), rng())
    for item in wanted:
        assert (drawn == item).double().mean().item() == pytest.approx(1 / len(wanted), abs=0.04)
    assert set(drawn.tolist()) == wanted


@given(st.lists(st.integers(0, LOG.catalogue - 1), min_size=1, max_size=12), st.data())
def test_who_uses_which_candidate(codes: list[int], data: st.DataObject) -> None:
    """Shared ones are used by users who have not chosen them, explicit ones by those who dislike them."""
    explicit = data.draw(st.integers(0, len(codes)))
    users = data.draw(st.lists(st.integers(0, len(LOG.starts) - 2), min_size=1, max_size=6))
    known = Known.of(LOG, torch.tensor(users), torch.tensor(codes), explicit=explicit)
    shared, own = codes[: len(codes) - explicit], codes[len(codes) - explicit :]
    wanted = [
        [(user, code) not in CHOSEN and code not in shared[place + 1 :] for place, code in enumerate(shared)]
        + [(user, code) in DISLIKED and code not in own[place + 1 :] for place, code in enumerate(own)]
        for user in users
    ]
    assert (~known.mask(slice(0, len(users)))).tolist() == wanted
    assert (~known.mask(slice(len(users) - 1, len(users)))).tolist() == wanted[-1:]
    assert known.used().tolist() == [sum(row) for row in wanted]
    assert int(known.total()) == sum(sum(row) for row in wanted)


@pytest.mark.parametrize("loss", ["bpr", "infonce", "bsl", "circle"])
def test_an_explicit_candidate_that_nobody_dislikes_changes_no_step(loss: str) -> None:
    """By slopes in closed form and, for circle, by autograd."""
    nobody = replace(
        LOG, disliked=InteractionTensors(LOG.users[:0], LOG.items[:0], 0 * LOG.starts, LOG.catalogue)
    )
    here = batch()
    codes = torch.cat([here.candidates.codes, torch.arange(4)])
    known = Known.of(nobody, here.users.codes, codes, explicit=4)
    plain, more = tables(), tables()
    step(replace(here, candidates=Candidates(codes[:-4], None)), plain, parts(loss))
    step(replace(here, candidates=Candidates(codes, None, explicit=4), known=known), more, parts(loss))
    for name in ("users", "items"):
        torch.testing.assert_close(plain[name], more[name])


@pytest.mark.parametrize("loss", ["bpr", "infonce", "bsl", "circle"])
def test_a_step_with_dislikes_is_that_over_a_matrix_masked_by_hand(loss: str) -> None:
    """One row at a time, so that the explicit candidates that are left are plain ones."""
    for row in range(3):
        here = batch()
        users, user = LOG.take(here.users.codes[row : row + 1]), int(here.users.codes[row])
        shared = here.candidates.codes
        own = torch.tensor([item for item in range(LOG.catalogue) if (user, item) in DISLIKED])
        others = torch.tensor([item for item in range(LOG.catalogue) if (user, item) not in DISLIKED])
        codes = torch.cat([shared.unique(), others, own])
        known = Known.of(LOG, users.codes, codes, explicit=len(others) + len(own))
        left = torch.cat([shared.unique(), own])
        mask = torch.tensor([(user, int(code)) in CHOSEN for code in left])
        plain, explicit = tables(), tables()
        one = replace(here, users=users, items=here.items[row : row + 1])
        by_hand = Known(mask.nonzero()[:, 0], torch.zeros(len(left), dtype=torch.bool), mask.sum()[None])
        step(replace(one, candidates=Candidates(left, None), known=by_hand), plain, parts(loss))
        step(replace(one, candidates=Candidates(codes, None), known=known), explicit, parts(loss))
        for name in ("users", "items"):
            torch.testing.assert_close(plain[name], explicit[name])


def test_without_dislikes_it_is_refused_with_what_to_do() -> None:
    with pytest.raises(InputError, match="there are none; make the dataset with recsys etl --positive-from"):
        replace(MODEL, sampler="explicit_negatives").fit(Interactions.of(factories.random_log()))


def test_invalid_values_are_refused() -> None:
    with pytest.raises(ValueError, match=r"share is 1.0; it must be in \[0, 1\)"):
        ExplicitNegatives(share=1.0)


@pytest.mark.parametrize(
    "sampler", [name for name in plugins.names("samplers") if name != "explicit_negatives"]
)
def test_other_samplers_learn_nothing_of_dislikes(sampler: str) -> None:
    model = replace(MODEL, sampler=sampler, epochs=2)
    with_them, without = model.fit(TRAIN).scorer, model.fit(replace(TRAIN, disliked=None)).scorer
    users = np.arange(len(TRAIN.users))
    assert with_them.scores(users).tobytes() == without.scores(users).tobytes()


def test_what_a_user_dislikes_falls_for_that_user() -> None:
    """Two groups with a taste each; every user dislikes two items of that taste."""
    train, hidden = factories.checkerboard(held_out=2)
    log = Interactions.of(train, hidden)
    pairs = tuple(
        Interactions.encode(hidden, log.users, log.items).frame[name].to_numpy() for name in (USER, ITEM)
    )

    def score(sampler: dict[str, object]) -> float:
        model = replace(MODEL, loss={"name": "bpr", "temperature": 0.2}, sampler=sampler)
        return float(model.fit(log).scorer.scores(np.arange(len(log.users)))[pairs].mean())

    plain, explicit = score({"name": "uniform"}), score({"name": "explicit_negatives", "share": 0.75})
    assert explicit < plain - 0.1
