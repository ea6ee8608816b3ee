import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from recsys.cli.main import app
from recsys.data.synthetic import World, write_csv
from recsys.pipeline.epochs import read_epochs
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder

SMALL = ["--baselines", "none", "--dim", "8", "--batch", "256", "--candidates", "32", "--loss", "bpr"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder = tmp_path_factory.mktemp("train")
    write_csv(folder / "log.csv", World.make(80, 60, genres=4), 3000)
    made = call(Home(folder / "home"), "etl", str(folder / "log.csv"))
    assert made.exit_code == 0, made.output
    return Home(folder / "home")


def call(home: Home, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--home", str(home.path)])


def start(home: Home, *words: str) -> "subprocess.Popen[str]":
    command = [
        sys.executable,
        "-c",
        "from recsys.cli.main import main; main()",
        "train",
        "--home",
        str(home.path),
        *words,
    ]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def stop_in_training(
    home: Home, process: "subprocess.Popen[str]", with_signal: signal.Signals
) -> tuple[RunFolder, str]:
    """Wait until a run has trained two epochs, then send the signal."""
    before = set(home.runs.glob("*")) if home.runs.exists() else set()
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        new = [
            path
            for path in home.runs.glob("*")
            if path not in before and len(read_epochs(path / "epochs.jsonl")) >= 2
        ]
        if new:
            process.send_signal(with_signal)
            _, errors = process.communicate(timeout=60)
            return RunFolder(new[0]), errors
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.kill()
    raise AssertionError("no epoch in a minute")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--loss", "tripplet"], "unknown loss 'tripplet'; there are: "),
        (["--distance", "hamming"], "unknown distance 'hamming'; there are: "),
        (["--set", "model.loss.margn=1"], "has no option 'margn'; it takes: "),
        (["--set", "model.loss.margin=-1", "--loss", "triplet"], "margin"),
        (["--dim", "0"], "dim is 0"),
        (["--rate", "-1"], "rate is -1"),
        (["--refit", "some"], "refit: input should be 'none', 'valid' or 'all', not 'some'"),
        (["--baselines", "alz"], "baselines: unknown model 'alz'"),
        (["--target-recall", "2"], "index.target_recall"),
        (["--dataset", "none"], "there is no dataset 'none'"),
        (["--resume", "none"], "there is no stopped run 'none'"),
        (["--config", "none.yaml"], "there is no file none.yaml"),
        (["--set", "model.rate"], "--set takes path=value"),
    ],
)
def test_a_wrong_request_is_one_message(home: Home, words: list[str], message: str) -> None:
    result = call(home, "train", *words)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not home.runs.exists() or not [
        path for path in home.runs.iterdir() if not (path / "files.json").exists()
    ]


def test_without_a_dataset_it_says_how_to_make_one(tmp_path: Path) -> None:
    result = call(Home(tmp_path), "train")
    assert result.exit_code == 2
    assert "make one with `recsys etl LOG`" in result.stderr


def test_json_is_the_only_thing_on_standard_output(home: Home) -> None:
    result = call(home, "train", *SMALL, "--epochs", "2", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["metrics"]["ndcg@20"] > 0
    assert document["model"]["options"]["loss"]["name"] == "bpr"


def test_what_is_said_to_do_next_is_about_the_dataset_that_was_trained_on(home: Home) -> None:
    """Another dataset was current: the run makes its own one current, so that the next commands find it."""
    made = call(home, "etl", str(home.path.parent / "log.csv"), "--name", "фильмы")
    assert made.exit_code == 0, made.output
    trained = call(home, "train", "--dataset", "log", *SMALL, "--epochs", "1")
    assert trained.exit_code == 0, trained.output
    assert "next: recsys recommend --user ID, recsys compare" in trained.stdout
    run = home.current("run")
    assert run is not None
    compared = call(home, "compare", "--json")
    assert compared.exit_code == 0, compared.stderr
    document = json.loads(compared.stdout)
    assert document["dataset"] == "log"
    assert run in [row["run"] for row in document["rows"]]
    second = call(home, "train", "--dataset", "фильмы", *SMALL, "--epochs", "1", "--json")
    assert second.exit_code == 0, second.output
    assert (
        json.loads(call(home, "recommend", "--user", "1", "--unknown", "popular", "--json").stdout)["run"]
        == json.loads(second.stdout)["run"]
    )
    answer = call(home, "recommend", "--user", "1", "--unknown", "popular", "--dataset", "log", "--json")
    assert json.loads(answer.stdout)["run"] == run


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_bytes(home: Home) -> None:
    words = [*SMALL, "--epochs", "150", "--patience", "150", "--quiet"]
    run, _ = stop_in_training(home, start(home, *words), signal.SIGKILL)
    assert run.name not in home.names("run")
    resumed = call(home, "train", "--resume", run.name)
    assert resumed.exit_code == 0, resumed.output
    whole = start(home, *words, "--json")
    document = json.loads(whole.communicate(timeout=120)[0])
    other = RunFolder(home.runs / document["run"])
    assert (run.model / "vectors.safetensors").read_bytes() == (
        other.model / "vectors.safetensors"
    ).read_bytes()
    assert (
        read_epochs(run.path / "epochs.jsonl")[-1]["epoch"]
        == read_epochs(other.path / "epochs.jsonl")[-1]["epoch"]
    )


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on(home: Home) -> None:
    current = home.current("run")
    process = start(home, *SMALL, "--epochs", "5000", "--patience", "5000")
    run, errors = stop_in_training(home, process, signal.SIGINT)
    assert process.returncode == 130
    assert f"continue with: recsys train --resume {run.name}" in errors
    assert home.current("run") == current
    assert call(home, "recommend", "--user", "none").exit_code == 2
