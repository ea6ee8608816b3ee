"""A pipeline does what is not done yet, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fsspec
import polars as pl
import pytest

from recsys.pipeline.config import PipelineConfig, override, parse
from recsys.pipeline.progress import Silent
from recsys.pipeline.stages import run_pipeline
from recsys.retrieval.recommender import Service
from recsys.storage.files import read_json, remove, write_json
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from recsys.tracking.untracked import Untracked
from tests.pipeline import planted

WORK = {"reading": "etl", "fitting": "train", "writing": "export", "making a log": "synthetic"}


class Stages(Silent):
    """Notes which stages did their work, and which had nothing to do."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.skipped: list[str] = []

    def stage(self, text: str) -> None:
        if text.endswith("is there already: nothing changed"):
            self.skipped.append(text.split()[0])
        else:
            self.done += [name for start, name in WORK.items() if text.startswith(start)]


@pytest.fixture
def log(home: Home) -> Path:
    return planted.write(home.raw / "planted.csv")


def config(**changes: Any) -> PipelineConfig:
    whole = {
        "name": "planted",
        "data": {"logs": ["{raw}/planted.csv"], "split": "time:0.375", "valid": 0.2},
        "model": {"name": "item_knn", "shrinkage": 0.0},
        "baselines": [],
        "metrics": ["recall@3"],
        "index": {"kind": "exact"},
        "export": {"out": "{home}/lists.parquet", "k": 2},
    }
    return parse(
        PipelineConfig, override(whole, {path.replace("__", "."): value for path, value in changes.items()})
    )


def go(home: Home, **changes: Any) -> tuple[list[str], list[str], list[RunFolder]]:
    """What was done, what was skipped, and the runs."""
    stages = Stages()
    runs = run_pipeline(config(**changes), home, tracker=Untracked(home), watch=stages)
    return stages.done, stages.skipped, runs


def recall(run: RunFolder) -> float:
    return float(run.manifest()["metrics"]["recall@3"])


def test_every_stage_works_once(home: Home, log: Path) -> None:
    done, skipped, (run,) = go(home)
    assert (done, skipped) == (["etl", "train", "export"], [])
    assert recall(run) == pytest.approx(2 / 3)
    assert pl.read_parquet(home.path / "lists.parquet")["user"].n_unique() == planted.USERS
    before = {path: path.stat().st_mtime_ns for path in home.path.rglob("*") if path.is_file()}
    done, skipped, (again,) = go(home)
    assert (done, skipped) == ([], ["dataset", "run", "export"])
    assert again.path == run.path
    after = {path: path.stat().st_mtime_ns for path in home.path.rglob("*") if path.is_file()}
    changed = {path.name for path in after if after[path] != before.get(path)}
    assert changed <= {"current.json", "champion.json"}


@pytest.mark.parametrize(
    ("changes", "done", "skipped"),
    [
        ({"export__k": 3}, ["export"], ["dataset", "run"]),
        ({"export__out": "{home}/lists.csv"}, ["export"], ["dataset", "run"]),
        ({"seed": 1}, ["train", "export"], ["dataset"]),
        ({"refit": "none"}, ["train", "export"], ["dataset"]),
        ({"model__neighbours": 1}, ["train", "export"], ["dataset"]),
        ({"data__split": "last:1"}, ["etl", "train", "export"], []),
        ({"data__name": "other"}, ["etl"], ["run", "export"]),  # a run is known by its split
    ],
)
def test_what_changed_is_done_and_what_rests_on_it(
    home: Home, log: Path, changes: dict[str, Any], done: list[str], skipped: list[str]
) -> None:
    go(home)
    assert go(home, **changes)[:2] == (done, skipped)
    assert go(home, **changes)[:2] == ([], ["dataset", "run", "export"])


