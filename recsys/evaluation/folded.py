"""A fitted model as it serves users never seen in training: each from a history."""

from __future__ import annotations

from dataclasses import replace

from recsys.embeddings import Embeddings
from recsys.errors import InputError
from recsys.ids import IdMap
from recsys.models.item_scores import ItemWeights
from recsys.models.model import Identified, Scorer
from recsys.ragged import Ragged
from recsys.retrieval.fold_in import fold_in_all


class CannotFoldInError(InputError):
    """A model that knows the users it was fitted to and no others."""


def folded(scorer: Scorer, users: IdMap, histories: Ragged) -> Identified:
    """The same items and scores, for other users.

    Vectors of users are made by the fold-in of the model, and a sum over the history is taken over the given
    one; see ``fold_in_all``.

    Args:
        scorer: A fitted model.
        users: Raw ids of n users, who may be anyone.
        histories: Item codes of those, the newest last and each once.

    Raises:
        CannotFoldInError: If the model is neither made of vectors nor of weights from item to item.
    """
    if isinstance(scorer, Embeddings):
        return replace(scorer, users=fold_in_all(scorer, histories), user_ids=users)
    if isinstance(scorer, ItemWeights):
        return replace(scorer, history=histories, user_ids=users)
    raise CannotFoldInError(
        f"{type(scorer).__name__} cannot fold in: it scores the users it was fitted to and no others; "
        "evaluate it on a split whose test users are in train, as time:0.2 or last:1"
    )
