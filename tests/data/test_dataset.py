from __future__ import annotations

import json

import polars as pl
import pytest

from recsys.data.dataset import MANIFEST, Dataset
from recsys.data.tables import RAW_SCHEMA
from recsys.errors import InputError, RecsysError
from recsys.storage.home import Home
from tests.data import etl_logs as logs

ROWS = logs.rows()


def test_a_dataset_is_opened_by_name_or_as_the_current_one(home: Home) -> None:
    made = logs.dataset(home, logs.text(ROWS))
    for opened in (Dataset.open(home), Dataset.open(home, "log"), Dataset.at(home.datasets / "log")):
        assert (opened.name, opened.hash, opened.split_hash) == ("log", made.hash, made.split_hash)
    with pytest.raises(InputError, match="there is no dataset 'other'"):
        Dataset.open(home, "other")


def test_its_tables_have_one_shape(home: Home) -> None:
    made = logs.dataset(home, logs.text(ROWS), valid=0)
    split = made.split()
    for table in (split.train, split.valid, split.test):
        assert table.schema == RAW_SCHEMA
    assert split.valid.is_empty()
    untimed = logs.dataset(home, "user,item\na,x\nb,y\nc,x\n", split="random:0.4").split()
    assert pl.concat([untimed.train, untimed.test]).schema == RAW_SCHEMA
    assert untimed.train["time"].null_count() == untimed.train.height
    assert made.items() is None
    assert made.users() is None
    assert made.rejects().columns == ["file", "line", "reason", "text"]


def test_the_folder_holds_what_is_documented(home: Home) -> None:
    made = logs.dataset(home, logs.text(ROWS))
    assert sorted(path.name for path in made.folder.iterdir()) == [
        "manifest.json", "rejects.parquet", "test.parquet", "train.parquet", "valid.parquet",
    ]  # fmt: skip
    assert list(made.manifest) == [
        "schema", "name", "created", "hash", "split_hash", "sources", "left_out", "columns", "time", "notes",
        "counts", "split", "sizes", "options", "versions",
    ]  # fmt: skip


def test_another_schema_is_refused(home: Home) -> None:
    made = logs.dataset(home, logs.text(ROWS))
    (made.folder / MANIFEST).write_text(json.dumps({**made.manifest, "schema": 99}))
    with pytest.raises(RecsysError, match="has schema 99, this version reads 1; run `recsys etl` again"):
        Dataset.open(home)


def test_a_broken_table_says_what_to_do(home: Home) -> None:
    made = logs.dataset(home, logs.text(ROWS))
    (made.folder / "train.parquet").write_bytes(b"not parquet")
    with pytest.raises(RecsysError, match=r"train.parquet cannot be read .*; run `recsys etl` again"):
        made.split()


def test_a_notebook_shows_a_dataset(home: Home) -> None:
    made = logs.dataset(home, logs.text(logs.rows()))
    shown = made._repr_html_()
    assert "log" in shown
    assert "train" in shown
