"""Choose on the valid part, then fit again on more: the same rule for the model and for every baseline."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

import polars as pl

from recsys.columns import TIME, USER
from recsys.data.features import Features
from recsys.data.splits.histories import oldest_rows
from recsys.data.tables import Interactions, Split
from recsys.evaluation.unseen import Unseen, UnseenValidator, nobody_known
from recsys.evaluation.validator import validator
from recsys.models.model import Identified, Model, Report, Validate, silent
from recsys.ragged import Ragged

Refit = Literal["none", "valid", "all"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A fitted model and the evidence of how it was chosen.

    Args:
        scored: What is evaluated on the test part.
        served: What recommends; the same as ``scored`` unless the refit took everything.
        learned: The raw rows that ``served`` was fitted to or chosen on.
        chosen: Options that the valid part settled.
        valid: ndcg@10 on the valid part of the fit that chose; None where there is no valid part.
        seconds: Of fitting, all fits together.
    """

    scored: Identified
    served: Identified
    learned: pl.DataFrame
    chosen: Mapping[str, Any]
    valid: float | None
    seconds: float


def validation(split: Split) -> Validate | None:
    """The judge of candidates: ndcg@10 on the valid part; None where that is empty.

    A valid part of users whom train lacks is served from a history of each.
    """
    if split.valid.is_empty():
        return None
    train = Interactions.of(split.train)
    if nobody_known(split.valid, train.users):
        return UnseenValidator(Unseen.of(oldest_rows(split.valid), train.items, most=10_000))
    return validator(split.valid, train)


def fit(
    model: Model,
    split: Split,
    refit: Refit,
    *,
    validate: Validate | None,
    features: Features | None = None,
    report: Report = silent,
    again: Report = silent,
    checkpoints: Path | None = None,
) -> Outcome:
    """Fit, choosing by ``validate``, then refit with what was chosen.

    ``none`` keeps the fit on train; ``valid`` fits again on train + valid; ``all`` does so too, is scored
    there, and then fits once more on everything for serving. ``report`` follows the fit that chooses,
    ``again`` those after it.
    """
    started = time.perf_counter()
    seen = learned = pl.concat([split.train, split.valid])
    on_more = refit != "none" and not split.valid.is_empty()
    chosen, score = model, None
    log = partial(_log, split.known)
    settled: Mapping[str, Any] = {}
    if validate or not on_more:  # without a judge there is nothing to choose: the fit on more is the only one
        folder = _in(checkpoints, "choose")
        first = model.fit(log(split.train), features, validate=validate, report=report, checkpoints=folder)
        scored = served = first.scorer
        settled, score = first.chosen, validate(first.scorer) if validate else None
        chosen = replace(model, **settled)  # type: ignore[type-var]  # every model is a dataclass
    if on_more:
        folder = _in(checkpoints, "refit")
        scored = served = chosen.fit(log(seen), features, report=again, checkpoints=folder).scorer
    if refit == "all":
        learned = pl.concat([seen, split.test]).unique(["user", "item"], keep="first", maintain_order=True)
        folder = _in(checkpoints, "all")
        served = chosen.fit(log(learned), features, report=again, checkpoints=folder).scorer
    return Outcome(scored, served, learned, settled, score, time.perf_counter() - started)


def seen_rows(scorer: Identified, raw: pl.DataFrame) -> Ragged:
    """What each user of a scorer has seen, by its codes; rows with an id it does not know cannot matter."""
    return Interactions.encode(raw, scorer.user_ids, scorer.item_ids).histories()


def _log(known: pl.DataFrame, learned: pl.DataFrame) -> Interactions:
    """What is learned from, and what its users knew and did not like by then.

    A row newer than all that is learned from of the same user is of that user's future, where the held-out
    rows lie: it is left out. Rows without a time have no order, so all of them are taken.
    """
    if known.is_empty():
        return Interactions.of(learned)
    newest = learned.group_by(USER).agg(pl.col(TIME).max().alias("newest"))
    later = pl.col(TIME) > pl.col("newest")
    by_then = known.join(newest, on=USER).filter(~later.fill_null(value=False)).drop("newest")
    return Interactions.of(learned, by_then)


def _in(folder: Path | None, name: str) -> Path | None:
    return folder / name if folder else None
