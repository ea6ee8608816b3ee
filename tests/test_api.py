from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from typer.testing import CliRunner

import recsys
from recsys.cli.main import app
from recsys.data.synthetic import planted
from recsys.errors import InputError
from recsys.ids import IdMap
from recsys.retrieval.recommender import Service
from recsys.storage.home import Home
from tests.factories import embeddings, run_folder, seen_rows

SMALL = {"model.dim": 8, "model.epochs": 2, "baselines": ["popularity"]}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> recsys.Run:
    log, _ = planted(80, 60, 3000, genres=4)
    data = recsys.read(log, home=tmp_path_factory.mktemp("home")).split("time:0.2")
    return recsys.train(data, loss="triplet", distance="cosine", options=SMALL)


@pytest.fixture
def numbered(home: Home) -> recsys.Run:
    """A run whose ids are whole numbers."""
    ids = [IdMap(pl.Series("id", [str(number) for number in range(count)])) for count in (12, 30)]
    model = replace(embeddings(), user_ids=ids[0], item_ids=ids[1])
    run_folder(home, model, seen_rows(), titles=["Title" if item else None for item in range(30)])
    return recsys.open(home=home.path)


def test_lists_are_frames(run: recsys.Run) -> None:
    user = (
        run.folder.manifest()["run"]
        and pl.read_parquet(run.folder.evaluation / "per_user.parquet")["user"][0]
    )
    found = run.recommend(user, k=5)
    assert found.columns == ["user", "rank", "item", "title", "score"]
    assert found["rank"].to_list() == [1, 2, 3, 4, 5]
    assert len(found.to_pandas()) == 5
    items = found["item"].to_list()
    assert run.recommend(history=items[:2], k=3).height == 3
    assert run.similar(item=items[0], k=4).height == 4


def test_verdicts_are_frames(run: recsys.Run) -> None:
    table = run.evaluate()
    assert set(table["model"]) == {"two_tower", "popularity"}
    assert run.metrics["ndcg@20"] == table.filter(model="two_tower", metric="ndcg@20")["value"].item()


def test_a_wrong_request_says_what_is_allowed(run: recsys.Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="either a user id"):
        run.recommend()
    with pytest.raises(InputError, match="unknown user id 'nobody'"):
        run.recommend("nobody")
    with pytest.raises(InputError, match="positve_from"):
        recsys.read("x.csv", home=tmp_path, options={"positve_from": 4}).split()


def test_pandas_and_polars_give_the_same_dataset(tmp_path: Path) -> None:
    log, _ = planted(40, 30, 800, genres=3)
    ours = recsys.read(log, home=tmp_path / "a").split("time:0.2")
    theirs = recsys.read(log.to_pandas(), home=tmp_path / "b").split("time:0.2")
    assert ours.split_hash == theirs.split_hash


@pytest.mark.parametrize("kind", [pl.DataFrame.lazy, pl.DataFrame.to_arrow, pl.DataFrame.to_pandas])
def test_a_frame_of_any_library_is_read(tmp_path: Path, kind: Callable[[pl.DataFrame], object]) -> None:
    log = pl.DataFrame({"user": [1, 1, 2, 2], "item": ["a", "b", "a", "c"]})
    found = recsys.read(kind(log), home=tmp_path).split("random:0.3", valid=0)  # type: ignore[arg-type]
    assert set(found.split().train["user"]) <= {"1", "2"}
    assert found.manifest["counts"]["read"] == 4


