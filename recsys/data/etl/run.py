"""From raw logs to a dataset."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

import polars as pl

from recsys.columns import ITEM, TIME, USER, WEIGHT
from recsys.data.dataset import Dataset
from recsys.data.etl.options import EtlOptions
from recsys.data.tables import RAW_SCHEMA
from recsys.files import replacing, write_json
from recsys.home import Home


def etl(options: EtlOptions, home: Home, progress: object = None) -> Dataset:
    """Read logs into a dataset and make it the current one."""
    path = Path(options.logs[0])
    log = _read(path / "u.data" if (path / "u.data").exists() else path)
    if options.test:
        test = _read(Path(options.test))
        train = log
        valid = train.sample(fraction=options.valid, seed=options.seed, shuffle=True)
        train = train.join(valid, on=[USER, ITEM], how="anti")
    else:
        log = log.sort(TIME, USER, ITEM)
        cut = log[TIME].quantile(0.8)
        test, rest = log.filter(pl.col(TIME) > cut), log.filter(pl.col(TIME) <= cut)
        cut = rest[TIME].quantile(1 - options.valid)
        valid, train = rest.filter(pl.col(TIME) > cut), rest.filter(pl.col(TIME) <= cut)
    name = options.name or path.stem
    tables = {"train": train, "valid": valid, "test": test}
    digest = hashlib.sha256(repr({k: v.hash_rows().sum() for k, v in tables.items()}).encode()).hexdigest()
    with replacing(home.datasets / name) as folder:
        folder.mkdir()
        for part, table in tables.items():
            table.write_parquet(folder / f"{part}.parquet")
        write_json(folder / "manifest.json", {"schema": 1, "name": name, "hash": digest, "split_hash": digest,
                                              "created": time.time(), "counts": {}})
    home.set_current("dataset", name)
    return Dataset.open(home, name)


def _read(path: Path) -> pl.DataFrame:
    if path.suffix == ".txt":
        raw = pl.DataFrame({"line": path.read_text().splitlines()}).select(
            pl.col("line").str.split(" ").list.first().alias(USER),
            pl.col("line").str.split(" ").list.slice(1).alias(ITEM)).explode(ITEM).drop_nulls()
        raw = raw.filter(pl.col(ITEM) != "").with_columns(pl.lit(None, pl.Int64).alias(TIME), pl.lit(1.0, pl.Float32).alias(WEIGHT))
    elif path.name == "u.data":
        raw = pl.read_csv(path, separator="\t", has_header=False, new_columns=[USER, ITEM, WEIGHT, TIME], infer_schema=False)
        raw = raw.with_columns(pl.col(TIME).cast(pl.Int64) * 1_000_000, pl.col(WEIGHT).cast(pl.Float32))
    else:
        raw = pl.read_csv(path, separator="\t" if path.suffix == ".tsv" else ",", infer_schema=False)
        raw = raw.select(pl.col("user_procid").alias(USER), pl.col("item_procid").alias(ITEM), pl.lit(None, pl.Int64).alias(TIME), pl.lit(1.0, pl.Float32).alias(WEIGHT))
    return raw.select(RAW_SCHEMA.names()).unique([USER, ITEM], keep="last", maintain_order=True)
