"""Item-to-item neighbours against loops over pairs of items."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal

import numpy as np
import polars as pl
import pytest

from recsys.data.tables import Interactions
from recsys.errors import InputError
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.truth import Truth
from recsys.models.item_knn import ItemKNN
from recsys.plugins import make
from tests.factories import interactions, raw
from tests.splits import read_split

Similarity = Literal["cosine", "jaccard"]


def by_hand(
    log: Interactions, similarity: Similarity, neighbours: int, shrinkage: float
) -> list[list[float]]:
    """Scores (U, I), by the definitions over sets of users."""
    users_of: list[set[int]] = [set() for _ in log.items.ids]
    items_of: list[set[int]] = [set() for _ in log.users.ids]
    for user, item in log.frame.select("user", "item").iter_rows():
        users_of[item].add(user)
        items_of[user].add(item)

    def near(one: int, other: int) -> float:
        a, b = users_of[one], users_of[other]
        if one == other or not a & b:
            return 0.0
        whole = math.sqrt(len(a)) * math.sqrt(len(b)) if similarity == "cosine" else len(a | b)
        return len(a & b) / (whole + shrinkage)

    everything = range(len(users_of))
    scores = []
    for history in items_of:
        row = [0.0 for _ in everything]
        for chosen in sorted(history):
            nearest = sorted(everything, key=lambda item: (-near(chosen, item), item))[:neighbours]
            for item in nearest:
                row[item] += near(chosen, item)
        scores.append(row)
    return scores


@pytest.mark.parametrize("similarity", ["cosine", "jaccard"])
@pytest.mark.parametrize(("neighbours", "shrinkage"), [(39, 0.0), (39, 7.0), (100, 0.0)])
def test_scores_are_sums_of_similarities(similarity: Similarity, neighbours: int, shrinkage: float) -> None:
    log = interactions()
    model = ItemKNN(similarity, neighbours, shrinkage)
    scores = model.fit(log).scorer.scores(np.arange(len(log.users)))
    np.testing.assert_allclose(scores, by_hand(log, similarity, neighbours, shrinkage), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("similarity", ["cosine", "jaccard"])
def test_each_item_of_the_history_speaks_for_its_nearest_only(similarity: Similarity) -> None:
    # c is nearer to b than to a: two common users with the one, one with the other.
    log = Interactions.of(
        raw([("1", "a"), ("1", "b"), ("1", "c"), ("2", "b"), ("2", "c"), ("3", "a"), ("4", "a"), ("5", "c")])
    )
    only = ItemKNN(similarity, neighbours=1, shrinkage=0.0).fit(log).scorer
    assert by_hand(log, similarity, 1, 0.0)[4] == pytest.approx(only.scores(np.array([4]))[0].tolist())
    assert only.scores(np.array([4]))[0].nonzero()[0].tolist() == [1]


@pytest.mark.parametrize("at_once", [1, 3, 39])
def test_blocks_of_items_do_not_change_the_similarities(at_once: int) -> None:
    model, by_user = ItemKNN(neighbours=5), interactions().csr()
    whole, found = model.nearest(by_user), model.nearest(by_user, at_once)
    for one, other in zip(
        (whole.indptr, whole.indices, whole.values), (found.indptr, found.indices, found.values), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_weights_do_not_count() -> None:
    rows = [("a", "1"), ("a", "2"), ("b", "1"), ("b", "3")]
    plain, weighted = (
        ItemKNN().fit(Interactions.of(raw(rows, weights=weights))).scorer.scores(np.arange(2))
        for weights in (None, [0.1, 9.0, 2.0, 0.0])
    )
    assert plain.tobytes() == weighted.tobytes()


@pytest.mark.parametrize(
    "options", [{"similarity": "euclid"}, {"neighbours": 0}, {"shrinkage": -1.0}], ids=lambda o: next(iter(o))
)
def test_an_option_outside_its_range_is_refused(options: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(options))):
        make("models", "item_knn", options)


@pytest.mark.realdata
@pytest.mark.slow
def test_it_beats_popularity_by_far(realdata: Path) -> None:
    train, test = read_split(realdata / "ir-amazon2014-electronic")
    found = evaluate(
        ItemKNN("cosine", 400, 20.0).fit(train).scorer,
        Truth.of(test, train.users, train.items),
        train.histories(),
        metrics=("recall@20", "ndcg@20"),
    )
    assert found.values["recall@20"] > 1.5 * 0.0486


def test_items_without_users_are_nobodys_neighbours() -> None:
    from recsys.ids import IdMap

    users, items = IdMap(pl.Series(["a", "b"])), IdMap(pl.Series(["1", "2", "3", "4"]))
    log = Interactions.encode(raw([("a", "1"), ("b", "1"), ("b", "3")]), users, items)
    scores = ItemKNN(shrinkage=0.0).fit(log).scorer.scores(np.array([0]))
    np.testing.assert_allclose(scores, [[0, 0, 1 / math.sqrt(2), 0]], rtol=1e-6)
