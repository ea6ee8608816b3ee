"""Baselines: refitted by the rule of the run, tuned, made once; a failure is told and ends nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from recsys.data.dataset import Dataset
from recsys.data.tables import Interactions
from recsys.errors import RecsysError
from recsys.models.model import Scorer, Validate
from recsys.models.tuning import fits
from recsys.pipeline.baselines import Baseline, baseline
from recsys.pipeline.config import TrainConfig, parse
from recsys.pipeline.progress import Silent
from recsys.storage.home import Home
from tests.pipeline import planted


@pytest.fixture
def data(home: Home) -> Dataset:
    return planted.dataset(home)


class Warned(Silent):
    """Keeps the warnings."""

    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


def made(
    data: Dataset,
    name: str = "item_knn",
    dim: int | None = None,
    validate: Validate | None = None,
    watch: Silent | None = None,
    **changes: Any,
) -> Baseline:
    config = parse(TrainConfig, {"metrics": ["recall@3"], "baselines": [], **changes})
    return baseline(name, dim, data, data.split(), config, validate, watch or Silent())


def folders(data: Dataset) -> list[Path]:
    return sorted((data.folder / "baselines").glob("*"))


@pytest.mark.parametrize(("refit", "recall"), [("none", 1 / 3), ("valid", 2 / 3), ("all", 2 / 3)])
def test_a_baseline_is_refitted_by_the_rule_of_the_run_and_never_sees_the_test_set(
    data: Dataset, refit: str, recall: float
) -> None:
    found = made(data, refit=refit)
    assert found.verdict is not None
    assert found.verdict.metrics["recall@3"] == pytest.approx(recall)
    assert (found.tried, found.failed) == ([], None)


def test_it_is_made_once_and_then_read(data: Dataset) -> None:
    first = made(data)
    (folder,) = folders(data)
    stored = json.loads((folder / "baseline.json").read_text())
    stored["seconds"] = 12_345.0
    (folder / "baseline.json").write_text(json.dumps(stored))
    again = made(data)
    assert again.seconds == 12_345.0
    assert (again.options, again.tried) == (first.options, first.tried)
    assert again.verdict is not None
    assert first.verdict is not None
    assert again.verdict.document() == first.verdict.document()
    assert again.verdict.per_user.equals(first.verdict.per_user)
    (folder / "baseline.json").unlink()
    (folder / "per_user.parquet").unlink()
    folder.rmdir()
    assert made(data).seconds < 12_345.0


@pytest.mark.parametrize(
    ("changes", "anew"),
    [
        ({}, 0),
        ({"refit": "all"}, 0),  # scored after the fit on train and validation, as valid is
        ({"index": {"kind": "exact"}}, 0),
        ({"model": "popularity"}, 0),
        ({"refit": "none"}, 1),
        ({"seed": 1}, 1),
        ({"metrics": ["ndcg@3"]}, 1),
        ({"warm_up": 1}, 1),
    ],
)
def test_it_is_made_anew_where_what_it_depends_on_changed(
    data: Dataset, changes: dict[str, Any], anew: int
) -> None:
    made(data)
    made(data, **changes)
    assert len(folders(data)) == 1 + anew


def test_vectors_have_the_length_of_the_models(data: Dataset) -> None:
    assert made(data, "als", dim=3).options["dim"] == 3
    assert "dim" not in made(data, "popularity", dim=3).options


@dataclass
class Judge:
    """Gives the marks of a list in turn, and 0 when it is used up; knows how often it was asked."""

    marks: list[float]
    asked: list[Scorer] = field(default_factory=list)

    def __call__(self, scorer: Scorer) -> float:
        self.asked.append(scorer)
        return self.marks[len(self.asked) - 1] if len(self.asked) <= len(self.marks) else 0.0


class Told(Silent):
    """Keeps what is said of the settings tried."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, int, int | None, float]] = []

    def epoch(self, label: str, number: int, total: int | None, figures: Mapping[str, float]) -> None:
        self.lines.append((label, number, total, figures["score"]))


def test_the_setting_that_the_judge_likes_best_is_refitted(data: Dataset) -> None:
    train = Interactions.of(data.split().train)
    marks = [0.1, 0.7, 0.3, 0.7]  # the first of equals wins
    judge, told = Judge(marks), Told()
    found = made(data, validate=judge, watch=told)
    points = fits("item_knn", train)
    assert len(judge.asked) == len(found.tried) == points > len(marks)
    assert [point["score"] for point in found.tried][:4] == marks
    best = {key: value for key, value in found.tried[1].items() if key != "score"}
    assert found.options == {"name": "item_knn"} | dict(found.options) | best
    assert found.verdict is not None
    assert found.verdict.metrics["recall@3"] == pytest.approx(2 / 3)  # fitted again, on validation rows too
    assert told.lines[1] == ("item_knn setting", 2, points, 0.7)


def test_a_failure_is_told_with_its_reason_and_tried_again(data: Dataset) -> None:
    def broken(scorer: Scorer) -> float:
        raise RecsysError("no room for the lists")

    watch = Warned()
    found = made(data, validate=broken, watch=watch)
    assert (found.verdict, found.tried, found.failed) == (None, [], "no room for the lists")
    assert watch.warnings == [
        "baseline item_knn failed and is left out of the comparison: no room for the lists"
    ]
    assert folders(data) == []
    assert made(data, validate=Judge([1.0])).verdict is not None
    assert len(folders(data)) == 1
