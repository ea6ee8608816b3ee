"""Every model found keeps what a model promises."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys import plugins
from recsys.data.splits.histories import oldest_rows
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.truth import Truth
from recsys.evaluation.unseen import Unseen
from recsys.ids import IdMap
from recsys.models.model import Model
from recsys.retrieval.ranking import rank
from tests.factories import checkerboard, interactions, raw

NAMES = plugins.names("models")


def model(name: str, dim: int = 8) -> Model:
    """A model of few dimensions on the CPU; one that learns in steps takes few and long ones."""
    takes = {option.name for option in plugins.part("models", name).options}
    wanted = {"dim": dim, "device": "cpu", "batch": 32, "candidates": 32, "epochs": 30, "rate": 0.3}
    made: Model = plugins.make("models", name, {key: value for key, value in wanted.items() if key in takes})
    return made


def test_the_models_of_the_main_path_are_there() -> None:
    assert {"als", "popularity", "spectral"} <= set(NAMES)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "popularity"])
def test_taste_is_found_on_a_checkerboard(name: str) -> None:
    train, test = checkerboard(users=60, items=20)
    log = Interactions.of(train)
    found = evaluate(
        model(name, dim=2).fit(log).scorer,  # there are two tastes
        Truth.of(test, log.users, log.items),
        log.histories(),
        metrics=("precision@1",),
    )
    assert found.values["precision@1"] == 1.0


@pytest.mark.parametrize("name", [name for name in NAMES if name != "popularity"])
def test_taste_of_someone_unseen_is_found_from_a_history(name: str) -> None:
    rows = [(f"u{user}", f"i{item:03d}") for user in range(60) for item in range(20) if item % 2 == user % 2]
    held = pl.col("user").is_in(["u3", "u8", "u21", "u44"])
    log, unseen = Interactions.of(raw(rows).filter(~held)), oldest_rows(raw(rows).filter(held))
    asked = Unseen.of(unseen, log.items)
    found = asked.evaluate(model(name, dim=2).fit(log).scorer, ("precision@2",))
    assert found.per_user["precision@2"].to_list() == [1.0] * 4


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_bytes(name: str) -> None:
    log = interactions()
    first, again = (model(name).fit(log).scorer.scores(np.arange(len(log.users))) for _ in range(2))
    assert first.tobytes() == again.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_scores_have_a_row_a_user_and_a_column_an_item(name: str) -> None:
    log = interactions()
    scores = model(name).fit(log).scorer.scores(np.array([3, 0]))
    assert scores.shape == (2, len(log.items))
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", NAMES)
def test_what_was_saved_is_what_was_fitted(name: str, tmp_path: Path) -> None:
    log = interactions()
    scorer = model(name).fit(log).scorer
    if not isinstance(scorer, Embeddings):
        pytest.skip(f"{name} is not made of vectors")
    scorer.save(tmp_path)
    loaded, users = Embeddings.load(tmp_path), np.arange(len(log.users))
    assert loaded.scores(users).tobytes() == scorer.scores(users).tobytes()
    assert loaded.user_ids.ids.to_list() == log.users.ids.to_list()
    assert loaded.item_ids.ids.to_list() == log.items.ids.to_list()
    assert loaded.fold_in == scorer.fold_in


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "rows",
    [
        [("only", "a"), ("only", "b"), ("only", "c")],
        [("u", "only"), ("v", "only"), ("w", "only")],
        [("u", "a")],
    ],
    ids=["one user", "one item", "one row"],
)
def test_a_log_of_almost_nothing(name: str, rows: list[tuple[str, str]]) -> None:
    log = Interactions.of(raw(rows))
    scores = model(name).fit(log).scorer.scores(np.arange(len(log.users)))
    assert scores.shape == (len(log.users), len(log.items))
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", NAMES)
def test_more_dimensions_than_users_and_items(name: str) -> None:
    log = interactions(raw([("u", "a"), ("u", "b"), ("v", "b"), ("w", "c")]))
    scores = model(name, dim=32).fit(log).scorer.scores(np.arange(3))
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("name", NAMES)
def test_an_item_nobody_chose_and_a_user_who_chose_nothing(name: str) -> None:
    users, items = IdMap(pl.Series(["a", "b", "idle"])), IdMap(pl.Series(["1", "2", "unsold", "3"]))
    log = Interactions.encode(raw([("a", "1"), ("b", "1"), ("b", "3"), ("a", "2")]), users, items)
    scorer = model(name).fit(log).scorer
    codes, _ = rank(scorer, np.arange(3), 4, log.histories())
    assert np.isfinite(scorer.scores(np.arange(3))).all()
    assert sorted(codes[2].tolist()) == [0, 1, 2, 3]
    assert sorted(codes[0].tolist()) == [-1, -1, 2, 3]
