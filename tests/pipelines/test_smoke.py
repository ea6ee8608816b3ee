"""The whole way on a log with planted taste: what `recsys run pipelines/smoke.yaml` promises."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from recsys.cli.main import app
from recsys.pipeline.epochs import read_epochs
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder

SMOKE = Path(__file__).parents[2] / "pipelines" / "smoke.yaml"


def call(home: Home, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--home", str(home.path)])


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, dict[str, Any]]:
    home = Home(tmp_path_factory.mktemp("smoke"))
    result = call(home, "run", str(SMOKE), "--json")
    assert result.exit_code == 0, result.output
    return home, json.loads(result.stdout)


def test_it_prints_one_document(done: tuple[Home, dict[str, Any]]) -> None:
    _, document = done
    (run,) = document["runs"]
    assert {
        "run",
        "dataset",
        "model",
        "metrics",
        "intervals",
        "baselines",
        "index",
        "seconds",
        "mlflow",
    } <= set(run)
    assert run["index"]["recall@20"] >= 0.95
    assert run["mlflow"]["run_id"]


def test_taste_is_found(done: tuple[Home, dict[str, Any]]) -> None:
    _, document = done
    gap = document["runs"][0]["baselines"]["popularity"]["difference"]["ndcg@20"]
    assert gap["low"] > 0


def test_the_run_folder_is_whole(done: tuple[Home, dict[str, Any]]) -> None:
    home, document = done
    run = RunFolder(home.folder("run", None))
    assert run.name == document["runs"][0]["run"]
    run.verify(deep=True)
    assert [line["epoch"] for line in read_epochs(run.path / "epochs.jsonl")] == [1, 2, 3, 4, 5]
    assert not run.checkpoints.exists()


def test_every_user_has_a_list_of_unseen_items(done: tuple[Home, dict[str, Any]]) -> None:
    home, _ = done
    lists = pl.read_parquet(home.path / "lists" / "smoke.parquet")
    train = pl.read_parquet(home.datasets / "smoke" / "train.parquet")
    assert set(lists.group_by("user").len()["len"]) == {20}
    assert lists.join(train, on=["user", "item"], how="semi").is_empty()


def test_what_did_not_change_is_not_done_again(done: tuple[Home, dict[str, Any]]) -> None:
    home, document = done
    again = call(home, "run", str(SMOKE), "--json")
    assert json.loads(again.stdout)["runs"] == document["runs"]
    changed = call(home, "run", str(SMOKE), "--json", "--set", "model.loss.margin=0.3")
    assert json.loads(changed.stdout)["runs"][0]["run"] != document["runs"][0]["run"]


@pytest.mark.parametrize(
    "words",
    [
        ["recommend", "--user", "{user}"], ["similar", "--item", "{item}"], ["evaluate"], ["index", "verify"],
        ["runs"], ["compare"], ["datasets"], ["describe"],
    ],
    ids=lambda words: words[0],
)  # fmt: skip
def test_every_command_works_on_it(done: tuple[Home, dict[str, Any]], words: list[str]) -> None:
    home, _ = done
    first = pl.read_parquet(home.datasets / "smoke" / "train.parquet").row(0, named=True)
    filled = [word.format(**first) for word in words]
    assert call(home, *filled).exit_code == 0
    document = json.loads(call(home, *filled, "--json").stdout)
    assert document
