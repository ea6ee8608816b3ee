import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner, Result

from recsys.cli.main import app
from recsys.ids import IdMap
from recsys.storage.home import Home
from tests.factories import embeddings, run_folder, seen_rows


@pytest.fixture
def served(home: Home) -> Home:
    run_folder(home, embeddings(), seen_rows(), titles=[f"Title {item}" for item in range(30)])
    return home


def call(home: Home, *words: str) -> Result:
    return CliRunner().invoke(app, ["recommend", "--home", str(home.path), *words])


def lists(result: Result) -> list[tuple[str | None, list[str]]]:
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["run"] == "run-1"
    return [(each["user"], [item["item"] for item in each["items"]]) for each in document["recommendations"]]


def test_json_has_the_documented_shape(served: Home) -> None:
    document = json.loads(call(served, "--user", "u1", "-k", "2", "--json").stdout)
    assert list(document) == ["run", "recommendations"]
    (one,) = document["recommendations"]
    assert one["user"] == "u1"
    assert [list(item) for item in one["items"]] == [["rank", "item", "title", "score"]] * 2
    assert one["items"][0]["title"] == f"Title {one['items'][0]['item'][1:]}"


def test_people_get_a_table_a_user(served: Home) -> None:
    result = call(served, "--user", "u1", "--user", "u2", "-k", "3")
    assert result.exit_code == 0
    assert "user u1" in result.stdout
    assert "user u2" in result.stdout
    assert "Title" in result.stdout


def test_every_user_asked_for_gets_k_unseen_items(served: Home) -> None:
    seen = seen_rows()
    for user, items in lists(call(served, "--user", "u1", "--user", "u4", "-k", "25", "--json")):
        assert len(items) == 25
        assert user is not None
        assert not {f"i{item}" for item in seen.row(int(user[1:]))} & set(items)


def test_rules_come_from_files_and_unknown_ids_are_counted(served: Home, tmp_path: Path) -> None:
    (tmp_path / "only.csv").write_text("item,why\ni1,x\ni2,x\ni3,x\nnone,x\n")
    (tmp_path / "exclude.txt").write_text("i2\n\nnone\n")
    result = call(
        served, "--user", "u1", "--with-seen", "--json",
        "--only", str(tmp_path / "only.csv"), "--exclude", str(tmp_path / "exclude.txt"),
    )  # fmt: skip
    assert sorted(lists(result)[0][1]) == ["i1", "i3"]
    assert f"1 of 4 ids in {tmp_path / 'only.csv'} are not in the catalogue: none" in result.stderr
    assert f"1 of 2 ids in {tmp_path / 'exclude.txt'} are not in the catalogue: none" in result.stderr


def test_a_history_is_served(served: Home) -> None:
    result = call(served, "--history", "i1, i2,zzz", "-k", "4", "--json")
    ((user, items),) = lists(result)
    assert user is None
    assert len(items) == 4
    assert not {"i1", "i2"} & set(items)
    assert "1 of 3 items of the history are unknown: zzz" in result.stderr


def test_an_item_with_a_comma_is_quoted_or_stands_alone(home: Home) -> None:
    model = embeddings()
    odd = replace(model, item_ids=IdMap(pl.Series("id", ["a, b", *(f"i{item}" for item in range(1, 30))])))
    run_folder(home, odd, seen_rows())
    one = lists(call(home, "--history", "a, b", "-k", "99", "--json"))
    assert one == lists(call(home, "--history", '"a, b"', "-k", "99", "--json"))
    assert "a, b" not in one[0][1]
    two = lists(call(home, "--history", '"a, b",i1', "-k", "99", "--json"))
    assert two == lists(call(home, "--history", "a, b", "--history", "i1", "-k", "99", "--json"))
    assert set(one[0][1]) - set(two[0][1]) == {"i1"}


def test_unknown_users_are_an_error_popular_or_skipped(served: Home) -> None:
    result = call(served, "--user", "u42")
    assert (result.exit_code, result.stderr) == (
        2,
        "error: unknown user id 'u42'; train on it, give --history, or set --unknown popular\n",
    )
    result = call(served, "--user", "u42", "--unknown", "popular", "--json")
    assert len(lists(result)[0][1]) == 10
    assert "1 users are unknown and get the most popular items: u42" in result.stderr
    assert lists(call(served, "--user", "u42", "--user", "u1", "--unknown", "skip", "--json"))[0][0] == "u1"


def test_a_k_beyond_the_catalogue_gives_what_there_is_and_says_so(served: Home) -> None:
    result = call(served, "--user", "u1", "-k", "1000000000", "--json")
    assert len(lists(result)[0][1]) == 25
    assert "1 of 1 lists are shorter than 1000000000" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--user", "u1", "-k", "0"], "k is 0; a list has at least 1 item"),
        (["--user", "u1", "-k", "-3"], "k is -3"),
        ([], "give one of them"),
        (["--user", "u1", "--history", "i1"], "give one of them"),
        (["--history", "zzz"], "no item of the history is known to run run-1: zzz"),
        (["--history", ""], "it is empty"),
        (["--history", '"i1'], "is not a list of ids"),
        (["--user", " "], "user id 1 of 1 is missing"),
        (["--user", "u1", "--only", "only.xlsx"], "is a .xlsx file, which is not read"),
        (["--user", "u1", "--run", "nothing"], "there is no run 'nothing'"),
        (["--user", "u1", "--run", "champion"], "no champion"),
        (["--user", "u1", "--only", "missing.txt"], "cannot read missing.txt"),
        (["--user", "u1", "--index", "annoy"], "there is no index"),
    ],
)
def test_wrong_requests_exit_2_in_one_line(served: Home, words: list[str], message: str) -> None:
    result = call(served, *words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_only_without_a_known_id_is_refused(served: Home, tmp_path: Path) -> None:
    (tmp_path / "only.txt").write_text("x\ny\n")
    result = call(served, "--user", "u1", "--only", str(tmp_path / "only.txt"))
    assert result.exit_code == 2
    assert "no id in" in result.stderr


def test_a_changed_byte_exits_1(served: Home) -> None:
    path = served.runs / "run-1" / "seen.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    result = call(served, "--user", "u1")
    assert result.exit_code == 1
    assert "seen.safetensors was changed" in result.stderr


def test_serving_imports_nothing_heavy(served: Home) -> None:
    code = (
        "import sys; from recsys.retrieval.recommender import Service; from pathlib import Path;"
        f"Service.open(Path({str(served.runs / 'run-1')!r})).recommend(['u1']);"
        "print(sorted({'torch', 'polars', 'pandas', 'mlflow', 'scipy', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
