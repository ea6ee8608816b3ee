"""A cold process: from the shell's return key to the help page or to one list."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.process import compiling
from benchmarks.report import Result
from recsys.embeddings import Embeddings
from recsys.ids import IdMap
from recsys.ragged import Ragged
from recsys.retrieval.index.annoy import Annoy
from recsys.retrieval.index.exact import Exact
from recsys.retrieval.index.store import save_index
from recsys.retrieval.seen import Seen
from recsys.retrieval.serving_files import write_seen
from recsys.seeds import generator
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder

RECSYS = [sys.executable, "-c", "from recsys.cli.main import main; main()"]
FLOOR = [sys.executable, "-c", "import numpy, typer, rich.table"]
SEEN = 30


def run_folder(home: Home, items: int, *, users: int = 50_000, dim: int = 64) -> None:
    """A finished run of random unit vectors, with an Annoy index."""
    rng = generator(0, "startup", items)
    vectors = rng.standard_normal((users + items, dim), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [IdMap(pl.Series("id", [str(each) for each in range(count)])) for count in (users, items)]
    model = Embeddings(vectors[:users], vectors[users:], ids[0], ids[1], "cosine")
    seen = np.sort(rng.integers(0, items, (users, SEEN)), axis=1).astype(np.int32)
    rows = Ragged(np.arange(users + 1, dtype=np.int64) * SEEN, seen.ravel())
    write_run(RunFolder(home.runs / f"items-{items}"), model, rows, "annoy", Annoy("cosine", 10, 20, 0))


def write_run(run: RunFolder, model: Embeddings, seen: Ragged, kind: str, index: Exact | Annoy) -> None:
    """What serving needs of a finished run; the index is built here."""
    model.save(run.model)
    write_seen(run.seen, Seen.of(seen))
    save_index(run.index, kind, index.build(model.items), model.items)
    run.write_manifest({"status": "finished", "metrics": {}, "dataset": {}})
    run.seal()


def seconds(command: list[str], runs: int = 9) -> float:
    """Median wall time of a process, after one run that warms the file cache and leaves compiled modules."""
    times = []
    for _ in range(runs + 1):
        started = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=compiling())
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


def main() -> None:
    floor = seconds(FLOOR)
    rows = [
        ["python, numpy, typer and rich imported (floor)", floor, 1.0, None],
        _row("recsys --help", ["--help"], floor, 0.3),
    ]
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        for items, goal in ((40_000, 0.35), (1_000_000, 0.5)):
            run_folder(home, items)
            words = ["recommend", "--home", folder, "--run", f"items-{items}", "--user", "42"]
            for index in ("annoy", "exact"):
                name = f"recsys recommend --user 42, {items:,} items, {index}"
                rows.append(_row(name, [*words, "--index", index], floor, goal if index == "annoy" else None))
    Result(
        "startup", "A cold process",
        "Wall seconds of a whole process, median of nine, beside the imports that any such program needs.",
        ["command", "seconds", "times the floor", "goal, seconds"], rows,
    ).save()  # fmt: skip


def _row(name: str, words: list[str], floor: float, goal: float | None) -> list[object]:
    taken = seconds([*RECSYS, *words])
    print(f"{name}: {taken:.3f} s", flush=True)
    return [name, taken, taken / floor, goal]


if __name__ == "__main__":
    main()
