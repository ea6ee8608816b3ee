import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from typer.testing import CliRunner

from recsys.cli.main import app
from recsys.ids import IdMap
from recsys.retrieval.filters import Rules
from recsys.retrieval.recommender import Listed, Service
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from recsys.tracking.bundle import save_pyfunc
from recsys.tracking.mlflow_tracker import ALIAS, MlflowTracker
from tests.factories import embeddings, run_folder, seen_rows
from tests.tracking.finished import finished


@contextmanager
def loaded(place: str) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        patch.setattr(sys, "path", list(sys.path))
        warnings.simplefilter("ignore")
        from mlflow import pyfunc

        yield pyfunc.load_model(place)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    home = Home(tmp_path_factory.mktemp("home"))
    titles = [f"Title of i{item}" if item else None for item in range(30)]
    return run_folder(home, embeddings(), seen_rows(), titles=titles)


def save(run: RunFolder, folder: Path) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        save_pyfunc(run, folder)
    return folder


@pytest.fixture(scope="module")
def saved(run: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(run, tmp_path_factory.mktemp("saved") / "model")


@pytest.fixture(scope="module")
def model(saved: Path) -> Iterator[Any]:
    with loaded(str(saved)) as model:
        yield model


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run whose ids are whole numbers, and one item that has a comma."""
    users = IdMap(pl.Series("id", [str(number) for number in range(12)]))
    items = IdMap(pl.Series("id", ["Tyler, the Cook", *(str(number) for number in range(1, 30))]))
    home = Home(tmp_path_factory.mktemp("home"))
    titles = [f"Title of {item}" if item else None for item in range(30)]
    return run_folder(home, replace(embeddings(), user_ids=users, item_ids=items), seen_rows(), titles=titles)


@pytest.fixture(scope="module")
def numbered(numbers: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with loaded(str(save(numbers, tmp_path_factory.mktemp("saved") / "model"))) as model:
        yield model


Rows = list[tuple[Any, ...]]


def expected(run: RunFolder, users: list[str], k: int) -> Rows:
    lists = Service.open(run.path).recommend(users, k, unknown="skip")
    return [(each.user, *rest(place)) for each in lists for place in each.items]


PLACE = ("item", "rank", "score", "title")


def rest(place: Listed) -> tuple[Any, ...]:
    return tuple(getattr(place, name) for name in PLACE)


def rows(answer: pd.DataFrame) -> Rows:
    assert list(answer.columns) == ["user", *PLACE]
    return list(answer.astype(object).where(answer.notna(), None).itertuples(index=False, name=None))


def test_the_champion_of_the_registry_answers(tracked_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    run, tracker = finished(tracked_home), MlflowTracker(tracked_home)
    assert tracker.log(run) is not None
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracker.uri)
    with loaded(f"models:/recsys-log@{ALIAS}") as champion:
        assert rows(champion.predict(pd.DataFrame({"user": ["u3"]}))) == expected(run, ["u3"], 10)


def test_lists_are_those_of_the_run_folder(model: Any, run: RunFolder) -> None:
    answer = model.predict(pd.DataFrame({"user": ["u3", "u0", "u3"]}), params={"k": 25})
    assert rows(answer) == expected(run, ["u3", "u0", "u3"], 25)
    titles = {item: title for _, item, _, _, title in rows(answer)}
    assert titles == {item: f"Title of {item}" if item != "i0" else None for item in titles}
    assert None in titles.values()


def test_the_default_is_ten_items_and_popular_ones_for_a_stranger(model: Any, run: RunFolder) -> None:
    answer = model.predict(pd.DataFrame({"user": ["stranger", "u1"]}))
    assert answer.groupby("user").size().to_dict() == {"stranger": 10, "u1": 10}
    popular = [place.item for place in Service.open(run.path).popular(10)]
    assert answer.loc[answer["user"] == "stranger", "item"].tolist() == popular
    skipped = model.predict(pd.DataFrame({"user": ["stranger", "u1"]}), params={"unknown": "skip"})
    assert set(skipped["user"]) == {"u1"}


def test_the_signature_names_the_columns_and_the_example_fits(
    model: Any, saved: Path, run: RunFolder
) -> None:
    signature = model.metadata.signature
    assert signature.inputs.input_names() == ["user", "history", "exclude"]
    assert signature.outputs.input_names() == ["user", *PLACE]
    assert [each.name for each in signature.params] == ["k", "unknown"]
    example = json.loads((saved / "input_example.json").read_text())
    history, _ = Service.open(run.path).recommend_history(["i0"], rules=Rules(np.array([1], np.int32)))
    assert rows(model.predict(pd.DataFrame(**example))) == expected(run, ["u0"], 10) + [
        (None, *rest(place)) for place in history.items
    ]


@pytest.mark.parametrize(
    "cell", [["i4", "i7"], np.array(["i4", "i7"]), ("i4", "i7"), '["i4", "i7"]', "i4,i7", ' "i4", i7']
)
def test_a_history_may_be_a_list_or_text(model: Any, run: RunFolder, cell: object) -> None:
    one, _ = Service.open(run.path).recommend_history(["i4", "i7"], 6)
    frame = pd.DataFrame({"user": ["new", "u2"], "history": pd.Series([cell, None], dtype=object)})
    wanted = [("new", *rest(place)) for place in one.items] + expected(run, ["u2"], 6)
    assert rows(model.predict(frame, params={"k": 6})) == wanted
    alone = model.predict(frame[["history"]], params={"k": 6})
    assert rows(alone) == [(None, *rest(place)) for place in one.items]


def test_a_history_of_unknown_items_is_a_stranger(model: Any, run: RunFolder) -> None:
    frame = pd.DataFrame({"history": [["x"]], "exclude": ["i3"]})
    popular = Service.open(run.path).popular(10, rules=Rules(np.array([3], np.int32)))
    assert rows(model.predict(frame)) == [(None, *rest(place)) for place in popular]
    assert rows(model.predict(frame, params={"unknown": "skip"})) == []
    with pytest.raises(Exception, match="no item of the history is known"):
        model.predict(frame, params={"unknown": "error"})


def test_items_to_exclude_are_of_their_row_alone(model: Any, run: RunFolder) -> None:
    full = expected(run, ["u3"], 30)
    frame = pd.DataFrame({"user": ["u3", "u3"], "exclude": [[full[0][1], "x"], None]})
    found = rows(model.predict(frame, params={"k": 30}))
    assert [row[1] for row in found] == [row[1] for row in full[1:] + full]


def test_a_dictionary_is_a_table_of_columns(model: Any, run: RunFolder) -> None:
    wanted = expected(run, ["u3", "u0"], 10)
    assert rows(model.predict({"user": ["u3", "u0"]})) == wanted
    assert rows(model.predict({"user": np.array(["u3", "u0"])})) == wanted
    beside = rows(model.predict({"user": ["u3", "u0"], "exclude": [wanted[0][1], "x"]}))
    others = [row[:2] for row in wanted[1:]]
    assert [row[:2] for row in beside if row[:2] in others] == others
    with pytest.raises(Exception, match="columns are of different lengths"):
        model.predict({"user": ["u3", "u0"], "exclude": ["x"]})


@pytest.mark.parametrize(
    ("frame", "params", "message"),
    [
        (
            {"user": ["u1"]},
            {"unknown": "Popular"},
            "unknown is 'Popular'; it is one of: error, popular, skip",
        ),
        ({"user": ["u1"]}, {"k": 0}, "k is 0; a list has at least 1 item"),
        ({"user": ["u1"]}, {"k": "ten"}, "'k'"),
        ({"user": ["u1", "x"]}, {"unknown": "error"}, "unknown user id 'x'"),
        ({"user": ["u1", None]}, {"unknown": "error"}, "user id 2 of 2 is missing"),
        ({"customer": ["u1"]}, {}, "there is no column user, nor history"),
        ({"user": ["u1", {"id": 1}]}, {}, "row 2: .* is not an id: it is a dict"),
        ({"user": ["u1"], "history": ['"i1']}, {}, "row 1: .* is not a list of ids"),
    ],
)
def test_what_is_wrong_is_told(
    model: Any, frame: dict[str, Any], params: dict[str, Any], message: str
) -> None:
    from mlflow import exceptions

    with pytest.raises(exceptions.MlflowException, match=message):
        model.predict(pd.DataFrame(frame), params=params)


@pytest.mark.parametrize("users", [[5], [5, None], ["5", None], [None, 5.0, ""], ["5 "]])
def test_a_server_reads_numbers_beside_nulls(numbered: Any, users: list[object]) -> None:
    """JSON numbers beside a null reach the model as floats."""
    from mlflow.pyfunc import scoring_server

    body = {"dataframe_records": [{"user": user} for user in users], "params": {"k": 3}}
    schema = numbered.metadata.get_input_schema()
    answer = json.loads(
        scoring_server.invocations(json.dumps(body), "application/json", numbered, schema).response
    )
    wanted = numbered.predict(pd.DataFrame({"user": ["5"]}), params={"k": 3})
    assert [row["user"] for row in answer["predictions"]] == ["5"] * 3
    assert [row["item"] for row in answer["predictions"]] == wanted["item"].tolist()


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ({"user": [5, 11]}, ["--user", "5", "--user", "11"]),
        ({"user": [5.0, None]}, ["--user", "5"]),
        ({"user": pd.array([5, None], dtype="Int64")}, ["--user", "5"]),
        ({"user": ["5", "zz"]}, ["--user", "5", "--user", "zz", "--unknown", "popular"]),
        ({"user": [b"5"]}, ["--user", "5"]),
        ({"history": [[3, 4.0]]}, ["--history", "3,4"]),
        ({"history": ["Tyler, the Cook"]}, ["--history", "Tyler, the Cook"]),
        ({"history": ['"Tyler, the Cook", 4']}, ["--history", "Tyler, the Cook", "--history", "4"]),
        ({"history": ['["Tyler, the Cook", 4]']}, ["--history", '"Tyler, the Cook",4']),
        ({"user": [5], "exclude": [[1, "Tyler, the Cook"]]}, ["--user", "5", "--exclude", "{exclude}"]),
        ({"user": [5], "exclude": ['1,"Tyler, the Cook"']}, ["--user", "5", "--exclude", "{exclude}"]),
    ],
)
def test_lists_are_those_of_the_command_line(
    numbered: Any, numbers: RunFolder, tmp_path: Path, frame: dict[str, Any], words: list[str]
) -> None:
    (tmp_path / "exclude.txt").write_text("1\nTyler, the Cook\n")
    words = [word.format(exclude=tmp_path / "exclude.txt") for word in words]
    home = str(numbers.path.parents[1])
    result = CliRunner().invoke(app, ["recommend", "--home", home, "--json", "-k", "4", *words])
    assert result.exit_code == 0, result.stderr
    wanted = [
        (one["user"], *(place.get(name) for name in PLACE))
        for one in json.loads(result.stdout)["recommendations"]
        for place in one["items"]
    ]
    found = rows(numbered.predict(pd.DataFrame(frame), params={"k": 4}))
    assert [(*row[:3], *row[4:]) for row in found] == [(*row[:3], *row[4:]) for row in wanted]
    assert [row[3] for row in found] == pytest.approx([row[3] for row in wanted], abs=1e-6)


@pytest.mark.slow
def test_a_fresh_process_loads_the_model_with_its_code_in_under_two_seconds(
    tracked_home: Home, tmp_path: Path
) -> None:
    """Of processor time, from the registry, without this package and what only training needs."""
    run, tracker = finished(tracked_home), MlflowTracker(tracked_home)
    tracker.log(run)
    script = (
        "import sys, time, pandas as pd\n"
        "sys.path = [each for each in sys.path if each != sys.argv[2]]\n"
        "from mlflow import pyfunc\n"
        "sys.modules.update(dict.fromkeys(['torch', 'polars', 'implicit']))\n"
        "started = time.process_time()\n"
        "model = pyfunc.load_model(sys.argv[1])\n"
        "taken = time.process_time() - started\n"
        "import recsys\n"
        "assert 'artifacts' in recsys.__file__, recsys.__file__\n"
        "print(len(model.predict(pd.DataFrame({'user': ['u1']}))), taken)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, f"models:/recsys-log@{ALIAS}", str(Path(__file__).parents[2])],
        cwd=tmp_path, env={**os.environ, "MLFLOW_TRACKING_URI": tracker.uri},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    count, taken = result.stdout.split()[-2:]
    assert (int(count), float(taken) < 2) == (10, True), result.stdout
