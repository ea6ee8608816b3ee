"""What an index promises: its recall against exact ranking, and the cheapest setting that keeps it."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from recsys import plugins
from recsys.errors import InputError
from recsys.learning.distances.distance import Distance
from recsys.ragged import Ragged
from recsys.retrieval.index.annoy_index import AnnoyIndex
from recsys.retrieval.index.exact import Exact
from recsys.retrieval.index.index import Index
from recsys.retrieval.index.store import Choice
from recsys.seeds import generator
from recsys.storage.arrays import Codes, FloatArray, IntArray

SAMPLE: Final = 200  # users that a setting is chosen on, and as many others that it is confirmed on
FRESH: Final = 1000  # users that a promise is verified on
TIMED: Final = 40  # users asked one at a time
BATCHES: Final = 3  # times that a sample is asked at once
MARGIN: Final = 2.0  # standard errors by which a sample must pass the target
TREES: Final = (
    10,
    20,
    40,
)  # each build costs as much as all before it, so that the last is over half of the work
FIRST_SEARCH: Final = 10
WORTH: Final = 1.2  # how many times as fast a forest must be for lists that are only nearly the true ones


@dataclass(frozen=True, slots=True)
class Measured:
    """One point of the curve: a setting, its recall (mean over users, its standard error) and times.

    Args:
        trees: Of the forest; 0 for exact ranking.
        search_k: Of a query; 0 for exact ranking.
        recall: Mean over users.
        error: Its standard error.
        p50_ms: Median time of a query of one user.
        p95_ms: 95th percentile of that.
        batch_ms: Time a user, where many are asked at once.
    """

    trees: int
    search_k: int
    recall: float
    error: float
    p50_ms: float
    p95_ms: float
    batch_ms: float

    def meets(self, target: float) -> bool:
        """Whether the recall over all users is at least ``target``, with a margin for the sampling."""
        return self.recall - MARGIN * self.error >= target


@dataclass(frozen=True, slots=True)
class Chosen:
    """An index and what it promises.

    Args:
        index: Built over all items.
        k: Length of the lists that were measured.
        target: The recall asked for.
        promised: Measured on users that the setting was not chosen on.
        exact: Latencies of exact ranking beside it.
        curve: Every setting that was tried.
        why: Why this kind was taken.
        seed: Which tells the users that were measured, so that others can verify.
    """

    index: Exact | AnnoyIndex
    k: int
    target: float
    promised: Measured
    exact: Measured
    curve: tuple[Measured, ...]
    why: str
    seed: int = 0

    @property
    def batch_kind(self) -> Literal["annoy", "exact"]:
        """What ranks many users at once, as an export does: Annoy only where it gains there, too.

        An exact ranking shares its work between users where trees are asked anew for each, so that the forest
        that answers one user sooner is often the slower one for all of them.
        """
        gains = self.promised.batch_ms * WORTH <= self.exact.batch_ms
        return "annoy" if isinstance(self.index, AnnoyIndex) and gains else "exact"

    @property
    def promise(self) -> dict[str, Any]:
        """What goes into the manifest beside the index."""
        return {
            "target": self.target,
            "k": self.k,
            f"recall@{self.k}": self.promised.recall,
            "recall_error": self.promised.error,
            "p50_ms": self.promised.p50_ms,
            "p95_ms": self.promised.p95_ms,
            "batch_ms": self.promised.batch_ms,
            "exact": self._exact,
            "batch_kind": self.batch_kind,
            "why": self.why,
            "seed": self.seed,
            "curve": [asdict(point) for point in self.curve],
        }

    @property
    def summary(self) -> dict[str, Any]:
        """What goes into ``run.json``: kind, options, recall, times beside those of exact ranking, target."""
        annoy = isinstance(self.index, AnnoyIndex)
        return {
            "kind": "annoy" if annoy else "exact",
            "options": {"trees": self.promised.trees, "search_k": self.promised.search_k} if annoy else {},
            f"recall@{self.k}": self.promised.recall,
            "p50_ms": self.promised.p50_ms,
            "p95_ms": self.promised.p95_ms,
            "batch_ms": self.promised.batch_ms,
            "exact": self._exact,
            "batch_kind": self.batch_kind,
            "target": self.target,
        }

    @property
    def _exact(self) -> dict[str, float]:
        return {key: getattr(self.exact, key) for key in ("p50_ms", "p95_ms", "batch_ms")}


@dataclass(frozen=True, slots=True)
class Sample:
    """Users to measure on, what they have seen, and of their true lists the last score and the length."""

    vectors: FloatArray
    seen: Ragged
    last: FloatArray
    lengths: IntArray


def choose(
    items: FloatArray,
    users: FloatArray,
    seen: Ragged,
    distance: str,
    *,
    target: float = 0.95,
    k: int = 20,
    kind: Choice = "auto",
    seed: int = 0,
) -> Chosen:
    """Find the cheapest index whose lists hold at least ``target`` of the true top k, seen items left out.

    One forest is asked with more and more search until it meets the target; a larger forest is tried only
    where that costs as much as exact ranking. The setting must also pass on a second sample of users. All
    forests together cost less than twice the last one.

    Args:
        items: (I, D).
        users: (U, D), the vectors that will be asked.
        seen: A row for each user.
        distance: Name of a part in ``recsys/learning/distances``.
        target: Recall in (0, 1].
        k: Length of the lists.
        kind: ``auto`` takes exact ranking where that is about as fast, or where annoy is not installed.
        seed: Of the samples and of the forest.

    Raises:
        InputError: If the target or k is out of range.
        RecsysError: If ``annoy`` is asked for and is not installed, or has no metric for the distance.
    """
    if not 0 < target <= 1:
        raise InputError(f"the target recall is {target}; it lies above 0 and is at most 1, as 0.95")
    if k < 1:
        raise InputError(f"k is {k}; a list has at least 1 item")
    truth = Exact(distance).build(items)
    part: Distance = plugins.make("distances", distance)
    first, second = (
        _sample(truth, part, items, users, seen, codes, k) for codes in _parts(len(users), seed)[:2]
    )
    exact = Measured(0, 0, 1.0, 0.0, *_latencies(truth, first, k), _batch_ms(truth, first, k))
    curve: list[Measured] = []
    why = "exact was asked for"
    if kind == "auto" and part.index_metric is None:
        why = f"annoy has no metric of the order of {distance}"
    elif kind == "auto" and find_spec("annoy") is None:
        why = "annoy is not installed"
    elif kind != "exact":
        for trees in TREES:
            forest = AnnoyIndex(distance, trees, FIRST_SEARCH, seed).build(items)
            limit = math.inf if kind == "annoy" and trees == TREES[-1] else exact.p50_ms / WORTH
            found = _climb(forest, _Trial(part, items, first, second, k, target, limit, curve))
            if found is not None:
                index, promised = found
                why = f"{exact.p50_ms / promised.p50_ms:.1f} times as fast as exact ranking"
                return Chosen(index, k, target, promised, exact, tuple(curve), why, seed)
        why = f"no Annoy setting that meets the target is {WORTH} times as fast as exact ranking"
    return Chosen(truth, k, target, exact, exact, tuple(curve), why, seed)


def verify(
    index: Index, items: FloatArray, users: FloatArray, seen: Ragged, distance: str, *, k: int, seed: int
) -> Measured:
    """Measure an index again, on users it was not chosen on; on all where there are few.

    Args:
        index: The index over ``items``.
        items: (I, D).
        users: (U, D).
        seen: A row for each user.
        distance: The run's distance.
        k: Length of the lists, as promised.
        seed: The seed that the index was chosen with, which tells the users used then.
    """
    part: Distance = plugins.make("distances", distance)
    truth = Exact(distance).build(items)
    fresh = _parts(len(users), seed)[2]
    return _measure(index, part, items, _sample(truth, part, items, users, seen, fresh, k), k)


def _parts(users: int, seed: int) -> tuple[IntArray, IntArray, IntArray]:
    """Users to choose on, to confirm on and to verify on; disjoint where there are enough."""
    order = generator(seed, "index", "users").permutation(users)
    if users < 2:
        return order, order, order
    size = min(SAMPLE, users // 2)
    fresh = order[2 * size : 2 * size + FRESH]
    return order[:size], order[size : 2 * size], fresh if len(fresh) == FRESH else order[:FRESH]


@dataclass(frozen=True, slots=True)
class _Trial:
    """What a forest is tried on, and the points seen so far."""

    part: Distance
    items: FloatArray
    first: Sample
    second: Sample
    k: int
    target: float
    limit: float
    curve: list[Measured]


def _climb(forest: AnnoyIndex, trial: _Trial) -> tuple[AnnoyIndex, Measured] | None:
    """The least search that meets the target on both samples; None where it costs as much as the limit.

    The search is doubled until the first sample meets the target, taken half a step back, and from there
    raised in half steps until both samples do.
    """

    def tried(search: float) -> tuple[AnnoyIndex, Measured]:
        index = forest.with_search(round(search))
        point = _measure(index, trial.part, trial.items, trial.first, trial.k)
        trial.curve.append(point)
        return index, point

    search = float(FIRST_SEARCH)
    index, point = tried(search)
    while not point.meets(trial.target) and point.p50_ms < trial.limit:
        search *= 2
        index, point = tried(search)
    search /= 2**0.5
    while point.p50_ms < trial.limit:
        index, point = tried(search)
        if point.meets(trial.target):
            promised = _measure(index, trial.part, trial.items, trial.second, trial.k)
            if promised.meets(trial.target) and promised.p50_ms < trial.limit:
                return index, promised
        search *= 2**0.5
    return None


def _sample(
    truth: Exact, part: Distance, items: FloatArray, users: FloatArray, seen: Ragged, codes: IntArray, k: int
) -> Sample:
    vectors, rows = np.ascontiguousarray(users[codes]), seen.take(codes)
    listed, _ = truth.query(vectors, k, rows)
    scores = _scores(part, vectors, items, listed)
    lengths = (listed >= 0).sum(axis=1)
    last = np.where(listed >= 0, scores, np.inf).min(axis=1, initial=np.inf)
    last = np.where(lengths > 0, last, 0.0)  # a user with nothing left is not counted
    return Sample(vectors, rows, last.astype(np.float32), lengths)


def _measure(index: Index, part: Distance, items: FloatArray, sample: Sample, k: int) -> Measured:
    """Recall and latencies; an item as near as the last of the true list is as good as it."""
    listed, _ = index.query(sample.vectors, k, sample.seen)
    scores = _scores(part, sample.vectors, items, listed)
    hits = (scores >= (sample.last - 1e-6 * np.abs(sample.last))[:, None]).sum(axis=1)
    counted = sample.lengths > 0
    recall = np.minimum(hits[counted] / sample.lengths[counted], 1.0)
    p50_ms, p95_ms = _latencies(index, sample, k)
    return Measured(
        trees=index.trees if isinstance(index, AnnoyIndex) else 0,
        search_k=index.search_k if isinstance(index, AnnoyIndex) else 0,
        recall=float(recall.mean()) if len(recall) else 1.0,
        error=float(recall.std() / len(recall) ** 0.5) if len(recall) else 0.0,
        p50_ms=p50_ms,
        p95_ms=p95_ms,
        batch_ms=_batch_ms(index, sample, k),
    )


def _latencies(index: Index, sample: Sample, k: int) -> tuple[float, float]:
    """Median and 95th percentile, in milliseconds, of a query as it is served: one user at a time."""
    timed = [_milliseconds(index, sample, user, k) for user in range(min(TIMED, len(sample.vectors)))] or [
        0.0
    ]
    return float(np.quantile(timed, 0.5)), float(np.quantile(timed, 0.95))


def _batch_ms(index: Index, sample: Sample, k: int) -> float:
    """Time a user, in milliseconds, when all of a sample are asked at once: the best of a few times.

    The index has been asked before: what it makes at its first query is made once for an export.
    """
    taken = []
    for _ in range(BATCHES):
        started = time.perf_counter()
        index.query(sample.vectors, k, sample.seen)
        taken.append(time.perf_counter() - started)
    return 1e3 * min(taken) / max(len(sample.vectors), 1)


def _milliseconds(index: Index, sample: Sample, user: int, k: int) -> float:
    vector, seen = sample.vectors[user : user + 1], sample.seen.take(np.array([user]))
    started = time.perf_counter()
    index.query(vector, k, seen)
    return 1e3 * (time.perf_counter() - started)


def _scores(part: Distance, vectors: FloatArray, items: FloatArray, listed: Codes) -> npt.NDArray[np.float32]:
    """Scores (n, k) of listed items, by one arithmetic so that equal items have equal ones; -inf for -1."""
    near = np.asarray(part.similarity(vectors[:, None, :], items[np.maximum(listed, 0)]), dtype=np.float32)
    return np.where(listed >= 0, near, -np.inf).astype(np.float32)
