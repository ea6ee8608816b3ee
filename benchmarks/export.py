"""``recsys export`` as a process: lists of every gowalla user, file included; and of four times as many."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.process import cost
from benchmarks.report import Result
from benchmarks.splits import dataset
from benchmarks.startup import RECSYS, write_run
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.ids import IdMap
from recsys.models.als import ALS
from recsys.ragged import Ragged
from recsys.retrieval.index.exact import Exact
from recsys.storage.run_folder import RunFolder

SPLIT, K, GOAL, MORE = "gowalla", 20, 4.0, 4
COLUMNS = ["users", "seconds", "users/s", "peak MB", "not mapped MB", "MB of the vectors and seen items"]


def repeated(model: Embeddings, seen: Ragged, times: int) -> tuple[Embeddings, Ragged]:
    """The same users ``times`` over, under other ids."""
    ids = IdMap(pl.Series("id", [str(each) for each in range(times * len(model.users))]))
    users = np.tile(model.users, (times, 1))
    lengths = np.tile(np.diff(seen.indptr), times)
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    more = Embeddings(users, model.items, ids, model.item_ids, model.distance)
    return more, Ragged(indptr, np.tile(seen.indices, times))


def measured(model: Embeddings, seen: Ragged, k: int = K, *, first: int | None = None) -> list[Any]:
    """Export the lists of all users, or of the first, exactly ranked, in a process of its own: a row."""
    with tempfile.TemporaryDirectory(prefix="recsys-export-") as name:
        folder = Path(name)
        write_run(RunFolder(folder / "runs" / "all"), model, seen, "exact", Exact(model.distance))
        out = folder / "lists.parquet"
        words = ["export", str(out), "--home", name, "--run", "all", "--index", "exact", "-k", str(k)]
        if first is not None:
            ids = folder / "ids.txt"
            ids.write_text("".join(f"{each}\n" for each in model.user_ids.ids[:first]))
            words += ["--users", str(ids)]
        done = cost([*RECSYS, *words])
        rows = pl.scan_parquet(out).select(pl.len()).collect().item()
    users = len(model.users) if first is None else first
    if rows != users * k:
        raise RuntimeError(f"{rows} rows were written for {users} users, {k} each")
    held = (model.users.nbytes + model.items.nbytes + seen.indptr.nbytes + seen.indices.nbytes) / 1e6
    return [users, done.seconds, users / done.seconds, done.peak / 1e6, done.private / 1e6, held]


def main() -> None:
    train = Interactions.of(dataset(SPLIT).split().train)
    model = ALS(dim=64, alpha=60.0, regularization=100.0).fit(train).scorer
    assert isinstance(model, Embeddings)
    seen = train.histories()
    rows = [measured(model, seen, first=1), measured(model, seen), measured(*repeated(model, seen, MORE))]
    for row in rows:
        print(*row, sep="  ", flush=True)
    Result(
        "export", "Export",
        f"`recsys export` of the exact top-{K} of one user, which is the start, of all users of {SPLIT} and "
        f"of {MORE} times as many, over {len(train.items):,} items, d 64, seen items removed, as a process "
        "from start to file.",
        COLUMNS, rows,
        [
            f"Goal: under {GOAL:g} s for all users, and memory flat in their number: from the second row to "
            f"the third it grows by {rows[2][4] / rows[1][4] - 1:.0%} without mapped pages.",
        ],
    ).save()  # fmt: skip


if __name__ == "__main__":
    main()
