"""An id that is known is found at every door, in whatever type and format it comes in."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

import recsys
from recsys.cli.main import app
from recsys.columns import ITEM, USER
from recsys.ids import IdMap, find_id, id_text
from recsys.retrieval.filters import look_up
from recsys.retrieval.id_lists import ids_of_text, read_ids
from recsys.retrieval.recommender import Service
from recsys.storage.home import Home
from tests.factories import embeddings, run_folder, seen_rows

ODD = ",;|\t \"'[]{}\\\r\n\x0b\x1c\x85\u2028\u2029\ufeffab7.0-=#é"
ANY = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
texts = st.text(st.one_of(st.sampled_from(ODD), ANY))
raw_ids = st.one_of(
    texts,
    texts.map(str.encode),
    st.integers(-(2**63), 2**63 - 1),
    st.integers(-(2**53) + 1, 2**53 - 1).map(float),
    st.floats(-1e6, 1e6).filter(lambda value: abs(value) >= 1e-3),
)


@pytest.fixture(scope="module")
def recommender() -> Iterator[Callable[[], Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from recsys.tracking.pyfunc import Recommender

        yield Recommender


def a_run(folder: Path, text: str) -> recsys.Run:
    """A run that knows the id as its first user and as its first item."""
    others = [f"other {number}" for number in range(5)]
    ids = [IdMap(pl.Series("id", [text, *others[:count]])) for count in (2, 5)]
    model = replace(embeddings(users=3, items=6), user_ids=ids[0], item_ids=ids[1])
    run_folder(Home(folder), model, seen_rows(users=3, items=6, each=1))
    return recsys.open(home=folder)


def files(folder: Path, value: object, text: str) -> Iterator[Path]:
    """Files of one id, as text or in the type it has."""
    plain = value.decode() if isinstance(value, bytes) else value
    table = io.StringIO(newline="")
    csv.writer(table).writerows([["note", ITEM, USER], ["x", plain, plain]])
    record = json.dumps({ITEM: plain, USER: plain}, ensure_ascii=False)
    content = {"ids.csv": table.getvalue(), "ids.jsonl": record}
    if "\n" not in text:
        content["ids.txt"] = str(plain)
    for name, each in content.items():
        (folder / name).write_bytes(each.encode())
        (folder / f"{name}.gz").write_bytes(gzip.compress(each.encode()))
        yield from (folder / name, folder / f"{name}.gz")
    pl.DataFrame({ITEM: [value], USER: [value]}).write_parquet(folder / "ids.parquet")
    yield folder / "ids.parquet"


def items(folder: Path, *words: str) -> list[str]:
    result = CliRunner().invoke(app, ["recommend", "--home", str(folder), "--json", "-k", "9", *words])
    assert result.exit_code == 0, result.stderr
    return [item["item"] for item in json.loads(result.stdout)["recommendations"][0]["items"]]


@given(value=raw_ids)
@settings(max_examples=30)
def test_an_id_is_found_at_every_door(recommender: Callable[[], Any], value: Any) -> None:
    text = id_text(value)
    assume(text is not None and not text.startswith("other "))
    assert text is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = a_run(folder, text)
        service = Service.open(run.folder.path)
        catalogue = service.model.item_ids
        mine = [item.item for item in service.recommend([text], 9)[0].items]
        by_item = [item.item for item in service.recommend_history([text], 9)[0].items]
        others = [f"other {number}" for number in range(5)]
        assert sorted(by_item) == others

        assert find_id(value, catalogue) == 0
        assert look_up([value], catalogue).codes.tolist() == [0]
        assert ids_of_text(text, catalogue) == [text]
        assert [each.user for each in service.recommend([value], 9)] == [text]
        assert [item.item for item in service.recommend_history([value], 9)[0].items] == by_item
        assert service.similar(item=value, k=9) == service.similar(item=text, k=9)
        assert service.similar(user=value, k=9) == service.similar(user=text, k=9)

        assert run.recommend(value, k=9)["item"].to_list() == mine
        assert run.recommend([value], k=9)["user"].unique().to_list() == [text]
        assert run.recommend(history=value, k=9)["item"].to_list() == by_item
        assert run.recommend(value, exclude=value, with_seen=True)["item"].sort().to_list() == others
        assert run.recommend(value, only=[value], with_seen=True)["item"].to_list() == [text]
        assert run.export(folder / "lists.parquet", users=[value])["users"] == 1

        served = recommender()
        served.load_context(SimpleNamespace(artifacts={"run": run.folder.path}))
        frame = pd.DataFrame({"user": [value, None], "history": [None, [value]]}, dtype=object)
        answer = served.predict(None, frame, {"k": 9})
        assert answer["item"].tolist() == mine + by_item
        assert set(answer["user"].dropna()) == {text}

        assert items(folder, f"--user={text}") == mine
        assert items(folder, f"--history={text}") == by_item
        assert items(folder, "--history", ",".join(['"{}"'.format(text.replace('"', '""'))] * 2)) == by_item
        for path in files(folder, value, text):
            assert [find_id(each, catalogue) for each in read_ids(path)] == [0], path.name
            assert [find_id(each, service.model.user_ids) for each in read_ids(path, USER)] == [0], path.name
        assert items(folder, f"--user={text}", "--with-seen", "--only", str(folder / "ids.jsonl")) == [text]
