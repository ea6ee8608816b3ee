"""The promise on real logs: exported Annoy lists against exported exact ones."""

from pathlib import Path

import polars as pl
import pytest

from recsys.data.tables import RAW_SCHEMA, Interactions
from recsys.embeddings import Embeddings
from recsys.models.als import ALS
from recsys.retrieval.export import export
from recsys.retrieval.index.store import save_index
from recsys.retrieval.index.tuning import choose
from recsys.storage.home import Home
from tests.factories import run_folder

pytest.importorskip("annoy", reason="annoy is not installed: it needs a C++ compiler")


def read(path: Path) -> Interactions:
    """A line a user: ``user item item ...``."""
    lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    pairs = [(line[0], item) for line in lines for item in line[1:]]
    users, items = zip(*pairs, strict=True)
    columns = {"user": users, "item": items, "time": [None] * len(pairs), "weight": [1.0] * len(pairs)}
    return Interactions.of(pl.DataFrame(columns, schema=RAW_SCHEMA))


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.parametrize("name", ["gowalla", "movielens1m_m1"])
def test_exported_annoy_lists_recall_what_was_promised(
    realdata: Path, home: Home, tmp_path: Path, name: str
) -> None:
    train = read(realdata / name / "train.txt")
    model, seen = ALS(dim=32, iterations=2).fit(train).scorer, train.histories()
    assert isinstance(model, Embeddings)
    run = run_folder(home, model, seen)
    chosen = choose(model.items, model.users, seen, model.distance, target=0.95, k=20, kind="annoy")
    save_index(run.index, chosen.kind, chosen.index, model.items, chosen.promise)
    run.seal()
    lists = {}
    for kind in ("annoy", "exact"):
        export(run.path, tmp_path / f"{kind}.parquet", k=20, index=kind)
        lists[kind] = pl.read_parquet(tmp_path / f"{kind}.parquet")
    assert lists["annoy"].height == lists["exact"].height
    same = lists["annoy"].join(lists["exact"], on=["user", "item"]).height
    assert same / lists["exact"].height >= 0.95
