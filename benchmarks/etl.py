"""A generated CSV through the whole of ``recsys etl``, beside the same by hand in polars and in pandas.

    python -m benchmarks.etl [--rows 20_000_000] [--growth 20_000_000 100_000_000]

The command also encodes, takes the k-core, splits, hashes and accounts for every row, which the peers do not.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.etl_peers import THRESHOLD
from benchmarks.process import Cost, cost
from benchmarks.report import Result
from recsys.columns import ITEM, TIME, USER
from recsys.data.synthetic import World
from recsys.seeds import generator

ROWS, GROWTH = 20_000_000, (20_000_000, 100_000_000)
ROWS_A_USER, USERS_AN_ITEM = 40, 10
PEERS = {
    "polars streaming by hand": "polars",
    "the same, ids guessed to be numbers": "polars_guessed",
    "pandas by hand": "pandas",
    "the same in pandas, ids guessed to be numbers": "pandas_guessed",
}
COLUMNS = [
    "work", "rows", "seconds", "processor seconds", "peak MB", "not mapped MB",
    "times polars", "memory, times polars",
]  # fmt: skip


def write_log(path: Path, rows: int) -> None:
    """A CSV with the columns user, item, rating from 1 to 5, timestamp; memory stays flat."""
    users = max(100, rows // ROWS_A_USER)
    world = World.make(users, max(50, users // USERS_AN_ITEM))
    with path.open("wb") as file:
        for number, chunk in enumerate(world.chunks(rows)):
            stars = generator(0, "stars", number).integers(1, 6, chunk.height)
            seconds = (pl.col(TIME) // 1_000_000).alias("timestamp")
            table = chunk.select(USER, ITEM, pl.Series("rating", stars.astype(np.int8)), seconds)
            table.write_csv(file, include_header=number == 0)


def ours(log: Path, home: Path) -> Cost:
    """``recsys etl`` with a threshold and a core of 2; the dataset is removed again."""
    words = [
        "etl", str(log), "--home", str(home), "--quiet",
        "--positive-from", str(THRESHOLD), "--min-user", "2", "--min-item", "2",
    ]  # fmt: skip
    done = cost([sys.executable, "-c", "from recsys.cli.main import main; main()", *words])
    shutil.rmtree(home)
    return done


def peer(name: str, log: Path) -> Cost:
    """One of the queries by hand; its file is removed again."""
    out = log.with_suffix(".parquet")
    done = cost([sys.executable, "-m", "benchmarks.etl_peers", name, str(log), str(out)])
    out.unlink()
    return done


def beside(log: Path, rows: int) -> list[list[Any]]:
    """Rows of the table: ours and the peers on one log, one after the other."""
    costs = {"recsys etl": ours(log, log.parent / "home")}
    costs |= {title: peer(name, log) for title, name in PEERS.items()}
    plain = costs["polars streaming by hand"]
    return [_row(title, rows, each, plain) for title, each in costs.items()]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--growth", type=int, nargs="*", default=list(GROWTH))
    options = parser.parse_args()
    table, peaks = [], {}
    for rows in sorted({options.rows, *options.growth}):
        with tempfile.TemporaryDirectory(prefix="recsys-etl-") as folder:
            log = Path(folder) / "log.csv"
            write_log(log, rows)
            megabytes = log.stat().st_size / 1e6
            found = (
                beside(log, rows)
                if rows == options.rows
                else [_row("recsys etl", rows, ours(log, log.parent / "home"), None)]
            )
        peaks[rows] = found[0][4:6]
        table += found
        for row in found:
            print(*row, sep="  ", flush=True)
        print(f"({rows:,} rows are {megabytes:.0f} MB)", flush=True)
    Result(
        "etl",
        "ETL",
        f"A generated CSV ({ROWS_A_USER} rows per user, 26 bytes per row) through threshold, one row per "
        "pair, sort and parquet; `recsys etl` also encodes, takes the 2-core, splits, hashes, counts every "
        "row, and writes those below the threshold too (8 of 20 million here). Each is a process of its own. "
        "Goals: 1.2 times polars; half of pandas' time and memory.",
        COLUMNS,
        table,
        _notes(peaks),
    ).save()


def _row(title: str, rows: int, found: Cost, plain: Cost | None) -> list[Any]:
    ratios = [found.seconds / plain.seconds, found.peak / plain.peak] if plain else [None, None]
    memory = [found.peak / 1e6, found.private / 1e6]
    return [title, rows, found.seconds, found.processor, *memory, *ratios]


def _notes(peaks: dict[int, list[float]]) -> list[str]:
    small, large = min(peaks), max(peaks)
    notes = [
        "Peak memory counts mapped pages of the input, which the system may take back; "
        "the next column does not."
    ]
    if small < large:
        growth, private = (peaks[large][each] / peaks[small][each] for each in (0, 1))
        notes.append(
            f"From {small:,} to {large:,} rows our peak grows {growth:.2f} times ({private:.2f} without "
            "mapped pages)."
        )
    if large < 5 * ROWS:
        notes.append(
            f"Not measured: peak at {5 * ROWS:,} rows over that at {ROWS:,} (goal 1.5); "
            f"`python -m benchmarks.etl --growth {5 * ROWS}` does, in about ten minutes and 6 GB of disk."
        )
    return notes


if __name__ == "__main__":
    main()
