"""The same log by hand: read, threshold, one row per pair, sort, write parquet; no codes, core or split.

    python -m benchmarks.etl_peers NAME LOG OUT

Ids are text, as in the log (0054890 is not 54890); the names that end in ``_guessed`` let the library guess.
"""

from __future__ import annotations

import sys

THRESHOLD = 2


def polars(log: str, out: str, *, guessed: bool = False) -> None:
    import polars as pl

    ids = None if guessed else {"user": pl.String, "item": pl.String}
    (
        pl.scan_csv(log, schema_overrides=ids)
        .filter(pl.col("rating") >= THRESHOLD)
        .group_by("user", "item")
        .agg(pl.col("timestamp").max())
        .sort("user", "timestamp", "item")
        .sink_parquet(out, engine="streaming")
    )


def pandas(log: str, out: str, *, guessed: bool = False) -> None:
    import pandas as pd

    frame = pd.read_csv(log, dtype=None if guessed else {"user": "str", "item": "str"})
    frame = frame[frame["rating"] >= THRESHOLD]
    frame = frame.sort_values(["user", "timestamp", "item"])
    frame.drop_duplicates(["user", "item"], keep="last").to_parquet(out, index=False)


def main() -> None:
    name, log, out = sys.argv[1:]
    peer = {"polars": polars, "pandas": pandas}[name.removesuffix("_guessed")]
    peer(log, out, guessed=name.endswith("_guessed"))


if __name__ == "__main__":
    main()