def test_ids_of_several_types_in_one_column_of_pandas_are_read(tmp_path: Path) -> None:
    log = pd.DataFrame({"user": [1, "x", 2.0, "x"], "item": ["a", "b", "a", b"c"]})
    parts = recsys.read(log, home=tmp_path).split("random:0.3", valid=0).split()
    assert set(pl.concat([parts.train, parts.test])["user"]) == {"1", "x", "2"}
    assert set(pl.concat([parts.train, parts.test])["item"]) == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"user": [1]}, "not a dict"), (5, "not a int"),
        (pd.DataFrame([[1, 2]], columns=["user", "user"]), "two columns 'user'"),
        (pd.DataFrame({"user": [1, [2]]}), r"column 'user' of the frame: \[2\] is not an id"),
    ],
)  # fmt: skip
def test_what_is_no_log_is_refused(tmp_path: Path, source: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        recsys.read(source, home=tmp_path).split("random:0.3")  # type: ignore[arg-type]


def test_a_run_is_opened_by_name_and_by_mark(run: recsys.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    home = run.folder.path.parent.parent
    for name in (run.name, "current", "champion"):
        assert recsys.open(name, home=home) == run
    monkeypatch.setenv("RECSYS_HOME", str(home))
    assert recsys.open() == run
    assert recsys.open("current", dataset=run.folder.manifest()["dataset"]["name"], home=home) == run
    with pytest.raises(InputError, match="there is no dataset 'another'"):
        recsys.open("champion", dataset="another", home=home)
    with pytest.raises(InputError, match="there is no run 'nothing' in"):
        recsys.open("nothing", home=home)


def test_its_files_are_checked_once(numbered: recsys.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    given = Service.open
    monkeypatch.setattr(Service, "open", lambda folder: opened.append(folder) or given(folder))
    numbered.recommend(5)
    numbered.similar(item=3)
    numbered.recommend(history=[3])
    assert opened == [numbered.folder.path]


@pytest.mark.parametrize(
    "users",
    [
        5, 5.0, "5", " 5 ", b"5", np.int64(5), np.float32(5), np.array(5), [5], (5.0,), {5}, np.array([5]),
        np.array(["5"]), pd.Series([5]), pd.array([5], dtype="Int64"), pl.Series([5]), pl.Series([b"5"]),
    ],
)  # fmt: skip
def test_an_id_of_any_type_is_the_same_one(numbered: recsys.Run, users: object) -> None:
    wanted = numbered.recommend("5", k=4)
    assert wanted["user"].to_list() == ["5"] * 4
    assert numbered.recommend(users, k=4).equals(wanted)
    assert numbered.recommend(history=users, k=4).equals(numbered.recommend(history=["5"], k=4))
    assert numbered.recommend("5", exclude=users).equals(numbered.recommend("5", exclude=["5"]))


def test_a_text_is_one_item_of_a_history(numbered: recsys.Run) -> None:
    assert numbered.recommend(history="12", k=30).equals(numbered.recommend(history=["12"], k=30))
    assert not numbered.recommend(history="12", k=30).equals(numbered.recommend(history=["1", "2"], k=30))


def test_rules_and_strangers(numbered: recsys.Run) -> None:
    full = numbered.recommend(5, k=30)["item"].to_list()
    assert numbered.recommend(5, k=30, exclude=full[:3])["item"].to_list() == full[3:]
    assert set(numbered.recommend(5, k=30, only=[int(item) for item in full[:3]])["item"]) == set(full[:3])
    assert numbered.recommend([5, 99], k=2, unknown="skip")["user"].to_list() == ["5", "5"]
    assert numbered.recommend([99, None], k=2, unknown="popular")["user"].to_list() == ["99", "99"]
    with pytest.warns(UserWarning, match="1 of 2 ids in exclude are not in the catalogue: x"):
        numbered.recommend(5, exclude=[1, "x"])
    with pytest.warns(UserWarning, match="1 of 2 items of the history are unknown: x"):
        numbered.recommend(history=[1, "x"])


def test_frames_without_rows_keep_their_columns(numbered: recsys.Run) -> None:
    columns = {
        "user": pl.String,
        "rank": pl.Int64,
        "item": pl.String,
        "title": pl.String,
        "score": pl.Float64,
    }
    assert numbered.recommend([], k=2).schema == columns
    assert numbered.recommend(99, k=2, unknown="skip").schema == columns
    assert numbered.similar(item=3, k=2).columns == ["rank", "item", "title", "score"]
    assert numbered.similar(user=3, k=2).columns == ["rank", "user", "score"]


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda run: run.recommend("x"), ["recommend", "--user", "x"]),
        (lambda run: run.recommend(5, k=0), ["recommend", "--user", "5", "-k", "0"]),
        (lambda run: run.recommend(" "), ["recommend", "--user", " "]),
        (lambda run: run.recommend(history=["x"]), ["recommend", "--history", "x"]),
        (lambda run: run.similar(item="x"), ["similar", "--item", "x"]),
        (lambda run: run.similar(user="x"), ["similar", "--user", "x"]),
        (lambda run: run.similar(), ["similar"]),
        (lambda run: run.export("lists.txt"), ["export", "lists.txt"]),
        (lambda run: run.export("lists.csv", k=0), ["export", "lists.csv", "-k", "0"]),
        (lambda run: run.export("lists.csv", index="annoy"), ["export", "lists.csv", "--index", "annoy"]),
        (
            lambda run: recsys.open("x", home=run.folder.path.parents[1]),
            ["recommend", "--user", "1", "--run", "x"],
        ),
    ],
)
def test_what_is_wrong_is_told_as_on_the_command_line(
    numbered: recsys.Run, ask: Callable[[recsys.Run], object], words: list[str]
) -> None:
    with pytest.raises(InputError) as told:
        ask(numbered)
    result = CliRunner().invoke(app, [*words, "--home", str(numbered.folder.path.parents[1])])
    assert (result.exit_code, result.stderr) == (2, f"error: {told.value}\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"user": 5, "unknown": "Popular"}, "unknown is 'Popular'; it is one of: error, popular, skip"),
        ({"user": 5, "k": 2.5}, "k is 2.5"),
        ({"user": 5, "history": [3]}, "either a user id"),
        ({"user": 5, "only": ["x"]}, "no id in only is in the catalogue"),
        ({"user": pd.DataFrame({"user": [5]})}, "a DataFrame is not a list of ids"),
        ({"user": [5, {"id": 5}]}, "is not an id: it is a dict"),
        ({"user": [5, None]}, "user id 2 of 2 is missing"),
    ],
)
@pytest.mark.filterwarnings("ignore:1 of 1 ids in only")
def test_a_wrong_argument_is_refused(numbered: recsys.Run, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        numbered.recommend(**options)  # type: ignore[arg-type]


def test_lists_are_exported(numbered: recsys.Run, tmp_path: Path) -> None:
    manifest = numbered.export(tmp_path / "lists.parquet", k=3, users=np.array([7, 5, 99]))
    assert (manifest["users"], manifest["unknown_users"], manifest["rows"]) == (2, 1, 6)
    found = pl.read_parquet(tmp_path / "lists.parquet")
    wanted = numbered.recommend([7, 5], k=3)
    assert found.select("user", "item").equals(wanted.select("user", "item"))
    assert numbered.export(str(tmp_path / "all"), part_rows=9)["users"] == 12
    assert numbered.export(tmp_path / "scored.csv", purpose="evaluation")["for"] == "evaluation"


def test_figures_by_group_hold_the_same_users(run: recsys.Run) -> None:
    table = run.evaluate(by="activity").filter(model="two_tower", metric="ndcg@20")
    mean = (table["value"] * table["users"]).sum() / table["users"].sum()
    assert mean == pytest.approx(run.metrics["ndcg@20"])
    with pytest.raises(InputError, match="by is 'age'"):
        run.evaluate(by="age")


def test_a_notebook_shows_a_run(run: recsys.Run) -> None:
    shown = run._repr_html_()
    assert run.name in shown
    assert "two_tower" in shown
    assert "<table" in shown
