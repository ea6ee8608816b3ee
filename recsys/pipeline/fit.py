"""Choose on the validation set, then refit on more rows: one rule for the model and for every baseline."""

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
    """A fitted model, and how it was chosen.

    Args:
        scored: What is evaluated on the test set.
        served: What recommends; the same as ``scored`` unless the refit took everything.
        learned: The raw rows that ``served`` was fitted to or chosen on.
        chosen: Options chosen on the validation set.
        valid: ndcg@10 on the validation set of the fit that chose; None without a validation set.
        seconds: Of fitting, all fits together.
    """

    scored: Identified
    served: Identified
    learned: pl.DataFrame
    chosen: Mapping[str, Any]
    valid: float | None
    seconds: float


def validation(split: Split) -> Validate | None:
    """How candidates are judged: ndcg@10 on the validation set; None if that is empty.

    Where no user of the validation set is in train, each is served from the oldest part of their rows.
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
    """Fit, choosing options by ``validate``, then refit with the options chosen.

    ``none`` keeps the fit on train; ``valid`` refits on train + valid; ``all`` does so too, is scored there,
    and then fits once more on all rows for serving. ``report`` receives the epochs of the fit that chooses,
    ``again`` those of the refits.
    """
    started = time.perf_counter()
    seen = learned = pl.concat([split.train, split.valid])
    on_more = refit != "none" and not split.valid.is_empty()
    chosen, score = model, None
    log = partial(_log, split.known)
    settled: Mapping[str, Any] = {}
    if validate or not on_more:  # without validation nothing is chosen: the refit is the only fit
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
    """Items that each user of a scorer has seen, by its codes; rows with unknown ids are dropped."""
    return Interactions.encode(raw, scorer.user_ids, scorer.item_ids).histories()


def _log(known: pl.DataFrame, learned: pl.DataFrame) -> Interactions:
    """Interactions to fit, with the pairs that their users were known to dislike by then.

    A disliked row newer than every fitted row of its user lies in the future of that user, as the holdout
    rows do: it is left out. Rows without a time have no order, so all of them are kept.
    """
    if known.is_empty():
        return Interactions.of(learned)
    newest = learned.group_by(USER).agg(pl.col(TIME).max().alias("newest"))
    later = pl.col(TIME) > pl.col("newest")
    by_then = known.join(newest, on=USER).filter(~later.fill_null(value=False)).drop("newest")
    return Interactions.of(learned, by_then)


def _in(folder: Path | None, name: str) -> Path | None:
    return folder / name if folder else None
