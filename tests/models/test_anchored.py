"""Vectors that keep a share of their start: the joined score by its definition, and the choice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.choosing import Judgement
from recsys.embeddings import Embeddings
from recsys.errors import InputError
from recsys.models.anchored import Anchored, best_share
from recsys.models.smoothed import best_hops
from recsys.plugins import make
from tests.factories import interactions

LOG = interactions()
EVERYONE = np.arange(len(LOG.users))
TOWERS = {"dim": 4, "epochs": 2, "batch": 64, "candidates": 32, "device": "cpu", "hops": 0}


def fitted(name: str, **options: object) -> Embeddings:
    found = make("models", name, {"dim": 4, **options}).fit(LOG).scorer
    assert isinstance(found, Embeddings)
    return found


MODEL, START = fitted("two_tower", **TOWERS, start="normal"), fitted("spectral")


def spread(scores: np.ndarray) -> np.ndarray:
    """Scores (U, I) less the mean per user, over their standard deviation."""
    centred = scores - scores.mean(axis=1, keepdims=True)
    return np.asarray(centred / centred.std(axis=1, keepdims=True))


def test_the_score_is_the_weighted_sum_of_both() -> None:
    share, joined = best_share(MODEL, START, 0.25, 8, LOG, None)
    cosines = MODEL.users @ MODEL.items.T
    cosines /= np.linalg.norm(MODEL.users, axis=1)[:, None] * np.linalg.norm(MODEL.items, axis=1)
    wanted = 0.75 * spread(cosines) + 0.25 * spread(START.users @ START.items.T)
    assert (share, joined.distance, joined.dim) == (0.25, "dot", 8)
    np.testing.assert_allclose(joined.scores(EVERYONE), wanted, atol=1e-4)


def test_the_cut_is_the_nearest_score_of_that_rank() -> None:
    _, whole = best_share(MODEL, START, 0.25, 8, LOG, None)
    _, cut = best_share(MODEL, START, 0.25, 4, LOG, None)
    left, values, right = np.linalg.svd(whole.scores(EVERYONE), full_matrices=False)
    assert cut.dim == 4
    np.testing.assert_allclose(cut.scores(EVERYONE), left[:, :4] * values[:4] @ right[:4], atol=1e-4)


@pytest.mark.parametrize(("ahead", "share"), [(0.1, 0.0), (0.01, 0.25), (0.0, 0.25), (-0.1, 0.25)])
def test_the_share_is_kept_unless_the_model_alone_is_clearly_better(ahead: float, share: float) -> None:
    """The standard error of the difference is .02."""
    gaps = np.tile([-0.2, 0.2], 50)

    def validate(scorer: object) -> float:
        return Judgement(0.5 + (gaps + ahead if scorer is MODEL else 0 * gaps))

    chosen, found = best_share(MODEL, START, 0.25, 4, LOG, validate)
    assert chosen == share
    assert (found is MODEL) == (share == 0)


def test_without_a_start_or_an_inner_product_nothing_is_joined() -> None:
    assert best_share(MODEL, None, 0.25, 4, LOG, None) == (0.0, MODEL)
    assert best_share(MODEL, START, 0.0, 4, LOG, None) == (0.0, MODEL)
    other = replace(MODEL, distance="manhattan")
    assert best_share(other, START, 0.25, 4, LOG, None) == (0.0, other)


@pytest.mark.parametrize("start", ["spectral", "pca"])
def test_two_tower_keeps_what_was_chosen_when_it_is_fitted_again(start: str) -> None:
    model = make("models", "two_tower", {**TOWERS, "loss": "bpr", "start": start})
    first = model.fit(LOG, validate=lambda scorer: float(scorer.distance == "dot"))
    assert first.chosen["start_share"] == model.start_share
    again = replace(model, **first.chosen).fit(LOG)
    assert (again.chosen["start_share"], again.scorer.distance) == (model.start_share, "dot")
    alone = model.fit(LOG, validate=lambda scorer: float(scorer.distance == "cosine"))
    assert alone.chosen["start_share"] == 0
    assert replace(model, **alone.chosen).fit(LOG).scorer.distance == "cosine"


def test_by_chance_nothing_is_kept() -> None:
    model = make("models", "two_tower", {**TOWERS, "loss": "bpr", "start": "normal"})
    assert model.fit(LOG).chosen["start_share"] == 0


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_outside_its_range_is_refused(share: float) -> None:
    with pytest.raises(InputError, match=f"start_share is {share}; it must lie in 0..1"):
        make("models", "two_tower", {"start_share": share})


class Folding:
    """A validator of unseen users: it needs what serves a history."""

    folds_in = True

    def __init__(self) -> None:
        self.given: list[Embeddings] = []

    def __call__(self, scorer: Embeddings) -> float:
        self.given.append(scorer)
        return float(len(self.given))


def test_candidates_for_unseen_users_come_as_they_would_be_served() -> None:
    judge = Folding()
    best_share(MODEL, START, 0.25, 8, LOG, judge)
    joined = next(each for each in judge.given if each is not MODEL)
    served = best_share(MODEL, START, 0.25, 8, LOG, None)[1]
    assert joined.fold_in == served.fold_in
    assert joined.inputs is not None
    assert served.inputs is not None
    assert joined.inputs.tobytes() == served.inputs.tobytes()

    judge = Folding()
    best_hops(MODEL, LOG, 2, judge)
    served = best_hops(MODEL, LOG, 2, None)[1]
    assert judge.given[0] is MODEL
    assert judge.given[2].inputs is not None
    assert served.inputs is not None
    assert judge.given[2].inputs.tobytes() == served.inputs.tobytes()

    judge = Folding()
    parts = [{"name": "spectral", "dim": 2}, {"name": "als", "dim": 2}]
    make("models", "blend", {"of": parts}).fit(LOG, validate=judge)
    assert all(each.inputs is not None or each.fold_in.name == "least_squares" for each in judge.given)


def test_an_anchored_model_is_both_joined() -> None:
    of, anchor = {"name": "two_tower", **TOWERS, "start": "normal"}, {"name": "spectral", "dim": 4}
    found = Anchored(of, anchor, share=0.25, dim=8).fit(LOG)
    alone = make("models", "two_tower", {**TOWERS, "start": "normal"}).fit(LOG).scorer
    _, wanted = best_share(alone, START, 0.25, 8, LOG, None)
    assert found.chosen["share"] == 0.25
    np.testing.assert_allclose(found.scorer.scores(EVERYONE), wanted.scores(EVERYONE), atol=1e-5)
    none = Anchored(of, anchor, share=0.0, dim=8).fit(LOG)
    np.testing.assert_array_equal(none.scorer.scores(EVERYONE), alone.scores(EVERYONE))


@pytest.mark.parametrize("options", [{"share": 1.5}, {"dim": 0}])
def test_values_out_of_range_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        Anchored(**options)  # type: ignore[arg-type]