def test_a_log_that_changed_is_read_again(home: Home, log: Path) -> None:
    _, _, (before,) = go(home)
    table = pl.read_csv(log)
    table.filter(pl.col("item") != "even-last").write_csv(log)
    done, skipped, (after,) = go(home)
    assert (done, skipped) == (["etl", "train", "export"], [])
    assert after.name != before.name
    table.write_csv(log)
    assert go(home)[0] == ["etl", "export"]  # the run on that split is still there


def test_titles_that_changed_reach_the_run(home: Home, log: Path) -> None:
    items = home.raw / "items.csv"
    for title in ("Old", "New"):
        items.write_text(f"item,title\neven-old0,{title}\n")
        done, _, (run,) = go(home, data__items=str(items))
        assert done == ["etl", "train", "export"]
        found, _ = Service.open(run.path).recommend_history(["even-old1"], 9)
        assert {place.item: place.title for place in found.items}["even-old0"] == title


@pytest.mark.parametrize(
    ("lost", "done"),
    [
        ("lists.parquet", ["export"]),
        ("lists.parquet.manifest.json", ["export"]),
        ("datasets/planted", ["etl"]),
        ("runs", ["train", "export"]),
    ],
)
def test_what_was_removed_is_made_again(home: Home, log: Path, lost: str, done: list[str]) -> None:
    first = go(home)[2][0].manifest()["metrics"]
    remove(home.path / lost)
    again = go(home)
    assert again[0] == done
    assert again[2][0].manifest()["metrics"] == first


def test_lists_that_were_cut_short_are_written_again(home: Home, log: Path) -> None:
    go(home)
    lists = home.path / "lists.parquet"
    whole = lists.read_bytes()
    lists.write_bytes(whole[:-10])
    assert go(home)[0] == ["export"]
    assert lists.read_bytes() == whole


def test_an_index_that_was_built_anew_gives_its_own_lists(home: Home, log: Path) -> None:
    _, _, (run,) = go(home)
    write_json(run.index / "manifest.json", read_json(run.index / "manifest.json") | {"why": "built anew"})
    run.seal()
    assert go(home)[:2] == (["export"], ["dataset", "run"])


def test_lists_go_to_a_url(home: Home, log: Path) -> None:
    go(home)
    done, _, _ = go(home, export__out="memory://planted/lists.parquet")
    assert done == ["export"]
    with fsspec.open("memory://planted/lists.parquet.manifest.json") as file:
        (written,) = json.load(file)["files"]
    with fsspec.open(f"memory://planted/{written['file']}") as file:
        assert file.read() == (home.path / "lists.parquet").read_bytes()


def test_lists_are_of_the_last_run(home: Home, log: Path) -> None:
    """An older run that comes back is exported again: the lists are another's."""
    go(home)
    go(home, refit="none")
    assert go(home)[:2] == (["export"], ["dataset", "run"])


def test_one_run_for_each_loss(home: Home, log: Path) -> None:
    tower = {"name": "two_tower", "dim": 4, "epochs": 1}
    _, _, runs = go(home, model=tower, losses=["bpr", "triplet"])
    losses = [run.manifest()["model"]["options"]["loss"]["name"] for run in runs]
    assert losses == ["bpr", "triplet"]
    assert home.current("run") == runs[-1].name
    _, skipped, again = go(home, model=tower, losses=["triplet", "bpr", "infonce"])
    assert skipped == ["dataset", "run", "run"]
    assert [run.name for run in again[:2]] == [runs[1].name, runs[0].name]


def test_a_synthetic_log_is_made_once_for_its_settings(home: Home) -> None:
    changes = {
        "name": "made",
        "data": {"logs": ["{raw}/made/log.csv"], "items": "{raw}/made/items.csv"},
        "synthetic": {"users": 20, "items": 15, "rows": 200, "genres": 3},
    }
    done, _, _ = go(home, **changes)
    assert done == ["synthetic", "etl", "train", "export"]
    assert go(home, **changes)[0] == []
    remove(home.datasets / "made")
    assert go(home, **changes)[0] == ["etl"]
    assert go(home, **changes | {"synthetic__seed": 1})[0] == ["synthetic", "etl", "train", "export"]
