import json
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from recsys.cli.main import app
from recsys.storage.home import Home
from tests.factories import embeddings, run_folder, seen_rows


@pytest.fixture
def served(home: Home) -> Home:
    run_folder(home, embeddings(), seen_rows())
    return home


def call(home: Home, *words: str) -> Result:
    return CliRunner().invoke(app, ["export", "--home", str(home.path), *words])


def test_the_manifest_is_printed_as_json(served: Home, tmp_path: Path) -> None:
    out = tmp_path / "lists.parquet"
    result = call(served, str(out), "-k", "4", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == json.loads((tmp_path / "lists.parquet.manifest.json").read_text())
    assert pl.read_parquet(out).height == 48


def test_people_read_what_was_written(served: Home, tmp_path: Path) -> None:
    result = call(served, str(tmp_path / "lists.csv"), "-k", "100")
    assert "305 rows for 12 users of run run-1, in 1 file" in " ".join(result.stdout.split())
    assert "lists are shorter than 100: the catalogue has 30 items" in result.stderr


def test_users_from_a_file_and_parts(served: Home, tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("user\nu3\nnobody\nu1\n")
    words = ["--users", str(tmp_path / "users.csv"), "-k", "3", "--part-rows", "3", "--json"]
    result = call(served, str(tmp_path / "lists"), *words)
    assert [file["file"] for file in json.loads(result.stdout)["files"]] == [
        "part-00000.parquet",
        "part-00001.parquet",
    ]
    assert "1 users in" in result.stderr
    assert "are unknown to the run and left out" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lists.xlsx"], "cannot tell the format"),
        (["lists.csv", "-k", "0"], "k is 0"),
        (["lists.csv", "--run", "nothing"], "there is no run 'nothing'"),
        (["lists.csv", "--users", "missing.txt"], "cannot read missing.txt"),
        (["lists.csv", "--index", "annoy"], "there is no index"),
    ],
)
def test_wrong_requests_exit_2_and_write_nothing(
    served: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], message: str
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    result = call(served, *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert not list((tmp_path / "empty").iterdir())
