"""Every command that reads a run takes it by name or by its mark, of the dataset that is meant."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from recsys.cli.main import app
from recsys.storage.home import Home
from tests import factories

COMMANDS = [
    ["recommend", "--user", "u1"],
    ["similar", "--item", "i1"],
    ["export", "{out}"],
    ["evaluate"],
    ["index", "build"],
]


def call(home: Home, words: list[str], out: Path) -> Result:
    filled = [word.replace("{out}", str(out)) for word in words]
    return CliRunner().invoke(app, [*filled, "--home", str(home.path)])


@pytest.fixture
def two(home: Home) -> Home:
    """Datasets ``one`` and ``two`` with a run each, ``of-one`` and ``of-two``; the last one is current."""
    for name in ("one", "two"):
        train = factories.raw([(f"u{user}", f"i{user}") for user in range(12)])
        test = factories.raw([(f"u{user}", f"i{user + 1}") for user in range(12)])
        source = factories.dataset_folder(home, train, test, name=name)
        factories.run_folder(
            home, factories.embeddings(), factories.seen_rows(), name=f"of-{name}", dataset=source
        )
    home.set_champions({"one": "of-one"})
    return home


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_the_current_run_and_the_champion_are_those_of_a_dataset(
    two: Home, words: list[str], tmp_path: Path
) -> None:
    def run(*more: str) -> str:
        result = call(two, [*words, *more, "--json"], tmp_path / f"{len(list(tmp_path.iterdir()))}.csv")
        assert result.exit_code == 0, result.stderr
        return str(json.loads(result.stdout)["run"])

    assert run() == "of-two"
    assert run("--run", "current") == "of-two"
    assert run("--dataset", "one") == "of-one"
    assert run("--dataset", "one", "--run", "champion") == "of-one"
    assert run("--run", "of-one") == "of-one"


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[:2]))
def test_a_champion_of_another_log_never_answers(two: Home, words: list[str], tmp_path: Path) -> None:
    for more, message in [
        (["--run", "champion"], "there is no champion of dataset two"),
        (["--run", "of-one", "--dataset", "two"], "run of-one is of dataset one, not of two"),
        (["--dataset", "three"], "there is no dataset 'three'"),
    ]:
        result = call(two, [*words, *more], tmp_path / "out.csv")
        assert result.exit_code == 2
        assert message in result.stderr
        assert result.stdout == ""
        assert len(result.stderr.splitlines()) == 1
