"""Where the time goes, for the two goals that are missed: a training step, and ETL beside polars by hand.

python -m benchmarks.breakdown [--rows 5_000_000]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.etl import write_log
from benchmarks.report import Result
from benchmarks.step import BATCH, CANDIDATES, DIM, log, lookup, stepper
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl
from recsys.storage.home import Home

ROWS, STEPS = 5_000_000, 60
LOSSES = ["triplet", "infonce"]
KINDS: Final = {
    "products": ("mm", "addmm", "bmm"),
    "reading and writing rows": (
        "index_select", "index_copy_", "index_add_", "scatter_add_", "index_fill_", "index", "cat",
        "repeat_interleave", "cumsum", "arange",
    ),
    "passes over the scores": ("exp_", "sigmoid_", "gt_", "relu_", "amax", "sub_", "masked_fill_"),
}  # fmt: skip
REST: Final = "unit vectors, optimiser and other small work"


@dataclass
class Stages:
    """Wall seconds of each stage that ETL reports."""

    wall: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def __call__(self, label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """Time one; see ``Progress``."""
        started = time.perf_counter()
        yield lambda _: None
        self.wall[label] += time.perf_counter() - started


def of_step(loss: str) -> list[list[Any]]:
    """Milliseconds of a step by kind of work, as the profiler sees it (which adds a little to each)."""
    one = stepper(lookup(loss=loss, dim=DIM, batch=BATCH, candidates=CANDIDATES), log())
    for _ in range(STEPS):
        one()
    with profile(activities=[ProfilerActivity.CPU]) as watched:
        for _ in range(STEPS):
            one()
    kinds = {f"aten::{name}": kind for kind, names in KINDS.items() for name in names}
    spent: Counter[str] = Counter()
    for event in watched.key_averages():
        spent[kinds.get(event.key, REST)] += event.self_cpu_time_total / STEPS / 1e3
    return _rows(f"step, {loss}", "ms", dict.fromkeys([*KINDS, REST], 0.0) | spent)


def of_etl(rows: int) -> list[list[Any]]:
    """Seconds of a run of ETL by stage."""
    stages = Stages()
    with tempfile.TemporaryDirectory(prefix="recsys-breakdown-") as folder:
        path = Path(folder) / "log.csv"
        write_log(path, rows)
        options = EtlOptions(logs=[str(path)], positive_from=4, min_user=2, min_item=2)
        started = time.perf_counter()
        etl(options, Home(Path(folder) / "home"), stages)
        whole = time.perf_counter() - started
    return _rows(f"etl, {rows:,} rows", "s", {**stages.wall, "the rest": whole - stages.wall.total()})


def _rows(work: str, unit: str, spent: dict[str, float]) -> list[list[Any]]:
    total = sum(spent.values())
    return [[work, part, f"{value:.2f} {unit}", f"{value / total:.0%}"] for part, value in spent.items()]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=ROWS)
    rows = [row for loss in LOSSES for row in of_step(loss)] + of_etl(parser.parse_args().rows)
    for row in rows:
        print(*row, sep="  ", flush=True)
    Result(
        "breakdown",
        "Where the time goes",
        f"A training step of {BATCH} positives x {CANDIDATES} candidates on {torch.get_num_threads()} "
        "threads, by kind of work; and the stages of `recsys etl`.",
        ["work", "part", "time", "share"],
        rows,
        [
            "A step: the products are as fast as the floor's; what stands between it and 2 x is reading "
            "and writing rows (gathers of 6,144 vectors, and a look-up of each item that the batch's users "
            "chose), which two cores do at the speed of their memory, and one pass over the 4 M scores.",
            "ETL: polars by hand neither encodes, splits, counts nor hashes; it does what `reading` and "
            "`merging repeats` do here.",
        ],
    ).save()


if __name__ == "__main__":
    main()
