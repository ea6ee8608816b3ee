"""The ROC curve against counting of pairs."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.tables import Interactions
from recsys.errors import InputError
from recsys.evaluation.roc import Roc, roc
from recsys.evaluation.roc_plot import svg
from recsys.evaluation.truth import Truth
from recsys.models.popularity import Popularity
from tests.factories import checkerboard, random_log

scores = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=12)


@given(scores, scores)
def test_the_area_is_the_share_of_pairs_in_order(observed: list[float], unobserved: list[float]) -> None:
    wins = sum((o > u) + 0.5 * (o == u) for o in observed for u in unobserved)
    found = Roc.of(np.array(observed), np.array(unobserved))
    assert found.auc == pytest.approx(wins / (len(observed) * len(unobserved)))


@given(scores, scores, st.floats(0, 1))
def test_the_threshold_is_the_lowest_that_keeps_the_rate(
    observed: list[float], unobserved: list[float], rate: float
) -> None:
    threshold, true_positives = Roc.of(np.array(observed), np.array(unobserved)).at(rate)

    def passing(values: list[float], at_least: float) -> float:
        return sum(value >= at_least for value in values) / len(values)

    possible = [*sorted({*observed, *unobserved}), math.inf]
    kept = [each for each in possible if passing(unobserved, each) <= rate]
    assert threshold == min(kept)
    assert true_positives == pytest.approx(passing(observed, threshold))


def test_pairs_are_those_of_the_test_and_those_nobody_observed() -> None:
    """A scorer that tells the three kinds apart: no seen pair is drawn, and no test pair as unobserved."""
    table = random_log()
    train, test = table[::2], table[1::2]
    log = Interactions.of(train)
    truth, seen = Truth.of(test, log.users, log.items), log.histories()
    kinds = np.zeros((len(log.users), len(log.items)), dtype=np.float32)
    for place, user in enumerate(truth.users):
        kinds[user, truth.relevant.row(place)] = 2.0
    kinds[log.frame["user"].to_numpy(), log.frame["item"].to_numpy()] = 1.0

    class Kinds:
        def scores(self, users: np.ndarray) -> np.ndarray:
            return kinds[users]

    found = roc(Kinds(), truth, seen, each=3, at_once=7)
    assert found.auc == 1
    assert sorted(found.thresholds.tolist()) == [0.0, 2.0, math.inf]
    assert found.observed == len(truth.relevant.indices)
    wanted = 0
    for place, user in enumerate(truth.users):
        free = (kinds[user] == 0).sum()
        wanted += min(3 * len(truth.relevant.row(place)), int(free))
    assert found.unobserved == wanted


def test_the_draw_depends_on_the_seed_alone() -> None:
    train, test = checkerboard()
    log = Interactions.of(train)
    truth, seen = Truth.of(test, log.users, log.items), log.histories()
    scorer = Popularity().fit(log).scorer
    first, again, other = (roc(scorer, truth, seen, each=2, seed=seed) for seed in (0, 0, 1))
    assert first.auc == again.auc
    assert first.false_positives.tolist() != other.false_positives.tolist()


def test_what_cannot_be_drawn_is_refused() -> None:
    found = Roc.of(np.ones(2), np.zeros(2))
    with pytest.raises(InputError, match=r"rate is 1\.5; it must lie in 0\.\.1"):
        found.at(1.5)
    with pytest.raises(InputError, match="needs observed and unobserved pairs, not 0 and 3"):
        Roc.of(np.zeros(0), np.zeros(3))
    log = Interactions.of(pl.DataFrame(random_log()))
    truth = Truth.of(random_log(seed=1), log.users, log.items)
    with pytest.raises(InputError, match="each is 0"):
        roc(Popularity().fit(log).scorer, truth, log.histories(), each=0)


def test_the_picture_is_well_formed_and_goes_through_the_corners() -> None:
    rng = np.random.default_rng(0)
    text = svg(Roc.of(rng.normal(1, 1, 5000), rng.normal(0, 1, 5000)), "a & b")
    root = ElementTree.fromstring(text)
    line = root.find("{http://www.w3.org/2000/svg}polyline")
    assert line is not None
    points = line.attrib["points"].split()
    assert (points[0], points[-1]) == ("64.0,464.0", "464.0,64.0")
    assert len(points) == 400


def test_the_thresholds_at_rates_are_marked_on_the_curve() -> None:
    roc = Roc.of(np.array([3.0, 2.0, 1.0, 0.5]), np.array([2.5, 0.8, 0.2, 0.1]))
    text = svg(roc, "run", [0.0, 0.25, 0.3])
    assert text.count("<circle") == 2  # 0.25 and 0.3 are kept by the same threshold
    assert "score \u2265 3: 25.0% at 0" in text
    assert "score \u2265 1: 75.0% at 0.25" in text
    blind = Roc.of(np.ones(3), np.ones(3))
    assert "<circle" not in svg(blind, "run", [0.1])
