"""Splits of the user's own: found, given their number, and recorded by who offers them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys import plugins
from recsys.data.dataset import Dataset
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl, unchanged
from recsys.data.splits.by_time import ByTime
from recsys.data.splits.parse import given_by, parse, written
from recsys.errors import InputError
from recsys.storage.home import Home

SPLITS = """
from dataclasses import dataclass
from typing import ClassVar

import numpy as np


@dataclass(frozen=True)
class FirstCodes:
    \"\"\"The users with the lowest codes are held out.

    Args:
        count: How many.
    \"\"\"

    count: int = 1
    family: ClassVar[str] = "splits"
    spelled: ClassVar[str] = "first"
    ordered: ClassVar[bool] = False

    def rule(self, log, seed):
        return lambda frame: frame["user"].to_numpy() < self.count

    def again(self, share, log):
        return FirstCodes(0)


@dataclass(frozen=True)
class EvenItems:
    \"\"\"Items of even code are held out.\"\"\"

    family: ClassVar[str] = "splits"
    spelled: ClassVar[str] = "even"
    ordered: ClassVar[bool] = False

    def rule(self, log, seed):
        return lambda frame: frame["item"].to_numpy() % 2 == 0

    def again(self, share, log):
        return FirstCodes(0)
"""
LOG = "user,item\n" + "".join(f"{user},{item}\n" for user in range(4) for item in range(6))


@pytest.fixture
def offered(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "my_splits.py"
    path.write_text(SPLITS)
    with plugins.using([path]):
        yield path


def build(home: Home, split: str) -> tuple[Dataset, EtlOptions]:
    log = home.path / "log.csv"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(LOG)
    options = EtlOptions.of({"logs": [str(log)], "split": split})
    return etl(options, home), options


def test_a_split_with_a_number_and_one_without_hold_rows_out(home: Home, offered: Path) -> None:
    assert set(build(home, "first:2")[0].split().test["user"]) == {"0", "1"}
    assert set(build(home, "even")[0].split().test["item"]) == {"0", "2", "4"}


def test_the_dataset_records_the_text_and_the_file(home: Home, offered: Path) -> None:
    recorded = build(home, "first")[0].manifest["split"]
    assert recorded["name"] == "first:1"
    assert recorded["given_by"].startswith("my_splits.py (sha256 ")
    assert "given_by" not in build(home, "random:0.2")[0].manifest["split"]


def test_a_dataset_is_made_anew_when_the_file_changes(home: Home, offered: Path) -> None:
    dataset, options = build(home, "first:2")
    assert unchanged(dataset, options)
    offered.write_text(SPLITS.replace("% 2 == 0", "% 2 == 1"))
    with plugins.using([offered]):
        assert not unchanged(dataset, options)


def test_text_of_splits_from_outside(offered: Path) -> None:
    assert [written(parse(text)) for text in ("first", "first:3", "even")] == ["first:1", "first:3", "even"]
    assert given_by("time:0.2") == ""
    with pytest.raises(InputError, match="even takes no number; give even"):
        parse("even:2")
    with pytest.raises(InputError, match=r"there are: .*even.*first:1"):
        parse("odd")


def test_a_word_of_ours_stays_ours(tmp_path: Path) -> None:
    path = tmp_path / "my_splits.py"
    path.write_text(SPLITS.replace('"first"', '"time"').replace("FirstCodes", "ZFirstCodes"))
    with plugins.using([path]):
        assert parse("time:0.2") == ByTime(0.2)
        assert given_by("time") == ""
