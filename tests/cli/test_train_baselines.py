"""Baselines at the command line: all models, failures, the best of them, and what the table shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from recsys import plugins
from recsys.cli.main import app
from recsys.data.synthetic import World, write_csv
from recsys.models import ease
from recsys.models.als import ALS
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from recsys.tracking.summary import Summary

SMALL = ["--dim", "8", "--batch", "256", "--candidates", "32", "--loss", "bpr", "--epochs", "1"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("baselines")
    write_csv(folder / "log.csv", World.make(80, 60, genres=4), 3000)
    made = call(Home(folder / "home"), "etl", str(folder / "log.csv"))
    assert made.exit_code == 0, made.output
    return Home(folder / "home")


def call(home: Home, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--home", str(home.path)])


def train(home: Home, *words: str) -> Result:
    result = call(home, "train", *SMALL, *words)
    assert result.exit_code == 0, result.output
    assert "Traceback" not in result.output
    return result


@pytest.mark.parametrize("name", plugins.names("models"))
def test_every_model_may_be_a_baseline(home: Home, name: str) -> None:
    result = train(home, "--baselines", name.replace("_", "-"))
    run = RunFolder(home.folder("run", "current")).manifest()
    beside = run["baselines"][name]
    assert beside["metrics"]["ndcg@10"] > 0
    assert run["best_baseline"] == name
    assert f"minus {name}, per user" in result.stdout
    tuned = name in ("als", "ease", "item_knn", "spectral")
    assert bool(beside["tried"]) == tuned
    assert (f"{name} (tuned)" in result.stdout) == tuned
    said = f"baseline {name} is tuned on the validation set: {len(beside['tried'])} setting"
    assert (said in result.stderr) == tuned


def test_the_difference_is_to_the_best_baseline(home: Home) -> None:
    result = train(home, "--baselines", "popularity,als,ease")
    run = RunFolder(home.folder("run", "current")).manifest()
    values = {name: each["metrics"]["ndcg@10"] for name, each in run["baselines"].items()}
    best = max(values, key=lambda name: values[name])
    assert run["main_metric"] == "ndcg@10"
    assert run["best_baseline"] == best != "popularity"
    assert result.stdout.count("minus ") == 1
    gap = run["baselines"][best]["difference"]["ndcg@10"]
    assert f"minus {best}, per user" in result.stdout
    assert f"{gap['mean']:+.4f}" in result.stdout


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    """No memory for the matrix of ease."""
    monkeypatch.setattr(ease, "available_bytes", lambda: 0)


@pytest.mark.usefixtures("broken")
def test_a_baseline_that_fails_is_shown_and_the_run_goes_on(home: Home) -> None:
    result = train(home, "--baselines", "ease,popularity", "--seed", "1")
    assert "ease (failed)" in result.stdout
    assert (
        "baseline ease failed: none of the 5 settings of ease could be fitted: ease inverts" in result.stdout
    )
    assert "minus popularity, per user" in result.stdout

    document = json.loads(train(home, "--baselines", "ease,popularity", "--seed", "2", "--json").stdout)
    assert document["best_baseline"] == "popularity"
    assert document["baselines"]["ease"]["metrics"] == {}
    assert "ease inverts" in document["baselines"]["ease"]["failed"]
    assert "failed" not in document["baselines"]["popularity"]
    assert document["mlflow"]["run_id"]

    summary = Summary.of(RunFolder(home.runs / document["run"]))
    assert summary.baselines == ["popularity"]
    assert "ease inverts" in summary.options["baselines.ease.failed"]
    compared = call(home, "compare", document["run"], "--json")
    assert compared.exit_code == 0, compared.output
    rows = json.loads(compared.stdout)["rows"]
    assert {row["baseline"] for row in rows} == {None, "popularity"}
    assert call(home, "runs").exit_code == 0


@pytest.mark.usefixtures("broken")
def test_where_every_baseline_fails_there_is_no_difference(home: Home) -> None:
    result = train(home, "--baselines", "ease", "--seed", "6")
    assert "minus" not in result.stdout
    assert RunFolder(home.folder("run", "current")).manifest()["best_baseline"] is None


def test_what_failed_is_tried_again_by_the_next_run(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(ease, "available_bytes", lambda: 0)
        train(home, "--baselines", "ease", "--seed", "3")
    assert "ease (tuned)" in train(home, "--baselines", "ease", "--seed", "3").stdout


def test_one_failing_setting_of_als_does_not_end_the_tuning(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recsys.errors import RecsysError

    whole = ALS.fit

    def fit(self: ALS, *given: object, **options: object) -> object:
        if self.alpha == 60.0:
            raise RecsysError("ALS gave vectors that are not finite")
        return whole(self, *given, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(ALS, "fit", fit)
    train(home, "--baselines", "als", "--seed", "4")
    beside = RunFolder(home.folder("run", "current")).manifest()["baselines"]["als"]
    assert sum("failed" in each for each in beside["tried"]) == 4
    assert beside["options"]["alpha"] < 60


def test_on_counts_als_is_shown_at_its_best_weighting(home: Home, tmp_path: Path) -> None:
    from tests.factories import plays

    log, _ = plays()
    log.rename({"weight": "count"}).select("user", "item", "count").write_csv(tmp_path / "plays.csv")
    made = call(home, "etl", str(tmp_path / "plays.csv"), "--value", "count", "--split", "random:0.2")
    assert made.exit_code == 0, made.output
    result = train(home, "--baselines", "als", "--seed", "5")
    beside = RunFolder(home.folder("run", "current")).manifest()["baselines"]["als"]
    assert beside["options"]["weighting"] != "raw"
    assert "is tuned on the validation set: 28 settings" in result.stderr
    assert len(beside["tried"]) == 28


METRICS = ["hit_rate@5", "recall@7", "mrr@3", "ndcg@5", "gini@9", "precision@4", "novelty@5"]


def test_the_table_shows_the_metrics_that_were_asked_for(home: Home) -> None:
    result = train(home, "--dataset", "log", "--baselines", "popularity", "--set", f"metrics={METRICS}")
    run = RunFolder(home.folder("run", "current")).manifest()
    for name in METRICS:
        assert name in result.stdout
        assert f"{run['metrics'][name]:.4f}" in result.stdout
    assert "ndcg@20" not in result.stdout
    assert run["main_metric"] == "hit_rate@5"
    assert "minus popularity, per user" in result.stdout


def test_refit_all_says_which_fit_its_scores_are_of(home: Home) -> None:
    told = "these scores are of the fit to train and valid; what is served was fitted again on everything"
    flat = " ".join(train(home, "--dataset", "log", "--baselines", "none", "--refit", "all").stdout.split())
    assert told in flat
    assert told not in train(home, "--dataset", "log", "--baselines", "none").stdout
    document = json.loads(
        train(home, "--dataset", "log", "--baselines", "none", "--refit", "all", "--json").stdout
    )
    assert document["refit"] == "all"


def test_a_blend_with_ease_is_refused_before_any_fit(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def fit(*given: object, **options: object) -> None:
        raise AssertionError("it was fitted")

    monkeypatch.setattr(ALS, "fit", fit)
    result = call(home, "train", "--dataset", "log", "--model", "blend", "--set", "model.of=[als, ease]")
    assert result.exit_code == 2
    assert "model: blend: ease is not made of vectors, so it cannot be blended" in result.stderr
