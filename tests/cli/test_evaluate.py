import json

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from recsys.cli.main import app
from recsys.embeddings import Embeddings
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from tests.factories import checkerboard, dataset_folder, interactions, run_folder
from tests.tracking.finished import finished


@pytest.fixture
def run(home: Home) -> RunFolder:
    """A model that knows the checkerboard: only unseen liked items score 1."""
    train, test = checkerboard()
    log = interactions(train)
    sides = [
        np.array([[int(text[1:]) % 2, 1 - int(text[1:]) % 2] for text in ids.ids], dtype=np.float32)
        for ids in (log.users, log.items)
    ]
    model = Embeddings(sides[0], sides[1], log.users, log.items, "dot")
    return run_folder(home, model, log.histories(), dataset=dataset_folder(home, train, test))


def call(run: RunFolder, *words: str) -> Result:
    return CliRunner().invoke(app, ["evaluate", "--home", str(run.path.parent.parent), *words])


def test_a_right_model_ranks_every_held_out_item_first(run: RunFolder) -> None:
    result = call(run, "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert (document["run"], document["dataset"], document["index"]) == ("run-1", "log", "exact")
    assert document["metrics"]["ndcg@10"] == 1.0
    assert document["intervals"]["ndcg@10"] == [1.0, 1.0]
    assert document["counts"]["users"] == 24


def test_the_metrics_of_the_run_are_the_ones_computed_again(run: RunFolder) -> None:
    run.write_manifest({**run.manifest(), "metrics": {"precision@1": 0.5}})
    run.seal()
    assert json.loads(call(run, "run-1", "--json").stdout)["metrics"] == {"precision@1": 1.0}
    table = call(run, "--run", "run-1").stdout
    assert "precision@1" in table
    assert "0.5000" in table
    assert "24 users scored on 24 test interactions" in table


def test_another_split_is_refused_with_both_named(run: RunFolder) -> None:
    dataset = {**run.manifest()["dataset"], "split_hash": "7" * 64}
    run.write_manifest({**run.manifest(), "dataset": dataset})
    run.seal()
    result = call(run)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "was fitted to split 777777777777 of dataset log, which now is 555555555555" in result.stderr


def test_a_run_fitted_on_its_test_part_is_not_scored(run: RunFolder) -> None:
    run.write_manifest({**run.manifest(), "refit": "all"})
    run.seal()
    result = call(run)
    assert result.exit_code == 2
    assert "there is nothing to score it on" in result.stderr


def test_figures_by_group_of_users_stand_beside_the_baselines(home: Home) -> None:
    run = finished(home)
    document = json.loads(call(run, "--by", "activity", "--json").stdout)
    assert (document["run"], document["by"]) == ("run-1", "activity")
    found = {(row["group"], row["model"], row["metric"]): row["users"] for row in document["groups"]}
    assert found["0 to 5", "als", "ndcg@10"] == found["0 to 5", "two_tower", "ndcg@10"] == 12
    table = call(run, "--by", "activity").stdout
    assert "ndcg@10 by activity" in table
    assert "0 to 5" in table


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--by", "activity", "--index", "annoy"], "leave --index, --roc and --svg out"),
        (["nothing"], "there is no run 'nothing'"),
        (["run-1", "--run", "run-2"], "two runs are given"),
        (["--index", "annoy"], "there is no index"),
    ],
)
def test_wrong_requests_exit_2(run: RunFolder, words: list[str], message: str) -> None:
    result = call(run, *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_a_changed_byte_exits_1(run: RunFolder) -> None:
    path = run.path / "run.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))
    result = call(run)
    assert result.exit_code == 1
    assert "run.json was changed" in result.stderr
