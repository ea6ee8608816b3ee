"""Choose an index: its recall against exact ranking, and the cheapest setting that keeps a target."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from recsys import plugins
from recsys.errors import InputError
from recsys.learning.distances.distance import Distance
from recsys.ragged import Ragged
from recsys.retrieval.index.exact import Exact
from recsys.retrieval.index.index import Index, Searchable
from recsys.retrieval.index.store import EXACT, check_choice
from recsys.seeds import generator
from recsys.storage.arrays import Codes, FloatArray, IntArray

SAMPLE: Final = 200  # users that a setting is chosen on, and as many others that it is confirmed on
FRESH: Final = 1000  # users that a promise is verified on
TIMED: Final = 40  # users asked one at a time
BATCHES: Final = 3  # times that a sample is asked at once
MARGIN: Final = 2.0  # standard errors by which a sample must pass the target
WORTH: Final = 1.2  # how many times as fast an index must be for lists that are only nearly the true ones


@dataclass(frozen=True, slots=True)
class Measured:
    """One point of the curve: a setting, its recall (mean over users, its standard error) and times.

    Args:
        setting: The options that were chosen, such as trees and search_k; none for exact ranking.
        recall: Mean over users.
        error: Its standard error.
        p50_ms: Median time of a query of one user.
        p95_ms: 95th percentile of that.
        batch_ms: Time per user, where many are asked at once.
    """

    setting: Mapping[str, int]
    recall: float
    error: float
    p50_ms: float
    p95_ms: float
    batch_ms: float

    @property
    def document(self) -> dict[str, Any]:
        """Plain JSON values, those of the setting first."""
        point = asdict(self)
        return {**point.pop("setting"), **point}

    def meets(self, target: float) -> bool:
        """Whether the recall over all users is at least ``target``, with a margin for the sampling."""
        return self.recall - MARGIN * self.error >= target


@dataclass(frozen=True, slots=True)
class Chosen:
    """An index and what it promises.

    Args:
        kind: Its name in the family ``indexes``.
        index: The index.
        k: Length of the lists that were measured.
        target: The recall asked for.
        promised: Measured on users that the setting was not chosen on.
        exact: Latencies of exact ranking, to compare with.
        curve: Every setting that was tried.
        why: Why this kind was taken.
        seed: Decides which users were measured, so that others can verify.
    """

    kind: str
    index: Index
    k: int
    target: float
    promised: Measured
    exact: Measured
    curve: tuple[Measured, ...]
    why: str
    seed: int = 0

    @property
    def batch_kind(self) -> str:
        """What ranks many users at once, as an export does: the index only where it is faster there, too.

        An exact ranking shares its work between users where trees are searched again for each, so that the
        index that answers one user sooner is often the slower one for all of them.
        """
        return self.kind if self.promised.batch_ms * WORTH <= self.exact.batch_ms else EXACT

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
            "curve": [point.document for point in self.curve],
        }

    @property
    def summary(self) -> dict[str, Any]:
        """What goes into ``run.json``: kind, options, recall, times beside those of exact ranking, target."""
        return {
            "kind": self.kind,
            "options": dict(self.promised.setting),
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
    kind: str = "auto",
    seed: int = 0,
) -> Chosen:
    """Find the cheapest index whose lists hold at least ``target`` of the true top k, seen items left out.

    Every kind is asked with more and more search until it meets the target; a dearer build is tried only
    where that costs as much as exact ranking. The setting must also pass on a second sample of users. All
    forests of Annoy together cost less than twice the last one.

    Args:
        items: (I, D).
        users: (U, D), the vectors that will be asked.
        seen: A row for each user.
        distance: Name of a part in ``recsys/learning/distances``.
        target: Recall in (0, 1].
        k: Length of the lists.
        kind: A part of the family ``indexes``; ``auto`` is the fastest of those that are installed and take
            the distance, or exact ranking where that is about as fast.
        seed: Of the samples and of the index.

    Raises:
        InputError: If the target or k is out of range, there is no such kind, or the kind asked for does not
            take the distance or never meets the target.
        RecsysError: If the kind asked for is not installed.
    """
    if not 0 < target <= 1:
        raise InputError(f"the target recall is {target}; it is above 0 and at most 1, such as 0.95")
    if k < 1:
        raise InputError(f"k is {k}; a list has at least 1 item")
    check_choice(kind)
    truth = Exact(distance).build(items)
    part: Distance = plugins.make("distances", distance)
    first, second = (
        _sample(truth, part, items, users, seen, codes, k) for codes in _parts(len(users), seed)[:2]
    )
    exact = Measured({}, 1.0, 0.0, *_latencies(truth, first, k), _batch_ms(truth, first, k))
    curve: list[Measured] = []
    trial = _Trial(part, items, first, second, k, target, exact.p50_ms / WORTH, curve)
    best: tuple[str, Index, Measured] | None = None
    reasons = []
    for name in [each for each in (plugins.names("indexes") if kind == "auto" else [kind]) if each != EXACT]:
        obstacle = _obstacle(name, distance, part) if kind == "auto" else None
        found = None if obstacle else _tried(name, distance, trial, seed, last_resort=kind != "auto")
        if found is not None:
            best, trial = (name, *found), replace(trial, limit=found[1].p50_ms)
        elif kind == name:
            raise InputError(
                f"no setting of {name} has recall@{k} of {target:g}; lower the target, or take --index exact"
            )
        reasons.append(
            obstacle
            or f"no setting of {name} that meets the target is {WORTH} times as fast as exact ranking"
        )
    if best is None:
        why = "; ".join(reasons) or "exact was asked for"
        return Chosen(EXACT, truth, k, target, exact, exact, tuple(curve), why, seed)
    why = f"{exact.p50_ms / best[2].p50_ms:.1f} times as fast as exact ranking"
    return Chosen(best[0], best[1], k, target, best[2], exact, tuple(curve), why, seed)


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
        seed: The seed that the index was chosen with, which decides the users used then.
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
    """What an index is tried on, the time of a query that it must stay below, and the points seen so far."""

    part: Distance
    items: FloatArray
    first: Sample
    second: Sample
    k: int
    target: float
    limit: float
    curve: list[Measured]

    def measure(self, index: Index, sample: Sample) -> Measured:
        return _measure(index, self.part, self.items, sample, self.k)

    def passed(self, index: Index, point: Measured) -> Measured | None:
        """Measured on the second sample, where the index passes both."""
        if not point.meets(self.target):
            return None
        promised = self.measure(index, self.second)
        return promised if promised.meets(self.target) and promised.p50_ms < self.limit else None


def _obstacle(name: str, distance: str, part: Distance) -> str | None:
    """Why a kind cannot be tried."""
    needs = plugins.part("indexes", name).constants
    if "metrics" in needs and part.index_metric not in needs["metrics"]:
        return f"{name} has no metric of the order of {distance}"
    if "package" in needs and find_spec(needs["package"]) is None:
        return f"{needs['package']} is not installed"
    return None


def _tried(
    name: str, distance: str, trial: _Trial, seed: int, *, last_resort: bool
) -> tuple[Index, Measured] | None:
    """The first build that has a setting within the limit; as a last resort the last build has no limit."""
    part = plugins.part("indexes", name)
    given = {"distance": distance} | (
        {"seed": seed} if "seed" in {each.name for each in part.options} else {}
    )
    builds = part.constants.get("builds", ({},))
    for options in builds:
        index: Index = plugins.make("indexes", name, {**given, **options}).build(trial.items)
        limit = math.inf if last_resort and options is builds[-1] else trial.limit
        found = _climb(index, replace(trial, limit=limit))
        if found is not None:
            return found
    return None


def _climb(index: Index, trial: _Trial) -> tuple[Index, Measured] | None:
    """The least search that meets the target on both samples; None where it costs as much as the limit.

    The search is doubled until the first sample meets the target, taken half a step back, and from there
    raised in half steps until both samples do. It ends where every item is looked at.
    """
    if not isinstance(index, Searchable):
        point = trial.measure(index, trial.first)
        trial.curve.append(point)
        promised = trial.passed(index, point)
        return None if promised is None else (index, promised)
    least = index.search[1]
    most = 2 * max(len(trial.items), least)

    def tried(search: float) -> tuple[Index, Measured]:
        asked: Index = index.with_search(round(search))
        point = trial.measure(asked, trial.first)
        trial.curve.append(point)
        return asked, point

    search = float(least)
    _, point = tried(search)
    while not point.meets(trial.target) and point.p50_ms < trial.limit and search <= most:
        search *= 2
        _, point = tried(search)
    search /= 2**0.5
    while point.p50_ms < trial.limit and search <= most:
        asked, point = tried(search)
        promised = trial.passed(asked, point)
        if promised is not None:
            return asked, promised
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
        setting=_setting(index),
        recall=float(recall.mean()) if len(recall) else 1.0,
        error=float(recall.std() / len(recall) ** 0.5) if len(recall) else 0.0,
        p50_ms=p50_ms,
        p95_ms=p95_ms,
        batch_ms=_batch_ms(index, sample, k),
    )


def _setting(index: Index) -> dict[str, int]:
    """The options that are chosen for an index, and their values."""
    if not isinstance(index, Searchable):
        return {}
    return {name: getattr(index, name) for name in (*index.builds[0], index.search[0])}


def _latencies(index: Index, sample: Sample, k: int) -> tuple[float, float]:
    """Median and 95th percentile, in milliseconds, of a query as it is served: one user at a time."""
    timed = [_milliseconds(index, sample, user, k) for user in range(min(TIMED, len(sample.vectors)))] or [
        0.0
    ]
    return float(np.quantile(timed, 0.5)), float(np.quantile(timed, 0.95))


def _batch_ms(index: Index, sample: Sample, k: int) -> float:
    """Time per user, in milliseconds, when all of a sample are asked at once: the best of a few times.

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
