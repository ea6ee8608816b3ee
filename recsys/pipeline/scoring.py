"""A fitted model on the test part: users whom it knows, users whom it never saw, and newcomers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from recsys.columns import USER
from recsys.data.splits.histories import ASKED_OF, Granted, first_rows, oldest_rows, ordered
from recsys.data.tables import Split
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.names import metric
from recsys.evaluation.record import Verdict, plain
from recsys.evaluation.truth import Truth
from recsys.evaluation.unseen import LENGTHS, Unseen, nobody_known
from recsys.ids import IdMap
from recsys.models.model import Identified
from recsys.pipeline.fit import seen_rows
from recsys.pipeline.progress import Silent, Watcher
from recsys.ragged import Ragged

Names = Sequence[str]


def scored(
    scorer: Identified, split: Split, metrics: Names, warm_up: int, seed: int, watch: Watcher | None = None
) -> Verdict:
    """Score a model on the test part of a split.

    Where it knows none of the test users, each is served by the oldest four fifths of their test rows and
    asked for the rest. ``beside`` then holds ``fold_in`` (who was left out) and ``history_curve``; with
    ``warm_up`` it holds ``warm_up`` also: users unknown to the model, with that many rows granted.

    Args:
        scorer: Fitted to train, or to train and valid.
        split: Raw tables.
        metrics: Names such as ``recall@20``.
        warm_up: How many of their first test rows unknown users are granted; 0 leaves them out.
        seed: Of intervals.
        watch: Told how many users are ranked for.
    """
    train = seen_rows(scorer, pl.concat([split.train, split.valid]))
    beside: dict[str, Any] = {}
    if unseen := unseen_of(split, scorer):
        found = unseen.evaluate(scorer, metrics, train=train)
        beside = {"fold_in": served(unseen), "history_curve": history_curve(unseen, scorer, metrics, seed)}
    else:
        truth = Truth.of(split.test, scorer.user_ids, scorer.item_ids)
        advance = (watch or Silent()).work("users", len(truth))
        found = evaluate(scorer, truth, train, metrics=metrics, advance=advance)
    if warm_up:
        beside["warm_up"] = warmed_up(scorer, split.test, warm_up, metrics, train, seed)
    return Verdict.of(found, seed, beside)


def unseen_of(split: Split, scorer: Identified) -> Unseen | None:
    """Test users with the oldest four fifths of their test rows as history, where the model knows none."""
    if not nobody_known(split.test, scorer.user_ids):
        return None
    return Unseen.of(oldest_rows(split.test), scorer.item_ids)


def served(unseen: Unseen) -> dict[str, float]:
    """How unseen test users are served, for the record: the share of the rows, and who was counted."""
    return {"share": 1 - 1 / ASKED_OF, **unseen.counts()}


def history_curve(unseen: Unseen, scorer: Identified, metrics: Names, seed: int) -> dict[str, Any]:
    """Quality by how many of the newest items of the history the model is given; ``all`` is the last key.

    All lengths are scored on the same users: one whose history is shorter is served by all of it, and
    ``users`` says how many have as many.
    """
    names = [name for name in metrics if metric(name).per_user]
    if not names:
        return {}
    curve = {}
    for length in LENGTHS:
        found = unseen.evaluate(scorer, names, longest=length)
        users = len(unseen.truth) if length is None else unseen.with_history_of(length)
        curve["all" if length is None else str(length)] = {"users": users, **plain(found, seed)}
    return curve


def of_known(split: Split, items: IdMap) -> Unseen:
    """Test users of an ordinary split, each to be served by the rows of train and valid as if unseen."""
    known = pl.concat([split.train, split.valid])
    return Unseen.of(Granted(ordered(known), split.test, 0), items)


def warmed_up(
    scorer: Identified, test: pl.DataFrame, rows: int, metrics: Names, train: Ragged, seed: int
) -> dict[str, Any]:
    """Users unknown to the model, served by their first test rows and asked for the others.

    Returns:
        ``rows``, who was counted, and ``metrics`` and ``intervals`` where anybody can be asked.
    """
    cold = test.filter(scorer.user_ids.encode(test[USER]).is_null())
    unseen = Unseen.of(first_rows(cold, rows), scorer.item_ids)
    told: dict[str, Any] = {"rows": rows, **unseen.counts()}
    if not len(unseen.truth):
        return told
    return told | plain(unseen.evaluate(scorer, metrics, train=train), seed)
