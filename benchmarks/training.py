"""Time to quality: until two towers rank the held-out slice as well as a tuned ALS; and pairs a second.

    python -m benchmarks.training [--log gowalla] [--limit 90]

With ``RECSYS_PEER_PYTHON`` set to an interpreter that has LensKit, its FlexMF runs on the same log.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from benchmarks.report import Result
from benchmarks.splits import dataset
from recsys.columns import ITEM, USER
from recsys.data.synthetic import World
from recsys.data.tables import Interactions, Split
from recsys.embeddings import Embeddings
from recsys.errors import InputError
from recsys.evaluation.validator import validator
from recsys.models.als import ALS
from recsys.models.model import Grid, Validate
from recsys.models.tuning import grid_of, tune
from recsys.models.two_tower import TwoTower

DIM, METRIC, LIMIT, PEER_EPOCHS = 64, "ndcg@20", 90.0, 3
LOOKUP: Final = {"tower": "lookup", "start": "normal", "rate": 0.3, "hops": 0}
RECIPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "the default, its choices included": {},
    "bsl at temperature .08": {"loss": {"name": "bsl", "temperature": 0.08, "power": 1.22}},
    "triplet, its choice included": {"loss": "triplet"},
    "bsl, a lookup from a random start": {
        **LOOKUP,
        "loss": {"name": "bsl", "temperature": 0.08, "power": 1.22},
    },
    "infonce, a lookup from a random start": {**LOOKUP, "loss": {"name": "infonce", "temperature": 0.1}},
    "bpr, a lookup from a random start": {**LOOKUP, "loss": {"name": "bpr", "temperature": 0.12}},
}
PEER = "RECSYS_PEER_PYTHON"
COLUMNS = ["work", "million scored pairs per second", "seconds", "times one ALS fit", "epochs", METRIC]
WHY_PEER = (
    "The PyTorch peer is LensKit's FlexMF: it installs and runs beside the versions pinned here as it is, "
    "where RecBole needs patches and the BPR of Cornac is compiled code, as implicit's. It scores two pairs "
    "a positive, ours 2048."
)


def read(log: str) -> tuple[Split, str]:
    """A log's split and what to call it; one with a planted taste where the real one is not there."""
    try:
        return dataset(log).split(), log
    except InputError as error:
        print(error, file=sys.stderr)
        return synthetic(30_000, 40_000, 1_200_000), "a synthetic log, the real one not being there"


def synthetic(users: int, items: int, rows: int) -> Split:
    """A planted log, a tenth of it held out; there is no test set."""
    world = World.make(users, items)
    raw = pl.concat(list(world.chunks(rows))).unique([USER, ITEM], maintain_order=True)
    held = np.random.default_rng(0).random(raw.height) < 0.1
    return Split(raw.filter(~held), raw.filter(held), raw.clear())


def als(train: Interactions, validate: Validate, grid: Grid) -> tuple[list[list[Any]], float, float]:
    """Rows of the tuned ALS and of the search for it; seconds of one fit, and its quality."""
    started = time.perf_counter()
    options = tune("als", grid, train, validate, {"dim": DIM}).options
    search = time.perf_counter() - started
    model = ALS(**options)
    started = time.perf_counter()
    fitted = model.fit(train).scorer
    seconds = time.perf_counter() - started
    value = validate(fitted)
    rate = len(train) * model.iterations / seconds / 1e6
    chosen = f"alpha {model.alpha:g}, regularization {model.regularization:g}"
    points = math.prod(len(values) for values in grid.values())
    rows = [
        [f"implicit ALS, tuned ({chosen}); positives", rate, seconds, 1.0, model.iterations, value],
        [f"its grid of {points}, judging included", None, search, search / seconds, None, None],
    ]
    return rows, seconds, value


def implicit_bpr(train: Interactions, validate: Validate, fit_seconds: float, epochs: int) -> list[Any]:
    """BPR by implicit at its defaults: compiled, one negative per positive."""
    from implicit.cpu.bpr import BayesianPersonalizedRanking
    from scipy import sparse
    from threadpoolctl import threadpool_limits

    matrix = sparse.csr_matrix(train.csr())
    with threadpool_limits(1, user_api="blas"):
        model = BayesianPersonalizedRanking(factors=DIM, iterations=epochs, random_state=0)
        started = time.perf_counter()
        model.fit(matrix, show_progress=False)
        seconds = time.perf_counter() - started
    value = validate(Embeddings(model.user_factors, model.item_factors, train.users, train.items, "dot"))
    rate = 2 * epochs * matrix.nnz / seconds / 1e6
    return ["implicit BPR", rate, seconds, seconds / fit_seconds, epochs, value]


