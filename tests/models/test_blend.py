"""Blends: the joined score against sums of scores, the cut against a dense SVD, the weights on valid."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recsys.choosing import Judgement
from recsys.embeddings import Embeddings
from recsys.errors import InputError
from recsys.models.blend import Blend, _climb, _neighbours
from recsys.models.joining import DotVectors, join, triangle, with_fold_in
from recsys.plugins import make
from recsys.retrieval.ranking import rank
from tests.factories import embeddings, interactions

LOG = interactions()
USERS, ITEMS = len(LOG.users), len(LOG.items)
EVERYONE = np.arange(USERS)
FOUR = {"dim": 4, "iterations": 4}


def vectors(distance: str, dim: int = 4, seed: int = 0) -> Embeddings:
    """Random vectors for the users and items of the log."""
    plain = embeddings(USERS, ITEMS, dim, distance, seed)
    return Embeddings(plain.users, plain.items, LOG.users, LOG.items, distance)


def standard(scores: np.ndarray) -> np.ndarray:
    """Scores of each user with mean 0 and standard deviation 1, by the definition."""
    return (scores - scores.mean(axis=1, keepdims=True)) / scores.std(axis=1, keepdims=True)


@pytest.mark.parametrize("distance", ["dot", "cosine", "squared_euclidean"])
def test_a_part_has_the_scores_of_its_model_with_unit_spread(distance: str) -> None:
    model = vectors(distance)
    part = DotVectors.of(model)
    np.testing.assert_allclose(part.users @ part.items.T, standard(model.scores(EVERYONE)), atol=1e-4)


def test_a_part_of_distances_has_their_order() -> None:
    model = vectors("euclidean")
    joined = join([DotVectors.of(model)], [1.0], None, LOG)
    assert rank(joined, EVERYONE, ITEMS)[0].tolist() == rank(model, EVERYONE, ITEMS)[0].tolist()


def test_the_joined_score_is_the_weighted_sum() -> None:
    models = [vectors("dot", 3, 1), vectors("cosine", 5, 2), vectors("euclidean", 2, 3)]
    parts = [DotVectors.of(model) for model in models]
    joined = join(parts, [0.2, 0.0, 0.8], None, LOG)
    expected = 0.2 * parts[0].users @ parts[0].items.T + 0.8 * parts[2].users @ parts[2].items.T
    np.testing.assert_allclose(joined.scores(EVERYONE), expected, atol=1e-4)
    assert joined.dim == 3 + 3  # a part without weight takes no room


@pytest.mark.parametrize("dim", [1, 3, 7])
def test_the_cut_is_the_nearest_score_of_that_rank(dim: int) -> None:
    parts = [DotVectors.of(vectors("dot", 4, 1)), DotVectors.of(vectors("cosine", 4, 2))]
    left, values, right = np.linalg.svd(join(parts, [0.5, 0.5], None, LOG).scores(EVERYONE).astype(float))
    cut = join(parts, [0.5, 0.5], dim, LOG)
    assert cut.dim == dim
    np.testing.assert_allclose(cut.scores(EVERYONE), (left[:, :dim] * values[:dim]) @ right[:dim], atol=1e-4)


@pytest.mark.parametrize("block", [1, 7, 13])
def test_blocks_of_rows_change_nothing(block: int) -> None:
    parts = [DotVectors.of(vectors("dot", 4, 1)), DotVectors.of(vectors("cosine", 4, 2))]
    inputs = np.hstack([part.inputs for part in parts])
    joined = join(parts, [0.25, 0.75], 5, LOG)
    served = [with_fold_in(joined, inputs, LOG, rows).inputs for rows in (block, 2**16)]
    assert served[0] is not None
    np.testing.assert_allclose(served[0], served[1], atol=1e-5)
    found = triangle(parts[0].users, block)
    np.testing.assert_allclose(found, np.triu(found))
    np.testing.assert_allclose(found.T @ found, parts[0].users.T @ parts[0].users, atol=1e-9)


def test_a_cut_to_more_than_the_rank_keeps_the_score() -> None:
    part = DotVectors.of(vectors("dot", 4, 1))
    twice = join([part, part], [0.5, 0.5], 7, LOG)
    assert twice.dim == 7
    np.testing.assert_allclose(twice.scores(EVERYONE), part.users @ part.items.T, atol=1e-4)


def test_a_distance_that_is_no_inner_product_is_refused() -> None:
    with pytest.raises(
        InputError, match="the score of a model of distance manhattan is not an inner product"
    ):
        DotVectors.of(vectors("manhattan"))


def test_a_history_is_served_as_a_user_where_all_parts_are_sums_over_it() -> None:
    model = Blend(of=[{"name": "spectral", "dim": 3}, {"name": "spectral", "dim": 6}]).fit(LOG).scorer
    assert isinstance(model, Embeddings)
    assert model.inputs is not None
    history = (LOG.csr().toarray() > 0).astype(float)
    folded = (history @ model.inputs) / history.sum(axis=1, keepdims=True) ** model.fold_in.options["power"]
    mine, served = (standard(users @ model.items.T.astype(float)) for users in (model.users, folded))
    assert np.mean(mine * served) > 0.95  # the mean over users of the correlation of their scores


def test_training_users_come_out_nearest_to_their_vectors() -> None:
    """No other linear map of the summed inputs is nearer, but for the ridge."""
    parts = [DotVectors.of(vectors("dot", 4, 1))]
    joined = with_fold_in(join(parts, [1.0], None, LOG), parts[0].inputs, LOG)
    assert joined.inputs is not None
    history = (LOG.csr().toarray() > 0).astype(float)
    history /= history.sum(axis=1, keepdims=True) ** 0.5
    best, *_ = np.linalg.lstsq(history @ parts[0].inputs, joined.users.astype(float), rcond=None)
    np.testing.assert_allclose(joined.inputs, parts[0].inputs @ best, atol=2e-2)


def test_weights_are_chosen_on_the_validation_set_and_kept() -> None:
    wanted = standard(
        0.25 * standard(make("models", "popularity").fit(LOG).scorer.scores(EVERYONE))
        + 0.75
        * standard(make("models", "spectral", {"dim": 4, "iterations": 4}).fit(LOG).scorer.scores(EVERYONE))
    )

    def near_the_planted(scorer: Any) -> float:
        return float(np.mean(standard(scorer.scores(EVERYONE)) * wanted))

    model = Blend(of=["popularity", {"name": "spectral", **FOUR}])
    fitted = model.fit(LOG, validate=near_the_planted)
    low, high = fitted.chosen["weights"]
    assert 2 <= high / low <= 4
    parts = [
        make("models", each["name"], {k: v for k, v in each.items() if k != "name"})
        for each in fitted.chosen["of"]
    ]
    assert near_the_planted(fitted.scorer) >= max(near_the_planted(part.fit(LOG).scorer) for part in parts)
    again = Blend(**{"of": fitted.chosen["of"], "weights": fitted.chosen["weights"]}).fit(LOG)
    assert again.chosen == fitted.chosen


def test_a_part_that_only_harms_gets_no_weight() -> None:
    target = make("models", "popularity").fit(LOG).scorer.scores(EVERYONE)
    fitted = Blend(of=["spectral", "popularity"]).fit(
        LOG, validate=lambda scorer: float(np.mean(standard(scorer.scores(EVERYONE)) * standard(target)))
    )
    assert fitted.chosen["weights"] == [0.0, 1.0]


@pytest.mark.parametrize(("scale", "weights"), [(1.0, [0.0, 1.0]), (0.001, [0.5, 0.5])])
def test_equal_weights_are_kept_unless_others_are_clearly_better(scale: float, weights: list[float]) -> None:
    """A judge who likes the second part, in earnest or by less than two kinds of users differ in taste."""
    target = standard(make("models", "popularity").fit(LOG).scorer.scores(EVERYONE))
    taste = np.where(EVERYONE % 2, 1.0, -1.0)

    def validate(scorer: Any) -> float:
        likeness = (standard(scorer.scores(EVERYONE)) * target).mean(axis=1)
        return Judgement(likeness * (taste + scale if scale < 1 else 1.0))

    fitted = Blend(of=["spectral", "popularity"]).fit(LOG, validate=validate)
    assert fitted.chosen["weights"] == weights


def test_a_dropped_part_can_come_back() -> None:
    best = _climb((1.0, 0.0), lambda weights: -abs(weights[1] - 0.5))
    assert best == (0.5, 0.5)
    assert all(sum(weights) == pytest.approx(1) for weights in _neighbours((0.0, 1.0), 1))


def test_equal_parts_are_drawn_anew_and_so_again_in_a_refit() -> None:
    drawn = [Blend(of=["als", "als", "popularity"], seed=seed).fit(LOG) for seed in (0, 1)]
    seeds = [[part.get("seed") for part in fitted.chosen["of"]] for fitted in drawn]
    assert seeds == [[None, 1, None], [2, 3, None]]  # None: that of the blend
    assert not np.allclose(*(np.abs(fitted.scorer.users) for fitted in drawn))
    again = Blend(of=drawn[1].chosen["of"], seed=1).fit(LOG)
    np.testing.assert_array_equal(again.scorer.users, drawn[1].scorer.users)
    one = Blend(of=["als", "popularity"]).fit(LOG)
    assert one.scorer.dim < drawn[0].scorer.dim


def test_without_a_validation_set_weights_are_equal() -> None:
    assert Blend(of=["popularity", "als"]).fit(LOG).chosen["weights"] == [0.5, 0.5]


def test_reports_are_numbered_through() -> None:
    steps: list[int] = []
    Blend(of=["als", {"name": "als", "dim": 3}]).fit(LOG, report=lambda step, _: steps.append(step))
    assert steps == list(range(1, 25))


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ({"of": ["als"]}, "two models at least"),
        ({"of": "als"}, "two models at least"),
        ({"of": {"name": "als", "dim": 3}}, "two models at least"),
        ({"weights": [1.0]}, "give 2"),
        ({"weights": [0.0, 0.0]}, "not all of them 0"),
        ({"weights": [-1.0, 2.0]}, "give 2"),
        ({"dim": 0}, "dim is 0"),
    ],
)
def test_options_that_make_no_blend_are_refused(options: dict[str, Any], fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        make("models", "blend", options)


def test_a_part_without_vectors_is_refused() -> None:
    for part in ("ease", "item-knn", {"name": "tuned", "of": "ease"}):
        with pytest.raises(ValueError, match="is not made of vectors, so it cannot be blended"):
            Blend(of=["als", part])
    assert Blend(of=["als", {"name": "ease", "dim": 4}]).fit(LOG).scorer.item_ids is LOG.items


def test_a_part_of_a_distance_that_cannot_be_joined_is_refused_before_any_fit() -> None:
    with pytest.raises(ValueError, match="two_tower: the score of a model of distance manhattan is not an"):
        Blend(of=["als", {"name": "two_tower", "distance": "manhattan"}])
    Blend(of=["als", {"name": "two_tower", "distance": "mahalanobis"}])  # served as euclidean


def test_all_parts_that_cannot_be_blended_are_named_at_once() -> None:
    with pytest.raises(InputError, match=r"ease is not made .*; item_knn is not made"):
        make("models", "blend", {"of": ["als", "ease", "item_knn"]})


def test_a_part_without_a_name_is_refused() -> None:
    with pytest.raises(InputError, match="names no model"):
        Blend(of=["als", {"dim": 3}])
