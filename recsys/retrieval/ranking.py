"""Lists for many users: any scorer, what they have seen left out, in blocks of bounded memory."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import numpy as np

from recsys.embeddings import Embeddings
from recsys.errors import InputError
from recsys.ragged import Ragged
from recsys.retrieval.index.exact import Exact, mask, top
from recsys.retrieval.index.index import Index
from recsys.storage.arrays import Codes, FloatArray, IntArray

if TYPE_CHECKING:
    from recsys.models.model import Scorer

USERS_AT_ONCE: Final = 16_384
SCORED_AT_ONCE: Final = 256


def rank(
    scorer: Scorer,
    users: IntArray,
    k: int,
    seen: Ragged | None = None,
    index: Index | None = None,
    advance: Callable[[int], None] = lambda count: None,
    at_once: int | None = None,
) -> tuple[Codes, FloatArray]:
    """The k best items of each user, best first, equal scores by code.

    Embeddings go through an index (``exact`` unless another is given), any other scorer through its
    scores.

    Args:
        scorer: A fitted model.
        users: (n,) user codes.
        k: Length of a list, at least 1.
        seen: A row for each user *code*: items that may not be listed; None where all may be.
        index: Item vectors of ``scorer`` that can be asked.
        advance: Called with how many more users are done.
        at_once: Users of a block; by default so many that memory is bounded.

    Returns:
        Codes (n, k) i32 and scores (n, k) f32; -1 and -inf where fewer than k items remain.

    Raises:
        InputError: If k is below 1.
    """
    if k < 1:
        raise InputError(f"k is {k}; a list has at least 1 item")
    users = np.asarray(users, dtype=np.int64)
    codes = np.empty((len(users), k), dtype=np.int32)
    scores = np.empty((len(users), k), dtype=np.float32)
    if isinstance(scorer, Embeddings) and index is None:
        index = exact(scorer)
    size = at_once or (USERS_AT_ONCE if isinstance(scorer, Embeddings) else SCORED_AT_ONCE)
    for start in range(0, len(users), size):
        block = users[start : start + size]
        exclude = None if seen is None else seen.take(block)
        here = slice(start, start + len(block))
        if isinstance(scorer, Embeddings) and index is not None:
            codes[here], scores[here] = index.query(scorer.users[block], k, exclude)
        else:
            matrix = np.array(scorer.scores(block), dtype=np.float32)  # (b, I), our own copy
            if exclude is not None:
                mask(matrix, exclude, slice(0, len(block)))
            codes[here], scores[here] = top(matrix, k)
        advance(len(block))
    return codes, scores


def exact(model: Embeddings) -> Index:
    """The exact index of a model: on the GPU where this process trains on one, else in numpy.

    Both give the same lists. torch is not imported for it: ranking alone starts without torch.
    """
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        from recsys.retrieval.index.exact_torch import ExactOnDevice

        return ExactOnDevice(model.distance, "cuda").build(model.items)
    return Exact(model.distance).build(model.items)
