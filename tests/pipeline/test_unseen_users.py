"""A split by users and newcomers of a split in time, from a raw log to the tables that people read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner, Result

from recsys.cli.main import app
from recsys.data.dataset import Dataset
from recsys.data.splits.histories import first_rows, oldest_rows
from recsys.data.synthetic import World, write_csv
from recsys.data.tables import Interactions
from recsys.evaluation.unseen import Unseen
from recsys.ids import IdMap
from recsys.models.ease import EASE
from recsys.models.model import Fitted
from recsys.models.popularity import Popularity
from recsys.retrieval.recommender import Service
from recsys.storage.arrays import FloatArray, IntArray
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder

SMALL = ["--dim", "8", "--batch", "256", "--candidates", "32", "--loss", "bpr", "--epochs", "3"]


def call(home: Home, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--home", str(home.path)])


def train(home: Home, *words: str) -> dict[str, object]:
    result = call(home, "train", *words, "--json")
    assert result.exit_code == 0, result.output
    document: dict[str, object] = json.loads(result.stdout)
    return document


def newest_run(home: Home) -> RunFolder:
    return RunFolder(home.folder("run", None))


@pytest.fixture
def by_users(tracked_home: Home, tmp_path: Path) -> Home:
    """A log with times split by users, some of whom have a single row."""
    write_csv(tmp_path / "log.csv", World.make(150, 60, genres=4), 3000)
    log = pl.read_csv(tmp_path / "log.csv", schema_overrides={"user": pl.String, "item": pl.String})
    single = pl.DataFrame({"user": [f"s{n}" for n in range(30)], "item": ["i1"] * 30, "timestamp": [1] * 30})
    pl.concat([log, single.cast({"timestamp": log["timestamp"].dtype})]).write_csv(tmp_path / "log.csv")
    made = call(tracked_home, "etl", str(tmp_path / "log.csv"), "--split", "users:0.2", "--valid", "0.2")
    assert made.exit_code == 0, made.output
    return tracked_home


@pytest.fixture
def in_time(tracked_home: Home, tmp_path: Path) -> Home:
    write_csv(tmp_path / "log.csv", World.make(150, 60, genres=4), 3000)
    assert call(tracked_home, "etl", str(tmp_path / "log.csv")).exit_code == 0
    return tracked_home


def test_models_and_baselines_serve_held_out_users_by_a_part_of_their_history(by_users: Home) -> None:
    document = train(by_users, *SMALL, "--baselines", "als,popularity,ease,spectral")
    dataset = Dataset.open(by_users)
    split = dataset.split()
    assert not set(split.test["user"]) & set(pl.concat([split.train, split.valid])["user"])
    cut = oldest_rows(split.test)
    log = Interactions.of(pl.concat([split.train, split.valid]))
    asked = Unseen.of(cut, log.items)
    told = document["fold_in"]
    assert told == {"share": 0.8, **asked.counts()}
    assert told["too_few_rows"] == cut.left_out > 0
    assert document["counts"]["users"] == len(asked.truth) > 10

    models = {"two_tower": document, **document["baselines"]}
    options = models["ease"]["options"]
    best = EASE(options["regularization"], options["dim"]).fit(log).scorer
    wanted = asked.evaluate(best, ("ndcg@20", "recall@10")).values
    for name, value in wanted.items():
        assert models["ease"]["metrics"][name] == pytest.approx(value)
    for name, model in models.items():
        curve = model["history_curve"]
        assert list(curve) == ["1", "2", "5", "10", "20", "all"], name
        assert curve["all"]["metrics"]["ndcg@20"] == pytest.approx(model["metrics"]["ndcg@20"])
        assert curve["1"]["users"] == len(asked.truth)
        assert curve["20"]["users"] < len(asked.truth)
        low, high = curve["5"]["intervals"]["recall@20"]
        assert low < curve["5"]["metrics"]["recall@20"] < high
    flat = models["popularity"]["history_curve"]
    assert flat["1"]["metrics"] == flat["all"]["metrics"]
    assert models["ease"]["history_curve"]["1"]["metrics"]["ndcg@20"] == pytest.approx(
        asked.evaluate(best, ("ndcg@20",), longest=1).values["ndcg@20"]
    )
    assert document["valid"]["ndcg@10"] > 0
    assert len(document["baselines"]["als"]["tried"]) > 1

    manifest = newest_run(by_users).manifest()
    assert manifest["fold_in"] == told
    assert manifest["history_curve"] == document["history_curve"]

    again = train(by_users, *SMALL, "--baselines", "als,popularity,ease,spectral")  # the baselines are kept
    assert again["baselines"] == document["baselines"]
    assert again["history_curve"] == document["history_curve"]

    user = asked.ids.ids[0]
    refused = call(by_users, "recommend", "--user", user)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert f"unknown user id '{user}'" in refused.stderr

    evaluated = json.loads(call(by_users, "evaluate", "--by", "history", "--roc", "--json").stdout)
    assert evaluated["fold_in"] == told
    assert evaluated["metrics"] == pytest.approx(document["metrics"])
    assert evaluated["history_curve"] == document["history_curve"]
    assert 0.5 < evaluated["roc"]["auc"] <= 1


def test_a_refit_on_everything_serves_held_out_users(by_users: Home) -> None:
    train(by_users, "--model", "spectral", "--dim", "8", "--baselines", "none", "--refit", "all")
    user = oldest_rows(Dataset.open(by_users).split().test).targets["user"][0]
    service = Service.open(newest_run(by_users).path)
    assert len(service.recommend([user], 5)[0].items) == 5


def test_the_report_shows_the_curve_and_who_was_left_out(by_users: Home) -> None:
    result = call(by_users, "train", "--model", "ease", "--baselines", "popularity")
    assert result.exit_code == 0, result.output
    text = " ".join(result.stdout.split())
    assert "none of the test users is in train: each is folded in with the oldest 80 % of their rows" in text
    assert "users with a single row are left out" in text
    assert "ndcg@20 by the newest items of the history" in text
    lines = [line.split() for line in result.stdout.splitlines()]
    assert [line[0] for line in lines if line and line[0] in ("1", "2", "5", "10", "20", "all")] == [
        "1", "2", "5", "10", "20", "all",
    ]  # fmt: skip


@dataclass(frozen=True)
class Closed:
    """A scorer that knows its users only."""

    user_ids: IdMap
    item_ids: IdMap

    def scores(self, users: IntArray) -> FloatArray:
        return np.zeros((len(users), len(self.item_ids)), dtype=np.float32)


def test_a_baseline_that_cannot_fold_in_is_named(by_users: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Popularity, "fit", lambda self, log, *_, **__: Fitted(Closed(log.users, log.items)))
    document = train(by_users, "--model", "ease", "--baselines", "popularity,spectral")
    assert list(document["baselines"]) == ["spectral"]
    assert document["cannot_fold_in"]["popularity"].startswith("Closed cannot fold in: it scores the users")
    shown = call(by_users, "train", "--model", "ease", "--baselines", "popularity").stdout
    assert "cannot fold in" in next(line for line in shown.splitlines() if line.startswith(" popularity"))
    alone = call(by_users, "train", "--model", "popularity", "--baselines", "none")
    assert alone.exit_code == 2
    assert "error: Closed cannot fold in" in alone.stderr
    assert "Traceback" not in alone.stderr


def test_newcomers_are_granted_their_first_rows_and_the_main_table_stays(in_time: Home) -> None:
    plain = train(in_time, "--model", "ease", "--baselines", "popularity")
    warm = train(in_time, "--model", "ease", "--baselines", "popularity", "--warm-up", "2")
    assert "warm_up" not in plain
    assert "fold_in" not in plain
    for key in ("metrics", "intervals", "counts"):
        assert warm[key] == plain[key]
    assert warm["baselines"]["popularity"]["metrics"] == plain["baselines"]["popularity"]["metrics"]

    split = Dataset.open(in_time).split()
    known = pl.concat([split.train, split.valid])
    log = Interactions.of(known)
    cold = split.test.join(known, on="user", how="anti")
    asked = Unseen.of(first_rows(cold, 2), log.items)
    told = warm["warm_up"]
    assert told["rows"] == 2
    assert {key: told[key] for key in asked.counts()} == asked.counts()
    assert told["users"] > 0
    scorer = EASE().fit(log).scorer
    assert told["metrics"]["recall@20"] == pytest.approx(
        asked.evaluate(scorer, ("recall@20",)).values["recall@20"]
    )
    assert warm["baselines"]["popularity"]["warm_up"]["users"] == told["users"]

    shown = call(in_time, "evaluate", "--warm-up", "2", "--by", "history")
    assert shown.exit_code == 0, shown.output
    assert "cold users, folded in with their first 2 rows" in shown.stdout
    again = json.loads(call(in_time, "evaluate", "--warm-up", "2", "--by", "history", "--json").stdout)
    assert again["warm_up"]["metrics"] == pytest.approx(told["metrics"])
    assert again["metrics"] == pytest.approx(warm["metrics"])
    # A sum over the history is the same whether the user is known or folded in.
    assert again["history_curve"]["all"]["metrics"]["ndcg@20"] == pytest.approx(warm["metrics"]["ndcg@20"])
    assert again["history_curve"]["1"]["users"] == warm["counts"]["users"]


def test_more_rows_than_any_newcomer_has(in_time: Home) -> None:
    document = train(in_time, "--model", "popularity", "--baselines", "none", "--warm-up", "10000")
    assert document["warm_up"]["users"] == 0
    assert "metrics" not in document["warm_up"]
    shown = call(in_time, "evaluate", "--warm-up", "10000")
    assert shown.exit_code == 0, shown.output
    assert "with their first 10000 rows: 0 users" in " ".join(shown.stdout.split())


@pytest.mark.parametrize("words", [["train", "--warm-up", "-1"], ["evaluate", "--warm-up", "-1"]])
def test_a_negative_warm_up_is_refused(in_time: Home, words: list[str]) -> None:
    if words[0] == "evaluate":
        train(in_time, "--model", "popularity", "--baselines", "none")
    refused = call(in_time, *words)
    assert refused.exit_code == 2
    assert "Traceback" not in refused.output


def test_a_log_without_times_is_split_the_same_each_time(tracked_home: Home, tmp_path: Path) -> None:
    write_csv(tmp_path / "log.csv", World.make(100, 50, genres=4), 2000)
    pl.read_csv(tmp_path / "log.csv").select("user", "item").write_csv(tmp_path / "log.csv")
    made = call(tracked_home, "etl", str(tmp_path / "log.csv"), "--split", "users:0.2")
    assert made.exit_code == 0, made.output
    first, second = (train(tracked_home, "--model", "ease", "--baselines", "none") for _ in range(2))
    assert first["metrics"] == second["metrics"]
    assert first["fold_in"] == second["fold_in"]
