"""Evaluation on users that a model serves from a history alone: unseen in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl

from recsys import seeds
from recsys.columns import ITEM, USER
from recsys.data.splits.histories import FoldInSplit
from recsys.errors import InputError
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.evaluation import Evaluation
from recsys.evaluation.folded import folded
from recsys.evaluation.truth import Truth
from recsys.ids import IdMap
from recsys.models.model import Identified, Scorer
from recsys.ragged import Ragged

# Lengths that a history is cut to; None is all of it.
LENGTHS: Final = (1, 2, 5, 10, 20, None)


@dataclass(frozen=True, slots=True)
class Unseen:
    """Users, by codes of their own, with the history that each is served by and the targets.

    Args:
        ids: Raw ids of the users whose history holds an item that the model knows.
        histories: A row for each of those: codes of the known items, the newest last.
        truth: The targets; users whose history holds no known item are its cold users.
        left_out: Users with too few rows to have a target.
    """

    ids: IdMap
    histories: Ragged
    truth: Truth
    left_out: int

    @classmethod
    def of(cls, split: FoldInSplit, items: IdMap, *, most: int | None = None) -> Unseen:
        """Encode histories and targets by the items of a model.

        Args:
            split: Raw rows; only histories of users with a target count.
            items: Items that the model knows.
            most: Take at most so many of the users, the same ones each time; None: all.
        """
        history = split.history.with_columns(items.encode(split.history[ITEM]).alias("code"))
        history = history.drop_nulls("code").join(split.targets, on=USER, how="semi", maintain_order="left")
        ids = IdMap.of(history[USER])
        if most is not None and most < len(ids):
            chosen = seeds.generator(0, "unseen").choice(len(ids), most, replace=False)
            ids = IdMap(ids.decode(np.sort(chosen)))
        history = history.with_columns(ids.encode(history[USER]).alias("row")).drop_nulls("row")
        history = history.sort("row", maintain_order=True)
        indptr = np.zeros(len(ids) + 1, dtype=np.int64)
        np.cumsum(np.bincount(history["row"].to_numpy(), minlength=len(ids)), out=indptr[1:])
        histories = Ragged(indptr, history["code"].to_numpy().astype(np.int32))
        return cls(ids, histories, Truth.of(split.targets, ids, items), split.left_out)

    @property
    def seen(self) -> Ragged:
        """A row for each user: the items of the whole history."""
        owner = np.repeat(np.arange(len(self.ids)), np.diff(self.histories.indptr))
        codes = self.histories.indices
        return Ragged(self.histories.indptr, codes[np.lexsort((codes, owner))])

    def view(self, scorer: Scorer, longest: int | None = None) -> Identified:
        """The model as it serves these users.

        Args:
            scorer: A fitted model.
            longest: Only the newest so many items of a history are given to it; None: all.

        Raises:
            CannotFoldInError: If the model serves only the users it was fitted to.
            InputError: If no user can be scored.
        """
        if not len(self.truth):
            raise InputError(
                "no unseen user can be scored: "
                f"{self.left_out} have too few rows for a history and a question, and the history of "
                f"{self.truth.cold_users} holds no item known from train; hold more users out "
                "(recsys etl --split users:0.2 --valid 0.2)"
            )
        return folded(scorer, self.ids, newest(self.histories, longest))

    def evaluate(
        self,
        scorer: Scorer,
        metrics: Sequence[str],
        *,
        longest: int | None = None,
        train: Ragged | None = None,
    ) -> Evaluation:
        """Score the model as it serves these users; see ``view`` and ``evaluate``.

        The whole history is left out of the lists however much of it the model is given, so that results for
        different lengths can be compared.

        Args:
            scorer: A fitted model.
            metrics: Names such as ``recall@20``.
            longest: See ``view``.
            train: What training users chose, a row each, which novelty is measured by.
        """
        return evaluate(self.view(scorer, longest), self.truth, self.seen, metrics=metrics, train=train)

    def counts(self) -> dict[str, int]:
        """Who is served by a history, and who is left out, for the report."""
        return {
            "users": len(self.truth),
            "asked_rows": int(self.truth.sizes.sum()),
            "history_items": len(self.histories.indices),
            "too_few_rows": self.left_out,
            "unknown_history": self.truth.cold_users,
        }

    def with_history_of(self, count: int) -> int:
        """How many of the users who are scored have ``count`` known items in the history."""
        return int((np.diff(self.histories.indptr)[self.truth.users] >= count).sum())


def nobody_known(rows: pl.DataFrame, users: IdMap) -> bool:
    """Whether a raw table has only users that a model does not know."""
    return not rows.is_empty() and users.encode(rows[USER].unique()).is_null().all()


def newest(histories: Ragged, count: int | None) -> Ragged:
    """The last ``count`` entries of each row.

    Example:
        >>> newest(Ragged(np.array([0, 3, 4]), np.array([5, 6, 7, 8], dtype=np.int32)), 2).indices
        array([6, 7, 8], dtype=int32)
    """
    if count is None:
        return histories
    lengths = np.diff(histories.indptr)
    from_end = np.repeat(histories.indptr[1:], lengths) - np.arange(len(histories.indices))
    kept = from_end <= count
    indptr = np.concatenate([[0], np.cumsum(np.minimum(lengths, count))])
    return Ragged(indptr, histories.indices[kept])


@dataclass(frozen=True, slots=True)
class UnseenValidator:
    """Scores a candidate by a metric on unseen users; a ``Validate``.

    Args:
        users: The users scored.
        metric: A name such as ``ndcg@10``.
        folds_in: Tells models that each candidate must be able to fold in a history.
    """

    users: Unseen
    metric: str = "ndcg@10"
    folds_in: bool = True

    def __call__(self, scorer: Scorer) -> float:
        """The metric, higher is better."""
        return self.users.evaluate(scorer, (self.metric,)).judgement(self.metric)