def ours(
    name: str, model: TwoTower, train: Interactions, validate: Validate, goal: float, limit: float
) -> tuple[list[Any], float, float, bool]:
    """Train until the goal is passed or the limit is up; judging is not counted in the seconds.

    Returns:
        Cells up to the quality without the one that compares; the seconds, and those of them that went into
        choosing options; whether the goal was passed.
    """
    started, judged, choosing, rates, epochs = time.perf_counter(), 0.0, 0.0, [], 0
    best = float("-inf")

    def judge(scorer: Any) -> float:
        nonlocal judged, epochs, best
        began = time.perf_counter()
        value = validate(scorer)
        best = max(best, value)
        judged += time.perf_counter() - began
        epochs += 1
        if value > goal or time.perf_counter() - started - judged > limit:
            raise _Ended
        return value

    def report(step: int, figures: Mapping[str, float]) -> None:
        nonlocal choosing
        if "pairs_per_second" in figures:
            rates.append(figures["pairs_per_second"])
        else:  # a value of an option was tried
            choosing = time.perf_counter() - started - judged

    with suppress(_Ended):
        model.fit(train, validate=judge, report=report)
    seconds = time.perf_counter() - started - judged
    rate = float(np.median(rates)) / 1e6 if rates else None
    return [f"ours, {name}", rate, epochs, best], seconds, choosing, best > goal


class _Ended(Exception):  # noqa: N818  # nothing is wrong
    """The goal is passed, or the time is up."""


def peer(train: Interactions, validate: Validate, fit_seconds: float, epochs: int) -> list[Any]:
    """The PyTorch peer, by its own interpreter; a row that says so where there is none."""
    python = os.environ.get(PEER)
    if not python:
        return [f"PyTorch peer: not installed ({PEER})", *[None] * 5]
    with tempfile.TemporaryDirectory() as folder:
        log, out = Path(folder) / "log.parquet", Path(folder) / "vectors.npz"
        train.frame.select(pl.col(USER, ITEM).cast(pl.Int64)).write_parquet(log)
        words = [python, str(Path(__file__).with_name("training_peer.py")), log, DIM, epochs, out]
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise InputError(f"{PEER}={python} could not run the peer: {done.stderr.strip()[-300:]}")
        found, vectors = json.loads(done.stdout.splitlines()[-1]), np.load(out)
        whole = [np.zeros((len(ids), DIM), np.float32) for ids in (train.users, train.items)]
        for table, name in zip(whole, ("users", "items"), strict=True):
            table[: len(vectors[name])] = vectors[name]
    value = validate(Embeddings(*whole, train.users, train.items, "dot"))
    rate, seconds = found["pairs_per_second"] / 1e6, found["seconds"]
    return [found["name"], rate, seconds, seconds / fit_seconds, epochs, value]


def measure(
    split: Split, *, limit: float, grid: Grid, bpr_epochs: int = 100, peer_epochs: int = PEER_EPOCHS,
    recipes: Mapping[str, Mapping[str, Any]] = RECIPES,
) -> tuple[list[list[Any]], list[str]]:  # fmt: skip
    """All rows of the table, and notes on who passed."""
    train = Interactions.of(split.train)
    validate = validator(split.valid, train, METRIC)
    rows, fit_seconds, goal = als(train, validate, grid)
    search = rows[1][2]
    notes = []
    for name, options in recipes.items():
        cells, seconds, choosing, passed = ours(
            name, TwoTower(**{"dim": DIM, **options}), train, validate, goal, limit
        )
        rows.append([*cells[:2], seconds, seconds / fit_seconds, *cells[2:]])
        verdict = (
            f"passed the tuned ALS after {seconds:.1f} s: {seconds / fit_seconds:.1f} times one fit (goal: "
            f"10), {seconds / search:.2f} times its grid (goal: 1)"
            if passed
            else f"did not pass the tuned ALS in {seconds:.0f} s"
        )
        notes.append(f"{name}: {verdict}{f', {choosing:.1f} s of them to choose' if choosing else ''}.")
        print(notes[-1], flush=True)
    rows.append(implicit_bpr(train, validate, fit_seconds, bpr_epochs))
    rows.append(peer(train, validate, fit_seconds, peer_epochs))
    return rows, notes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--log", default="gowalla")
    parser.add_argument("--limit", type=float, default=LIMIT, help="seconds that each of ours may train")
    options = parser.parse_args()
    split, name = read(options.log)
    rows, notes = measure(split, limit=options.limit, grid=grid_of("als"))
    for row in rows:
        print(*row, sep="  ", flush=True)
    Result(
        "training",
        "Time to quality",
        f"{name}, {split.train.height:,} rows, d {DIM}: seconds of training until {METRIC} on a held-out "
        "tenth passes that of the tuned ALS (judging not counted), and scored pairs per second, beside "
        "compiled and PyTorch peers in the same run.",
        COLUMNS,
        rows,
        [*notes, WHY_PEER],
    ).save()


if __name__ == "__main__":
    main()
