"""The table of the default is made of what ``recsys train`` makes, and every log in it can be read."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import defaults, quality, report
from recsys.data.etl.options import EtlOptions
from recsys.pipeline.build import build_model
from recsys.pipeline.config import ModelSection, TrainConfig
from recsys.storage.files import read_json
from recsys.storage.home import Home
from tests.benchmarks.test_quality import planted

SMALL = {"name": "spectral", "dim": 8}


def test_the_default_is_what_train_takes_without_options() -> None:
    asked = {name: ModelSection.model_validate(options) for name, options in defaults.MODELS.items()}
    assert asked["default"] == TrainConfig().model
    for section in asked.values():
        build_model(section, 0)


def test_a_line_has_a_cell_for_every_column(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "BASELINES", {"popularity": [{}], "als": [{"dim": 64}], "ease": [{}]})
    line = defaults.measure("planted", planted(), dict.fromkeys(defaults.MODELS, SMALL))
    names = [*defaults.COLUMNS[:5], "name", "default", "gap", "triplet", "share", "blend"]
    cells = dict(zip(names, line, strict=False))
    assert len(line) == len(defaults.COLUMNS)
    assert cells["default"] == cells["triplet"] == cells["blend"]
    assert cells["share"] == "100%"
    assert cells["popularity"] < cells["default"]
    assert str(cells["gap"])[0] in "+-"
    assert cells["name"] in ("als, tuned, d 64", "ease, tuned")
    assert cells["best baseline"] >= cells["ALS, tuned"]


@pytest.mark.parametrize("log", defaults.LOGS)
def test_options_of_the_etl_are_right(log: str) -> None:
    EtlOptions(**defaults.LOGS[log], name=log)


@pytest.mark.realdata
def test_a_log_is_split_as_it_says(realdata: Path, home: Home) -> None:
    split = defaults.split_of("ml-100k", home)
    assert min(len(split.train), len(split.valid), len(split.test)) > 0
    assert split.train["time"].max() <= split.test["time"].min()


def test_lines_of_other_logs_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    monkeypatch.setattr(defaults, "split_of", lambda log, home: None)
    monkeypatch.setattr(defaults, "measure", lambda log, split: [log, *[0] * 12])
    for log in ("goodbooks", "ml-100k"):
        monkeypatch.setattr(sys, "argv", ["defaults", log])
        defaults.main()
    kept = read_json(tmp_path / "defaults.json")
    assert [row[0] for row in kept["rows"]] == ["ml-100k", "goodbooks"]
    assert "Not measured yet: movietweetings," in kept["notes"][-1]


def test_a_log_that_is_none_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["defaults", "netflix"])
    with pytest.raises(SystemExit):
        defaults.main()
    assert "no log netflix; there are: ml-100k, movietweetings" in capsys.readouterr().err
