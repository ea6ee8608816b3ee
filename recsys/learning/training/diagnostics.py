"""Diagnostics of training: figures of the vectors and the loss, and errors where training failed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from recsys.errors import RecsysError
from recsys.learning.distances.distance import Distance
from recsys.learning.distances.norms import squared_norm, unit
from recsys.learning.miners.everything import Everything
from recsys.learning.miners.miner import Miner
from recsys.learning.pairs import Terms
from recsys.learning.reducers import Reduced, mean
from recsys.learning.regularizers import Points, crowding
from recsys.learning.training import embedding_metrics
from recsys.learning.training.batch import Batch, Known, Parts
from recsys.learning.training.interactions import InteractionTensors
from recsys.learning.training.objective import of_rows
from recsys.learning.training.pair_inputs import PairInputs
from recsys.learning.training.projection import place
from recsys.learning.training.step import pair_inputs
from recsys.learning.training.tables import Tables

USERS = 256
ITEMS = 2048
ROWS = 64
# The mean cosine of two items is then 0.95; in usable models it was between 0 and 0.5.
COLLAPSED = 0.05
NEAR = 0.01
PINNED = 0.99
ORDERED = 0.6


def check_loss(loss: float, epoch: int) -> None:
    """Stop if the loss is not finite.

    Raises:
        RecsysError: With what to try.
    """
    if not math.isfinite(loss):
        raise RecsysError(f"the loss of epoch {epoch} is {loss}: the steps are too long; lower rate")


def check_spread(vectors: Tensor, kind: str, epoch: int) -> None:
    """Stop if vectors (n, D) are not finite, or all have one direction: everyone would get the same list.

    Raises:
        RecsysError: With what to try.
    """
    if not bool(vectors.isfinite().all()):
        raise RecsysError(
            f"{kind} vectors of epoch {epoch} are not finite: the steps are too long; lower rate"
        )
    if len(vectors) > 1 and not embedding_metrics.spread(vectors) > COLLAPSED:
        raise RecsysError(
            f"the {kind} vectors collapsed to one direction in epoch {epoch}, so everyone would get the same "
            "list; lower rate, enlarge the loss's margin, give more candidates, or set uniformity above 0"
        )


def check_pinned(pinned: float, ordered: Callable[[], float], epoch: int) -> None:
    """Stop if the loss is that of all vectors in one point, and the scores are in no useful order.

    Short vectors in a good order are no collapse: under a strong l2 they begin so, and grow.

    Raises:
        RecsysError: With what to try.
    """
    if pinned > PINNED and ordered() < ORDERED:
        raise RecsysError(
            f"{pinned:.1%} of the pairs of epoch {epoch} have the loss of equal scores: the vectors "
            "collapsed to one point; lower rate or l2, take a miner of less hard negatives (semihard), or "
            "start again with another seed"
        )


def check_mined(share: float | None, miner: Miner, epoch: int) -> dict[str, float]:
    """``mined``, the share of an epoch's pairs that its miner left; nothing if there was no pair.

    None at all is a mistake in the first epoch; later it is a sign that all was learned.

    Raises:
        RecsysError: If nothing was left in the first epoch, with what to try.
    """
    if share == 0 and epoch == 1:
        raise RecsysError(
            f"the miner left no pair in all of epoch {epoch}, so nothing is learned; widen the range of "
            f"{miner}, give more candidates, or take the miner everything"
        )
    return {} if share is None else {"mined": share}


@dataclass(frozen=True, slots=True)
class Checkup:
    """The samples that the vectors are checked on, chosen at the start of an epoch.

    Args:
        log: The interactions.
        items: (m,) codes of at most 2,048 items.
        before: (m, D) their vectors at the start of the epoch.
    """

    log: InteractionTensors
    items: Tensor
    before: Tensor

    @classmethod
    def begin(cls, log: InteractionTensors, tables: Tables, parts: Parts) -> Checkup:
        """Store the vectors of the sampled items."""
        items = embedding_metrics.thin(log.catalogue, ITEMS, log.items.device)
        return cls(log, items, parts.items(items, tables.read))

    @torch.no_grad()
    def end(self, batch: Batch, tables: Tables, parts: Parts, epoch: int) -> dict[str, float]:
        """Figures of the space after an epoch, from a batch of it and the sampled users and items.

        Returns:
            ``rank``, effective, of the items; ``alignment`` of observed pairs; ``uniformity``, the mean of
            that of users and that of items; ``hubness`` of the items in lists of 10; ``norm_popularity``, of
            the length of the items as trained; ``dead``, the share of items that are zero, not finite, or did
            not change in the epoch. If each pair is a term of the loss: ``zero_loss``, the share of mined
            pairs without loss, and ``pinned``, the share of pairs with the loss of equal scores.

        Raises:
            RecsysError: If the space collapsed or is not finite.
        """
        items = parts.items(self.items, tables.read)
        check_spread(items, "item", epoch)
        batch = _head(batch, self.log)
        rows = _points(batch, tables, parts)
        of_pairs = pair_figures(batch, rows, pair_inputs(batch, rows, tables.read, parts), parts)
        order = partial(ordered, batch, rows, parts.distance)
        check_pinned(of_pairs.get("pinned", 0.0), order, epoch)
        return {**self._of_space(items, rows, tables, parts), **of_pairs}

    def _of_space(self, items: Tensor, rows: Points, tables: Tables, parts: Parts) -> dict[str, float]:
        codes = embedding_metrics.thin(len(self.log.starts) - 1, USERS, items.device)
        users = parts.tower.forward(self.log.take(codes), tables.read)  # (u, D)
        few = items[embedding_metrics.thin(len(items), USERS, items.device)]
        shown = [unit(users), unit(items)] if parts.distance.bounded else [users, items]
        counts = self.log.popularity[self.items]
        chosen = counts > 0
        return {
            "rank": embedding_metrics.effective_rank(items),
            "alignment": embedding_metrics.alignment(rows.users, rows.positives),
            "uniformity": float(crowding(users) + crowding(few)) / 2,
            "hubness": embedding_metrics.hubness(parts.distance.matrix(*shown)),
            "norm_popularity": embedding_metrics.norm_popularity(
                squared_norm(items[chosen]).sqrt(), counts[chosen]
            ),
            "dead": embedding_metrics.dead(self.before, items),
        }


def pair_figures(batch: Batch, rows: Points, inputs: PairInputs, parts: Parts) -> dict[str, float]:
    """``zero_loss`` and ``pinned`` of a batch; none for a loss whose terms are not single pairs.

    A pair is pinned if its loss is within 1 % of that of all vectors in one point: with a hinge, the margin.
    The mean alone would not tell: scores in no order, as at the start, have the mean of the margin too.
    """
    mined = _terms(batch, rows, inputs, parts)
    if mined.values.ndim < 2:
        return {}
    offered = replace(parts, miner=Everything())
    every = _terms(batch, rows, inputs, offered)
    point = rows.positives.mean(0)
    one = Points(*(point.expand_as(each) for each in (rows.users, rows.positives, rows.candidates)))
    tied = _terms(batch, one, inputs, offered).values
    pinned = (tied > 0) & ((every.values - tied).abs() <= NEAR * tied)
    return {"zero_loss": _share(mined.values == 0, mined.mask), "pinned": _share(pinned, every.mask)}


def ordered(batch: Batch, rows: Points, distance: Distance) -> float:
    """Share of a batch's pairs whose positive outscores the negative; 1/2 if the order is random."""
    mask = ~batch.known.mask(slice(0, len(rows.users)))
    pos = distance.similarity(rows.users, rows.positives)
    return _share(pos[:, None] > distance.matrix(rows.users, rows.candidates), mask)


