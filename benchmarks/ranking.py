"""Exact top-20 for every gowalla user, seen items removed: ours, ``implicit``, and the product alone.

All of them take turns on the same users in one process, so that a busy machine slows them alike. Ratios are
of wall seconds and of processor seconds, which a busy machine changes less.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.report import Result
from benchmarks.splits import dataset
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.truth import Truth
from recsys.learning.distances.dot import Dot
from recsys.models.als import ALS
from recsys.ragged import Ragged
from recsys.retrieval.index.exact import few
from recsys.retrieval.index.mixed_precision import Nomination, Precision, precisions
from recsys.retrieval.ranking import rank
from recsys.storage.arrays import Codes, IntArray

SPLIT, K, GOAL = "gowalla", 20, 3.0
ROUNDS, SMALL = 5, 256
COLUMNS = [
    "work",
    "users/s, best",
    "processor µs per user, median",
    "times implicit, wall",
    "times implicit, processor",
]
MANY = tuple(
    f"{name}@{k}"
    for name in (
        "recall", "ndcg", "precision", "mrr", "average_precision", "hit_rate", "coverage", "novelty", "gini",
    )
    for k in (1, 5, 10, 20)
)  # fmt: skip


@dataclass(frozen=True)
class Taken:
    """Seconds of one call for ``users`` users."""

    wall: float
    processor: float
    users: int


def main() -> None:
    split = dataset(SPLIT).split()
    train = Interactions.of(split.train)
    model = ALS(dim=64, alpha=60.0, regularization=100.0).fit(train).scorer
    assert isinstance(model, Embeddings)
    seen, everybody = train.histories(), np.arange(len(train.users))
    truth = Truth.of(split.test, train.users, train.items)
    peer = implicit(model, seen)
    low = precisions(0)[0]
    works: dict[str, Callable[[IntArray], Any]] = {
        "implicit recommend": peer,
        "ours: rank": lambda users: rank(model, users, K, seen),
        "ours: nomination and certificate alone": lambda users: nominated(model, seen, users),
        f"the product alone, {low}": lambda users: product(model, low, users),
        "the product alone, float32": lambda users: product(model, "float32", users),
        "numpy alone": lambda users: few(Dot(), model.items, model.users[users], K, seen.take(users)),
        "evaluate, 1 metric": lambda users: evaluate(model, of(truth, users), seen, metrics=MANY[:1]),
        f"evaluate, {len(MANY)} metrics": lambda users: evaluate(model, of(truth, users), seen, metrics=MANY),
    }
    taken: dict[str, list[Taken]] = {name: [] for name in works}
    same, certain = [], []
    for work in works.values():
        work(everybody[:SMALL])  # imports, and whatever is made once
    for users in np.array_split(everybody, ROUNDS):
        found = {}
        for name, work in works.items():
            found[name] = timed(lambda work=work, users=users: work(users), len(users), taken[name])  # type: ignore[misc]
        same.append(alike(found["ours: rank"][0], found["implicit recommend"]))
        certain.append(found["ours: nomination and certificate alone"][2].mean())
    rows = [row(name, each, taken["implicit recommend"]) for name, each in taken.items()]
    for each in rows:
        print(*each, flush=True)
    notes = [
        f"The goal is {GOAL:.0f} times implicit, with the same lists for 99.9 % of users: "
        f"{np.mean(same):.2%} of the lists have the same items as implicit's.",
        f"{1 - np.mean(certain):.2%} of the lists were not certain and were scored against all items, "
        "so every list is the true one up to the rounding of float32.",
        "Evaluation may cost what ranking does and 20 %, whatever the number of metrics.",
    ]
    claim = (
        f"Top-{K} for all {len(everybody):,} users of {SPLIT} over {len(train.items):,} items, d 64 (ALS), "
        f"seen items removed, {torch.get_num_threads()} threads; the users in {ROUNDS} parts, and all works "
        "in turn on each."
    )
    Result("ranking", "Exact ranking", claim, COLUMNS, rows, notes).save()


def of(truth: Truth, users: IntArray) -> Truth:
    """The truth of some of its users."""
    return truth.at(np.flatnonzero(np.isin(truth.users, users)))


def implicit(model: Embeddings, seen: Ragged) -> Callable[[IntArray], Codes]:
    """``recommend`` of implicit's own model with our vectors, BLAS held to one thread as it asks."""
    from implicit.cpu.als import AlternatingLeastSquares
    from scipy import sparse
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, "blas"):
        peer = AlternatingLeastSquares(factors=model.dim)
    peer.user_factors, peer.item_factors = model.users, model.items
    shape = (len(model.users), len(model.items))
    matrix = sparse.csr_matrix(
        (np.ones(len(seen.indices), np.float32), seen.indices, seen.indptr), shape=shape
    )

    def recommend(users: IntArray) -> Codes:
        with threadpool_limits(1, "blas"):
            codes, _ = peer.recommend(users, matrix[users], N=K, filter_already_liked_items=True)
        return np.asarray(codes, dtype=np.int32)

    return recommend


def nominated(model: Embeddings, seen: Ragged, users: IntArray) -> tuple[Any, Any, Any]:
    """What ``rank`` does, without what the lists that are not certain cost."""
    return Nomination(Dot(), model.items).query(model.users[users], K, seen.take(users))


def product(model: Embeddings, precision: Precision, users: IntArray) -> None:
    """All scores in blocks of 256 users, kept nowhere: the floor of any exact ranking."""
    vectors, items = (
        torch.from_numpy(each).to(getattr(torch, precision)) for each in (model.users[users], model.items)
    )
    for start in range(0, len(vectors), 256):
        torch.mm(items, vectors[start : start + 256].T)


def timed(work: Callable[[], Any], users: int, taken: list[Taken]) -> Any:
    """Call, and note its wall and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    found = work()
    taken.append(Taken(time.perf_counter() - wall, time.process_time() - processor, users))
    return found


def row(name: str, taken: list[Taken], peer: list[Taken]) -> list[Any]:
    """Best rate, and the median over the rounds of the ratio to the peer in the same round."""
    wall = statistics.median(
        (other.wall / other.users) / (each.wall / each.users) for each, other in zip(taken, peer, strict=True)
    )
    processor = statistics.median(
        (other.processor / other.users) / (each.processor / each.users)
        for each, other in zip(taken, peer, strict=True)
    )
    best = max(each.users / each.wall for each in taken)
    cost = statistics.median(each.processor / each.users for each in taken) * 1e6
    return [name, best, cost, wall, processor]


def alike(ours: Codes, theirs: Codes) -> float:
    """Share of users whose two lists hold the same items."""
    return float((np.sort(ours, axis=1) == np.sort(theirs, axis=1)).all(axis=1).mean())


if __name__ == "__main__":
    main()
