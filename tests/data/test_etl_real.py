"""The real logs: row counts as their owners publish them, and every row accounted for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from recsys.data.dataset import Dataset
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl
from recsys.storage.home import Home
from tests.data import etl_logs as logs

pytestmark = pytest.mark.realdata


def read(home: Home, log: Path, **options: Any) -> Dataset:
    made = etl(EtlOptions.of({"logs": [str(log)], **options}), home)
    assert logs.accounted(made)
    return made


def sizes(made: Dataset) -> tuple[int, int, int]:
    everything = made.manifest["sizes"]["all"]
    return everything["rows"], everything["users"], everything["items"]


def test_ml_100k(home: Home, realdata: Path) -> None:
    made = read(home, realdata / "ml-100k")
    assert sizes(made) == (100_000, 943, 1_682)
    split, items = made.split(), made.items()
    assert split.train["time"].max() < split.valid["time"].min()  # type: ignore[operator]
    assert split.valid["time"].max() < split.test["time"].min()  # type: ignore[operator]
    assert items is not None
    titles = dict(items.select("item", "title").iter_rows())
    assert titles["1"] == "Toy Story (1995)"
    assert titles["543"] == "Misérables, Les (1995)"
    assert made.manifest["time"] == "seconds since 1970"


def test_movietweetings(home: Home, realdata: Path) -> None:
    made = read(home, realdata / "movietweetings", value="none")
    assert sizes(made) == (141_695, 21_081, 12_611)
    items = made.items()
    assert items is not None
    assert "0054890" in set(logs.kept(made)["item"])
    assert "0054890" in set(items["item"])


def test_online_retail(home: Home, realdata: Path) -> None:
    made = read(home, realdata / "online-retail", keep=["CustomerID is not null", "Quantity > 0"])
    counts = made.manifest["counts"]
    assert counts["read"] == 541_909
    assert counts["dropped"]["--keep CustomerID is not null"] == 541_909 - 406_829
    assert counts["rejected"] == {}
    assert len(made.manifest["sources"]) == 305
    users = logs.kept(made)["user"]
    assert not users.str.contains(".", literal=True).any()
    assert users.n_unique() == 4_339
    rejecting = read(home, realdata / "online-retail", max_rejects=0.3)
    assert rejecting.manifest["counts"]["rejected"] == {"no user id": 135_080}
    assert sizes(rejecting)[1] == 4_372
    assert rejecting.rejects().height == 135_080


def test_goodbooks(home: Home, realdata: Path) -> None:
    folder = realdata / "goodbooks-10k"
    made = read(home, folder / "ratings.csv", items=str(folder / "books.csv"))
    assert made.manifest["counts"]["read"] == 981_756
    assert sizes(made)[1:] == (53_424, 10_000)
    assert made.manifest["items"]["key"] == "id"
    assert made.manifest["items"]["known"] == 10_000


@pytest.mark.parametrize(
    ("folder", "suffix", "users", "items", "train", "test"),
    [
        ("gowalla", "txt", 29_858, 40_981, 810_128, 217_242),
        ("movielens1m_m1", "txt", 6_022, 3_043, 796_244, 99_455),
        ("ir-amazon2014-electronic", "tsv", 13_455, 8_360, 182_398, 52_123),
        ("ir-amazon2014-health", "tsv", 1_974, 1_200, 37_784, 10_405),
    ],
)
def test_fixed_splits(
    home: Home, realdata: Path, folder: str, suffix: str, users: int, items: int, train: int, test: int
) -> None:
    place = realdata / folder
    made = read(home, place / f"train.{suffix}", test=str(place / f"test.{suffix}"))
    split = made.split()
    assert (split.train.height + split.valid.height, split.test.height) == (train, test)
    assert sizes(made)[1:] == (users, items)
    pair = pl.struct("user", "item")
    assert pl.concat([split.train, split.valid, split.test]).select(pair.n_unique()).item() == train + test
    assert etl(EtlOptions(logs=[str(place)], name="folder"), home).split_hash == made.split_hash