def _share(marked: Tensor, mask: Tensor) -> float:
    return float((marked & mask).sum() / mask.sum().clamp(min=1))


def _head(batch: Batch, log: InteractionTensors) -> Batch:
    """The first rows of a batch, whose order is random."""
    users, candidates = log.take(batch.users.codes[:ROWS]), batch.candidates
    known = Known.of(log, users.codes, candidates.codes, explicit=candidates.explicit)
    return replace(batch, users=users, items=batch.items[:ROWS], known=known)


def _points(batch: Batch, tables: Tables, parts: Parts) -> Points:
    """The vectors of a batch as they are now, in the form that its loss is computed from."""
    users = parts.tower.forward(batch.users, tables.read, batch.items)
    items = (parts.items(codes, tables.read) for codes in (batch.items, batch.candidates.codes))
    rows = Points(users, *items)
    return Points(*place(parts.distance, tables.read, rows.users, rows.positives, rows.candidates))


def _terms(batch: Batch, rows: Points, inputs: PairInputs, parts: Parts) -> Terms:
    """The loss of a batch before it is reduced."""
    kept: list[Terms] = []

    def keep(found: Terms) -> Reduced:
        kept.append(found)
        return mean(found)

    parts = replace(parts, reduce=keep, bfloat16=False)
    of_rows(batch, rows, inputs, slice(0, len(rows.users)), parts, balance=False)
    return kept[0]
