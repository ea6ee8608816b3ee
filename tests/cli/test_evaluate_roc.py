"""``recsys evaluate --roc``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from recsys.cli.main import app
from recsys.embeddings import Embeddings
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from tests.factories import checkerboard, dataset_folder, interactions, run_folder


def checkerboard_run(home: Home, *, blind: bool) -> RunFolder:
    """A model that knows who likes what, or one that gives every pair the same score."""
    train, test = checkerboard()
    log = interactions(train)
    sides = [
        np.array([[int(text[1:]) % 2, 1 - int(text[1:]) % 2] for text in ids.ids], dtype=np.float32)
        for ids in (log.users, log.items)
    ]
    users, items = (np.ones_like(side) for side in sides) if blind else sides
    model = Embeddings(users, items, log.users, log.items, "dot")
    return run_folder(home, model, log.histories(), dataset=dataset_folder(home, train, test))


def call(home: Home, *words: str) -> Result:
    return CliRunner().invoke(app, ["evaluate", "--home", str(home.path), *words])


def test_a_right_model_tells_all_pairs_apart(home: Home, tmp_path: Path) -> None:
    checkerboard_run(home, blind=False)
    result = call(home, "--json", "--svg", str(tmp_path / "roc.svg"))
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)["roc"]
    assert found["auc"] == 1.0
    assert (found["observed"], found["unobserved"]) == (24, 24 * 8)  # 8 of 16 items are the other kind
    assert found["thresholds"]["0.01"] == {"score": 1.0, "true_positives": 1.0}
    assert "AUC 1.000" in (tmp_path / "roc.svg").read_text()


def test_a_blind_model_cannot_keep_any_rate(home: Home) -> None:
    checkerboard_run(home, blind=True)
    found = json.loads(call(home, "--json", "--roc").stdout)["roc"]
    assert found["auc"] == 0.5
    assert found["thresholds"]["0.1"] == {"score": None, "true_positives": 0.0}
    shown = call(home, "--roc").stdout
    assert "AUC 0.5000 of 24 test pairs" in shown
    assert " ".join(shown.splitlines()[-1].split()) == "0.1 none keeps it 0.0%"


@pytest.mark.parametrize("words", [[], ["--index", "exact"]])
def test_without_the_option_nothing_is_said_of_pairs(home: Home, words: list[str]) -> None:
    checkerboard_run(home, blind=False)
    assert "roc" not in json.loads(call(home, "--json", *words).stdout)
    assert "AUC" not in call(home, *words).stdout
