"""One training step beside the three matrix products that no step can avoid."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import numpy as np
import polars as pl
import torch

from benchmarks.report import Result
from recsys.columns import ITEM, TIME, USER, WEIGHT
from recsys.data.tables import Interactions
from recsys.ids import IdMap
from recsys.learning.training.batch import Batch
from recsys.learning.training.loop import batches
from recsys.learning.training.precision import has_bfloat16
from recsys.learning.training.step import step
from recsys.models.two_tower import TwoTower
from recsys.seeds import generator

USERS, ITEMS, ROWS = 30_000, 41_000, 810_000
BATCH, CANDIDATES, DIM = 2048, 2048, 64
LOSSES = ["bpr", "contrastive", "triplet", "infonce"]
TURNS, STEPS = 15, 8


def log() -> Interactions:
    """A log of the size of Gowalla's, with a long tail of users and of items."""
    rng = generator(0, "step")
    users = rng.choice(USERS, ROWS, p=_tail(USERS, 0.5))
    items = rng.choice(ITEMS, ROWS, p=_tail(ITEMS, 0.7))
    ids = [IdMap(pl.Series("id", [str(each) for each in range(size)])) for size in (USERS, ITEMS)]
    codes = {USER: pl.Series(users, dtype=pl.UInt32), ITEM: pl.Series(items, dtype=pl.UInt32)}
    extra = {TIME: pl.zeros(ROWS, pl.Int64, eager=True), WEIGHT: pl.ones(ROWS, pl.Float32, eager=True)}
    return Interactions(pl.DataFrame(codes | extra).unique([USER, ITEM]).sort(USER, ITEM), ids[0], ids[1])


def lookup(**options: Any) -> TwoTower:
    """Free vectors from a random start: the two towers without what is done before and after the steps."""
    return TwoTower(tower="lookup", start="normal", hops=0, **options)


def stepper(model: TwoTower, train: Interactions) -> Callable[[], None]:
    """A whole step of a model, sampling included."""
    work = model.prepare(train)

    def forever() -> Iterator[Batch]:
        for epoch in count(1):
            yield from batches(work, epoch)

    ready = forever()

    def one() -> None:
        step(next(ready), work.tables, work.parts)
        _done(work.tables["items"])

    return one


def products(dtype: torch.dtype, device: torch.device) -> Callable[[], None]:
    """Scores, and their slopes brought back to both sides."""
    users, items = (torch.randn(size, DIM, device=device).to(dtype) for size in (BATCH, CANDIDATES))
    slopes = torch.randn(BATCH, CANDIDATES, device=device).to(dtype)
    return lambda: _done((users @ items.T)[0, 0] + (slopes @ items)[0, 0] + (slopes.T @ users)[0, 0])


def implicit_bpr(train: Interactions) -> float:
    """Scored pairs a second of implicit's BPR, two for each interaction."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking
    from scipy import sparse
    from threadpoolctl import threadpool_limits

    matrix, epochs = sparse.csr_matrix(train.csr()), 5
    with threadpool_limits(1, user_api="blas"):
        model = BayesianPersonalizedRanking(factors=DIM, iterations=epochs, random_state=0)
        started = time.perf_counter()
        model.fit(matrix, show_progress=False)
    return 2 * epochs * matrix.nnz / (time.perf_counter() - started)


def milliseconds(works: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Median time of each, taken in turns, so that a busy moment of the machine falls on all of them."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(TURNS):
        for name, work in works.items():
            work()
            for _ in range(STEPS):
                started = time.perf_counter()
                work()
                taken[name].append(time.perf_counter() - started)
    return {name: statistics.median(times) * 1e3 for name, times in taken.items()}


def main() -> None:
    train = log()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    short = torch.bfloat16 if has_bfloat16(device) else torch.float32
    works = {"three float32 products": products(torch.float32, device), "the floor": products(short, device)}
    for loss in LOSSES:
        works[loss] = stepper(lookup(loss=loss, dim=DIM, batch=BATCH, candidates=CANDIDATES), train)
    times = milliseconds(works)
    floor = times["the floor"]
    pairs = BATCH * CANDIDATES
    rows = [
        [f"three {short} products, the floor".replace("torch.", "") if name == "the floor" else name,
         taken, taken / floor, pairs / taken / 1e3]
        for name, taken in times.items()
    ]  # fmt: skip
    rows.append(["implicit BPR, one negative per positive", None, None, implicit_bpr(train) / 1e6])
    for row in rows:
        print(row, flush=True)
    Result(
        "step" if short is torch.bfloat16 else "step-float32",
        "One training step" if short is torch.bfloat16 else "One training step, without bfloat16",
        f"{BATCH} positives x {CANDIDATES} shared candidates, {DIM} dimensions, on a log of {USERS:,} users, "
        f"{ITEMS:,} items and {len(train):,} rows; sampling, known positives, optimiser included. Median of "
        f"{TURNS * STEPS}, taken in turns on {torch.get_num_threads()} threads.",
        ["work", "ms", "times the floor", "million scored pairs per second"],
        rows,
        [
            "Goal: 2 x the floor, 800 million scored pairs per second on two idle cores."
            if short is torch.bfloat16
            else "Goal: 1.5 x the floor."
        ],
    ).save()


def _tail(size: int, power: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    weights = 1 / np.arange(1, size + 1) ** power
    shares: np.ndarray[tuple[int], np.dtype[np.float64]] = weights / weights.sum()
    return shares


def _done(value: torch.Tensor) -> None:
    """Wait for the device."""
    if value.is_cuda:
        torch.cuda.synchronize()


if __name__ == "__main__":
    main()
