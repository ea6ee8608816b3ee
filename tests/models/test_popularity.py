"""Popularity."""

from __future__ import annotations

import numpy as np
import polars as pl

from recsys.data.tables import Interactions
from recsys.ids import IdMap
from recsys.models.popularity import Popularity
from tests.factories import random_log, raw


def test_scores_are_counts_of_users() -> None:
    log = Interactions.of(random_log())
    scores = Popularity().fit(log).scorer.scores(np.arange(3))
    counts = dict(log.frame.group_by("item").len().iter_rows())
    assert scores.shape == (3, len(log.items))
    assert scores.tolist() == [[counts[item] for item in range(len(log.items))]] * 3


def test_weights_do_not_count() -> None:
    rows = [("a", "1"), ("b", "1"), ("a", "2")]
    log = Interactions.of(raw(rows, weights=[0.1, 0.1, 9.0]))
    assert Popularity().fit(log).scorer.scores(np.array([0])).tolist() == [[2, 1]]


def test_an_item_nobody_chose_scores_nothing() -> None:
    users, items = IdMap(pl.Series(["a"])), IdMap(pl.Series(["1", "2"]))
    log = Interactions.encode(raw([("a", "1")]), users, items)
    assert Popularity().fit(log).scorer.scores(np.array([0])).tolist() == [[1, 0]]
