"""Wrappers on a planted log: each moves the held-out item to the first place, by a rule done by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recsys import plugins
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.evaluation.validator import validator
from recsys.models.anchored import best_share
from recsys.models.model import Fitted, Scorer, Validate
from tests.factories import raw

FIRST, SECOND = 1.0, 1 / np.log2(3)  # ndcg@10 of the one held-out item
ASKED = ("v1", "v2")

# x and y are chosen by two users each; x, first of equals, by users of three items, y by users of one.
BUSY = [(user, item) for user in ("p1", "p2") for item in ("x", f"{user}-only", f"{user}-too")]
IDLE = [("q1", "y"), ("q2", "y")]
GRAPH = Interactions.of(raw([*((user, "z") for user in ASKED), *BUSY, *IDLE]))

# z was chosen with x by two users, and with y by one who said so loudly.
PAIRS = [("p1", "z"), ("p1", "x"), ("p2", "z"), ("p2", "x"), ("q", "z"), ("q", "y")]
WEIGHTS = Interactions.of(
    raw([*((user, "z") for user in ASKED), *PAIRS], weights=[1.0] * (len(ASKED) + 4) + [9.0, 9.0])
)


def held_out(item: str, log: Interactions) -> Validate:
    return validator(raw([(user, item) for user in ASKED]), log)


def fit(spec: dict[str, Any], log: Interactions, validate: Validate | None = None) -> Fitted:
    options = dict(spec)
    found: Fitted = plugins.make("models", options.pop("name"), options).fit(log, validate=validate)
    return found


def score(scorer: Scorer, user: str, item: str, log: Interactions) -> float:
    code = log.users.ids.to_list().index(user)
    return float(scorer.scores(np.array([code]))[0, log.items.ids.to_list().index(item)])


def smoothed(hops: int) -> dict[str, Any]:
    return {"name": "smoothed", "of": "popularity", "hops": hops}


def anchored(share: float) -> dict[str, Any]:
    return {"name": "anchored", "of": "popularity", "anchor": smoothed(1), "share": share}


def test_one_step_over_the_graph_is_the_sum_by_hand() -> None:
    """A vector is 1 for a user and the count for an item; a step adds neighbours over sqrt(degrees)."""
    scorer = fit(smoothed(1), GRAPH).scorer
    of_v, of_x, of_y = 1 + 2 / np.sqrt(2), 2 + 2 / np.sqrt(6), 2 + 2 / np.sqrt(2)
    assert score(scorer, "v1", "x", GRAPH) == pytest.approx(of_v * of_x)
    assert score(scorer, "v1", "y", GRAPH) == pytest.approx(of_v * of_y)


@pytest.mark.parametrize(("item", "plain", "hops"), [("y", SECOND, 1), ("x", FIRST, 0)])
def test_smoothing_is_taken_where_it_helps(item: str, plain: float, hops: int) -> None:
    validate = held_out(item, GRAPH)
    assert validate(fit(smoothed(0), GRAPH).scorer) == pytest.approx(plain)
    found = fit(smoothed(1), GRAPH, validate)
    assert found.chosen["hops"] == hops
    assert validate(found.scorer) == FIRST


@pytest.mark.parametrize(("item", "plain", "share"), [("y", SECOND, 0.25), ("x", FIRST, 0.0)])
def test_a_share_of_another_model_is_kept_unless_it_harms(item: str, plain: float, share: float) -> None:
    """The other one is fitted without the validation set, so it puts y first in both cases."""
    validate = held_out(item, GRAPH)
    model, anchor = fit({"name": "popularity"}, GRAPH).scorer, fit(smoothed(1), GRAPH).scorer
    assert isinstance(model, Embeddings)
    assert isinstance(anchor, Embeddings)
    assert validate(model) == pytest.approx(plain)
    found, scorer = best_share(model, anchor, 0.25, 4, GRAPH, validate)
    assert found == share
    assert validate(scorer) == FIRST


@pytest.mark.parametrize(("item", "hops"), [("y", 1), ("x", 0)])
def test_wrappers_nest_and_each_chooses(item: str, hops: int) -> None:
    """Where x is held out the anchor is not smoothed, and so does no harm."""
    validate = held_out(item, GRAPH)
    assert validate(fit(anchored(0.0), GRAPH).scorer) == pytest.approx(FIRST if item == "x" else SECOND)
    found = fit(anchored(0.25), GRAPH, validate)
    assert (found.chosen["anchor"]["hops"], found.chosen["share"]) == (hops, 0.25)
    assert validate(found.scorer) == FIRST


@pytest.mark.parametrize(("item", "plain", "weighting"), [("y", SECOND, "raw"), ("x", FIRST, "none")])
def test_tuning_takes_the_weighting_that_ranks_the_held_out_item_first(
    item: str, plain: float, weighting: str
) -> None:
    """Cosines of z by counts of users: 2 / sqrt(10) with x, 1 / sqrt(5) with y; by weights y is nearer."""
    of = {"name": "item_knn", "similarity": "cosine", "neighbours": 20, "shrinkage": 0.0}
    validate = held_out(item, WEIGHTS)
    alone = fit(of, WEIGHTS).scorer
    assert score(alone, "v1", "x", WEIGHTS) == pytest.approx(2 / np.sqrt(10))
    assert score(alone, "v1", "y", WEIGHTS) == pytest.approx(1 / np.sqrt(5))
    assert validate(alone) == pytest.approx(plain)
    found = fit({"name": "tuned", "of": of}, WEIGHTS, validate)
    assert found.chosen["of"]["weighting"] == weighting
    assert validate(found.scorer) == FIRST
