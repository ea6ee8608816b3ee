"""Training and exact ranking with everything on one GPU: steps, an epoch of 20 M rows, lists for everybody.

    python -m benchmarks.gpu [--device cuda] [--small]

Runs in a few minutes on one data-centre GPU with 24 GB or more; ``--device cpu --small`` shows that it runs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
import torch

from benchmarks.logs import long_tail
from benchmarks.report import Result
from benchmarks.step import lookup
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.learning.training.batch import Batch
from recsys.learning.training.loop import TrainingSetup, batches, embed, run_epoch
from recsys.learning.training.step import step
from recsys.models.two_tower import TwoTower
from recsys.retrieval.index.exact_torch import ExactOnDevice
from recsys.retrieval.ranking import rank

LOSSES = ("bpr", "triplet", "infonce")
DIM, K, TURNS = 64, 20, 3
COLUMNS = ["work", "seconds", "billion scored pairs per second", "goal"]


@dataclass(frozen=True)
class Size:
    """What is measured.

    Args:
        users: Of the log, and lists that are made.
        items: Of the log.
        rows: Of the log.
        batches: Positives, and as many candidates, of a step.
        steps: In a row, of each loss and batch.
    """

    users: int
    items: int
    rows: int
    batches: tuple[int, ...]
    steps: int


WHOLE = Size(140_000, 27_000, 20_000_000, (2048, 8192, 16384), 50)
SMALL = Size(1_000, 500, 20_000, (256,), 3)


def steps(train: Interactions, size: Size, device: str) -> list[list[Any]]:
    """Time of a whole step, sampling included, of each loss at each batch; the device never waits for us."""
    rows = []
    for batch in size.batches:
        candidates = min(batch, size.items)
        for loss in LOSSES:
            taken = _seconds(_stepper(_model(loss, batch, device).prepare(train)), size.steps, device)
            goal = "10" if batch == max(size.batches) else None
            title = f"a step, {loss}, {batch} x {candidates}"
            rows.append([title, taken, batch * candidates / taken / 1e9, goal])
    return rows


def epoch_and_lists(train: Interactions, size: Size, device: str) -> list[list[Any]]:
    """One epoch of the whole log, and then the best items of every user, seen ones left out."""
    batch = sorted(size.batches)[len(size.batches) // 2]
    work = _model("infonce", batch, device).prepare(train)
    _stepper(work)()  # kernels are loaded
    _wait(device)
    started = time.perf_counter()
    figures = run_epoch(work, 1)
    taken = time.perf_counter() - started
    title = f"an epoch of {len(train):,} rows, infonce, {batch} x {min(batch, size.items)}"
    vectors = embed(work)
    model = Embeddings(vectors["users"], vectors["items"], train.users, train.items, "cosine")
    seen = train.histories()
    index = ExactOnDevice(model.distance, device).build(model.items)
    everyone = np.arange(len(train.users))
    lists = _seconds(lambda: rank(model, everyone, K, seen, index), 1, device)
    scored = len(train.users) * len(train.items) / lists / 1e9
    return [
        [title, taken, figures["pairs_per_second"] / 1e9, "5 s"],
        [f"exact top-{K} of {len(train.users):,} users x {len(train.items):,} items", lists, scored, "1 s"],
    ]


def measure(size: Size, device: str) -> list[list[Any]]:
    """All rows of the table."""
    train = long_tail(size.users, size.items, size.rows)
    return [*steps(train, size, device), *epoch_and_lists(train, size, device)]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--small", action="store_true", help="sizes that show that it runs; nothing is kept")
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        print("there is no CUDA device; `--device cpu --small` shows that the script runs", file=sys.stderr)
        return 2
    rows = measure(SMALL if options.small else WHOLE, options.device)
    print(*COLUMNS, sep="  ")
    for row in rows:
        print(*(f"{cell:.4g}" if isinstance(cell, float) else cell for cell in row), sep="  ")
    if options.device == "cuda" and not options.small:
        Result(
            "gpu",
            "On one GPU",
            f"Everything on {torch.cuda.get_device_name()}: interactions, sampler, known positives, vectors, "
            f"optimiser, exact ranking; d {DIM}. A step is the median of {TURNS} turns of {WHOLE.steps}, "
            "sampling included.",
            COLUMNS,
            rows,
        ).save()
    return 0


def _model(loss: str, batch: int, device: str) -> TwoTower:
    return lookup(loss=loss, dim=DIM, batch=batch, candidates=batch, device=device)


def _stepper(work: TrainingSetup) -> Callable[[], object]:
    def forever() -> Iterator[Batch]:
        for epoch in count(1):
            yield from batches(work, epoch)

    ready = forever()
    return lambda: step(next(ready), work.tables, work.parts)


def _seconds(work: Callable[[], object], times: int, device: str) -> float:
    """Median over turns of the mean of ``times``, after a turn that warms up."""
    taken = []
    for _ in range(TURNS + 1):
        _wait(device)
        started = time.perf_counter()
        for _ in range(times):
            work()
        _wait(device)
        taken.append((time.perf_counter() - started) / times)
    return statistics.median(taken[1:])


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


if __name__ == "__main__":
    sys.exit(main())
