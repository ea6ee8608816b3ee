"""How time and memory grow: a step with candidates and dimension; fit, rank and build with the log.

    python -m benchmarks.growth [--largest 1_000_000]

Each size is a process of its own. 10_000_000 takes about half an hour on two slow cores, and 11 GB.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, TypeAlias

import numpy as np

from benchmarks.charts import Lines, draw, exponent
from benchmarks.process import cost, resident, watched
from benchmarks.report import RESULTS, Result

AXES = ("users", "items", "interactions")
BASE = {"users": 100_000, "items": 10_000, "interactions": 1_000_000}
SMALLEST, LARGEST = 10_000, 1_000_000
CANDIDATES, DIMS = (256, 512, 1024, 2048, 4096, 8192, 16384), (16, 32, 64, 128, 256, 512)
BATCH, DIM, K, TREES, SAMPLE = 2048, 64, 20, 10, 2_000
# The parts of the work, and the axes along which they are measured.
WORK = {"fit": AXES, "als": AXES, "rank": AXES, "build": ("items",)}
TITLES = {
    "fit": "an epoch of two towers",
    "als": "an iteration of ALS",
    "rank": f"exact top-{K}",
    "build": f"Annoy, {TREES} trees",
}
COLUMNS = ["work", "against", "from", "to", "s at from", "s at to", "exponent", "MB at from", "MB at to",
           "exponent of MB"]  # fmt: skip

# work -> seconds and bytes above those of a process that did nothing yet.
Measured: TypeAlias = dict[str, tuple[float, float]]


def one(users: int, items: int, interactions: int, ranked: int, work: list[str]) -> Measured:
    """Measure the parts of the work on one log, in this process."""
    import torch

    from benchmarks.logs import long_tail
    from benchmarks.step import lookup
    from recsys.embeddings import Embeddings
    from recsys.learning.training.loop import embed, run_epoch
    from recsys.models.als import ALS
    from recsys.retrieval.index.annoy import Annoy
    from recsys.retrieval.ranking import rank

    torch.ones(2, 2) @ torch.ones(2, 2)  # what libraries make at first use does not grow
    base = resident()
    train = long_tail(users, items, interactions)
    found: Measured = {}

    def note(name: str, work_: Any) -> None:
        if name in work:
            seconds, peak = watched(work_)
            found[name] = (seconds, float(max(peak - base, 1)))

    note("als", lambda: ALS(dim=DIM, iterations=1).fit(train))
    kept: dict[str, Any] = {}
    model = lookup(dim=DIM, batch=BATCH, candidates=BATCH)

    def fit() -> None:
        ready = model.prepare(train)
        run_epoch(ready, 1)
        kept.update(embed(ready))

    note("fit", fit)
    if not kept:
        rng = np.random.default_rng(0)
        kept = {
            name: rng.standard_normal((size, DIM), dtype=np.float32)
            for name, size in (("users", users), ("items", items))
        }
    vectors = Embeddings(kept["users"], kept["items"], train.users, train.items, "cosine")
    seen = train.histories()
    some = np.linspace(0, users - 1, min(ranked, users)).astype(np.int64)
    note("rank", lambda: rank(vectors, some, K, seen))
    note("build", lambda: Annoy("cosine", TREES).build(vectors.items))
    return found


def sizes(largest: int) -> list[int]:
    """One a decade, from ``SMALLEST`` on."""
    count = round(np.log10(largest / SMALLEST)) + 1
    return [round(size) for size in np.geomspace(SMALLEST, largest, count)]


def along(axis: str, size: int) -> Measured:
    """One size of one axis, the others as in ``BASE``, in a process of its own.

    All users are ranked where their number is the axis, ``SAMPLE`` of them elsewhere.
    """
    point = BASE | {axis: size}
    work = [name for name, axes in WORK.items() if axis in axes]
    ranked = size if axis == "users" else SAMPLE
    words = [str(point[each]) for each in AXES] + [str(ranked), *work]
    command = [sys.executable, "-m", "benchmarks.growth", "--one", *words]
    found: Measured = json.loads(cost(command).output.splitlines()[-1])
    print(axis, size, found, flush=True)
    return found


def by_size(largest: int) -> dict[tuple[str, str], dict[int, tuple[float, float]]]:
    """(work, axis) -> size -> seconds and bytes."""
    table: dict[tuple[str, str], dict[int, tuple[float, float]]] = {}
    for axis in AXES:
        for size in sizes(largest):
            for work, found in along(axis, size).items():
                table.setdefault((work, axis), {})[size] = found
    return table


def steps(
    candidates: tuple[int, ...] = CANDIDATES, dims: tuple[int, ...] = DIMS
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """Milliseconds of a step against candidates, at ``DIM``, and against dimension, at ``BATCH``."""
    from benchmarks.logs import long_tail
    from benchmarks.step import lookup, milliseconds, stepper

    train = long_tail(30_000, 41_000, 800_000)
    works = {
        f"{count} {dim}": stepper(lookup(dim=dim, batch=BATCH, candidates=count), train)
        for count, dim in [*((count, DIM) for count in candidates), *((BATCH, dim) for dim in dims)]
    }
    taken = milliseconds(works)
    return (
        [(count, taken[f"{count} {DIM}"]) for count in candidates],
        [(dim, taken[f"{BATCH} {dim}"]) for dim in dims],
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--largest", type=int, default=LARGEST)
    parser.add_argument("--one", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        numbers, work = [int(word) for word in options.one[:4]], options.one[4:]
        print(json.dumps(one(*numbers, work)))
        return
    by_candidates, by_dim = steps()
    table = by_size(options.largest)
    rows = [_step_row("candidates", by_candidates), _step_row("dimension", by_dim)]
    rows += [_row(work, axis, points) for (work, axis), points in table.items()]
    charts = _draw(by_candidates, by_dim, table)
    Result(
        "growth",
        "How it grows",
        f"Time and memory against one size, the others as {BASE['users']:,} users, {BASE['items']:,} items "
        f"and {BASE['interactions']:,} interactions with a long tail; d {DIM}, {BATCH} x {BATCH} a step. "
        "Exponents are least-squares slopes of the logarithms over all sizes: below 1 where a constant part "
        "still counts. MB are above those of a process that did nothing yet.",
        COLUMNS,
        rows,
        [
            f"All users are ranked where their number grows, {SAMPLE:,} of them elsewhere.",
            f"Not measured: sizes above {options.largest:,}; made with `--largest {options.largest}`.",
        ],
        charts,
    ).save()


def _step_row(against: str, points: list[tuple[float, float]]) -> list[Any]:
    seconds = [(size, taken / 1e3) for size, taken in points]
    return ["a step", against, points[0][0], points[-1][0], seconds[0][1], seconds[-1][1],
            exponent(points), None, None, None]  # fmt: skip


def _row(work: str, axis: str, points: dict[int, tuple[float, float]]) -> list[Any]:
    first, last = min(points), max(points)
    seconds, memory = _lines(points)
    return [
        TITLES[work], axis, first, last, points[first][0], points[last][0], exponent(seconds),
        points[first][1] / 1e6, points[last][1] / 1e6, exponent(memory),
    ]  # fmt: skip


def _lines(
    points: dict[int, tuple[float, float]],
) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    return (
        [(size, found[0]) for size, found in sorted(points.items())],
        [(size, found[1] / 1e6) for size, found in sorted(points.items())],
    )


def _draw(
    by_candidates: list[tuple[float, float]],
    by_dim: list[tuple[float, float]],
    table: dict[tuple[str, str], dict[int, tuple[float, float]]],
) -> list[str]:
    """One chart for the step, one for each part of the work; names of the files."""
    step = {
        ("candidates", "ms a step"): {"step": by_candidates},
        ("dimension", "ms a step"): {"step": by_dim},
    }
    draw(RESULTS / "growth-step.svg", step)
    names = ["growth-step.svg"]
    for work in WORK:
        lines = {axis: _lines(points) for (each, axis), points in table.items() if each == work}
        seconds: Lines = {axis: line[0] for axis, line in lines.items()}
        memory: Lines = {axis: line[1] for axis, line in lines.items()}
        names.append(f"growth-{work}.svg")
        draw(
            RESULTS / names[-1],
            {("size", f"{TITLES[work]}, s"): seconds, ("size", f"{TITLES[work]}, MB"): memory},
        )
    return names


if __name__ == "__main__":
    main()
