"""Score a fitted model on the test set: known users, unseen users, and cold users with their first rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from recsys.columns import USER
from recsys.data.splits.histories import TARGETS_OF, FoldInSplit, first_rows, oldest_rows, ordered
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
    """Score a model on the test set of a split.

    Where it knows none of the test users, each is folded in with the oldest four fifths of their test rows,
    and the rest is the holdout. ``beside`` then holds ``fold_in`` (who was left out) and ``history_curve``;
    with ``warm_up`` also ``warm_up``: users unknown to the model, folded in with that many rows.

    Args:
        scorer: Fitted to train, or to train and valid.
        split: Raw tables.
        metrics: Names such as ``recall@20``.
        warm_up: Number of first test rows that unknown users are folded in with; 0 leaves these users out.
        seed: Of intervals.
        watch: Receives the number of users ranked.
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
    """Test users with the oldest four fifths of their test rows as history; None if the model knows any."""
    if not nobody_known(split.test, scorer.user_ids):
        return None
    return Unseen.of(oldest_rows(split.test), scorer.item_ids)


def served(unseen: Unseen) -> dict[str, float]:
    """How unseen test users are folded in: the share of their rows, and the counts of users and rows."""
    return {"share": 1 - 1 / TARGETS_OF, **unseen.counts()}


def history_curve(unseen: Unseen, scorer: Identified, metrics: Names, seed: int) -> dict[str, Any]:
    """Metrics by the number of newest history items that the model is given; ``all`` is the last key.

    All lengths are scored on the same users: a user with a shorter history is folded in with all of it.
    ``users`` counts those with at least that many.
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
    """Test users of an ordinary split, each folded in with their rows of train and valid as if unseen."""
    known = pl.concat([split.train, split.valid])
    return Unseen.of(FoldInSplit(ordered(known), split.test, 0), items)


def warmed_up(
    scorer: Identified, test: pl.DataFrame, rows: int, metrics: Names, train: Ragged, seed: int
) -> dict[str, Any]:
    """Score users unknown to the model: folded in with their first test rows, the others are the holdout.

    Returns:
        ``rows``, the counts, and ``metrics`` and ``intervals`` if any user has a holdout.
    """
    cold = test.filter(scorer.user_ids.encode(test[USER]).is_null())
    unseen = Unseen.of(first_rows(cold, rows), scorer.item_ids)
    counted: dict[str, Any] = {"rows": rows, **unseen.counts()}
    if not len(unseen.truth):
        return counted
    return counted | plain(unseen.evaluate(scorer, metrics, train=train), seed)
