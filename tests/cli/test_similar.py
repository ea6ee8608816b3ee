import json

import pytest
from typer.testing import CliRunner, Result

from recsys.cli.main import app
from recsys.storage.home import Home
from tests.factories import embeddings, run_folder, seen_rows


def call(home: Home, *words: str) -> Result:
    return CliRunner().invoke(app, ["similar", "--home", str(home.path), *words])


@pytest.fixture
def served(home: Home) -> Home:
    run_folder(home, embeddings(), seen_rows(), titles=[f"Title {item}" for item in range(30)])
    return home


def test_items_near_an_item(served: Home) -> None:
    document = json.loads(call(served, "--item", "i3", "-k", "4", "--json").stdout)
    assert (document["run"], document["item"]) == ("run-1", "i3")
    assert [each["rank"] for each in document["similar"]] == [1, 2, 3, 4]
    assert "i3" not in {each["item"] for each in document["similar"]}
    assert document["similar"][0]["title"] == f"Title {document['similar'][0]['item'][1:]}"
    scores = [each["score"] for each in document["similar"]]
    assert scores == sorted(scores, reverse=True)


def test_users_near_a_user_and_a_note_where_there_are_no_more(served: Home) -> None:
    result = call(served, "--user", "u3", "-k", "50", "--json")
    document = json.loads(result.stdout)
    assert document["user"] == "u3"
    assert sorted(each["user"] for each in document["similar"]) == sorted(
        f"u{j}" for j in range(12) if j != 3
    )
    assert "shorter than 50" in result.stderr


def test_people_get_a_table(served: Home) -> None:
    result = call(served, "--item", "i3")
    assert result.exit_code == 0
    assert "Title" in result.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--item", "x"], "unknown item id 'x'"),
        (["--user", "x"], "unknown user id 'x'"),
        (["--item", "i1", "-k", "0"], "k is 0"),
        ([], "give one of them"),
        (["--item", "i1", "--user", "u1"], "give one of them"),
    ],
)
def test_wrong_requests_exit_2(served: Home, words: list[str], message: str) -> None:
    result = call(served, *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
