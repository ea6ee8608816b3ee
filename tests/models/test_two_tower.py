"""The two towers as a model: what every model promises, on every loss."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.errors import InputError
from recsys.evaluation.validator import validator
from recsys.learning.losses.bpr import BPR
from recsys.learning.losses.bsl import BSL
from recsys.learning.training import loop
from recsys.learning.training.checkpoint import State
from recsys.learning.training.loop import Hooks, TrainingSetup, batches
from recsys.models import two_tower
from recsys.models.initialization import start
from recsys.models.model import Scorer, Validate
from recsys.models.two_tower import TwoTower
from tests import factories

BY_BPR = {"name": "bpr", "temperature": 0.12}
SMALL = TwoTower(
    BY_BPR, tower="lookup", start="normal", hops=0, dim=8, epochs=30, batch=64, candidates=16, rate=0.1
)
TRIPLET = {"name": "triplet", "margin": 1.0}
LOSSES = ["bpr", "contrastive", TRIPLET]


def precision(model: TwoTower) -> float:
    """Share of users whose first unseen item is the held-out one, on the checkerboard."""
    raw, test = factories.checkerboard()
    train = Interactions.of(raw)
    scores = model.fit(train).scorer.scores(np.arange(len(train.users)))
    scores[train.frame["user"].to_numpy(), train.frame["item"].to_numpy()] = -np.inf
    truth = Interactions.encode(test, train.users, train.items).frame.sort("user")["item"].to_numpy()
    return float((scores.argmax(1) == truth).mean())


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("tower", ["lookup", "history"])
def test_checkerboard(loss: str | dict[str, object], tower: str) -> None:
    assert precision(replace(SMALL, loss=loss, tower=tower)) == 1


@pytest.mark.parametrize("distance", ["cosine", "dot", "euclidean", "squared_euclidean"])
def test_checkerboard_in_every_distance(distance: str) -> None:
    assert precision(replace(SMALL, loss={"name": "bpr", "temperature": 1.0}, distance=distance)) == 1


@pytest.mark.parametrize("sampler", ["uniform", "popular", "in_batch"])
def test_checkerboard_with_every_sampler(sampler: str) -> None:
    assert precision(replace(SMALL, loss=TRIPLET, sampler=sampler)) == 1


@pytest.mark.parametrize("miner", ["hardest", "semihard"])
def test_checkerboard_with_every_miner(miner: str) -> None:
    """The held-out item is itself among the hardest negatives, so it may end lower; chance is 1 / 9."""
    assert precision(replace(SMALL, loss=TRIPLET, miner=miner)) > 0.6


@pytest.mark.parametrize("optimizer", ["adagrad", "adam"])
def test_same_seed_same_bytes(optimizer: str) -> None:
    train = factories.interactions()
    model = replace(SMALL, epochs=2, optimizer=optimizer)
    first, second, other = (model_.fit(train).scorer for model_ in (model, model, replace(model, seed=1)))
    assert isinstance(first, Embeddings)
    assert isinstance(second, Embeddings)
    assert isinstance(other, Embeddings)
    assert first.users.tobytes() == second.users.tobytes()
    assert first.items.tobytes() == second.items.tobytes()
    assert first.items.tobytes() != other.items.tobytes()


@pytest.mark.parametrize(("batch", "candidates"), [(1, 1), (599, 3), (10_000, 500)])
def test_odd_sizes(batch: int, candidates: int) -> None:
    """Batches of one row, a last batch of one row, more rows and more candidates than there are."""
    train = factories.interactions()
    fitted = replace(SMALL, epochs=1, batch=batch, candidates=candidates).fit(train).scorer
    assert np.isfinite(fitted.scores(np.array([0]))).all()


@pytest.mark.parametrize("tower", ["lookup", "history"])
def test_an_item_nobody_chose_and_a_user_with_one_item(tower: str, tmp_path: Path) -> None:
    raw = factories.raw([("anna", "x"), ("ben", "x"), ("ben", "y"), ("ben", "z")])
    ids = Interactions.of(raw)
    train = Interactions.encode(raw.filter(pl.col("item") != "z"), ids.users, ids.items)
    fitted = replace(SMALL, epochs=2, tower=tower).fit(train).scorer
    assert isinstance(fitted, Embeddings)
    assert fitted.items.shape == (3, 8)
    fitted.save(tmp_path / "model")
    loaded = Embeddings.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.scores(np.array([0, 1])), fitted.scores(np.array([0, 1])))
    assert loaded.user_ids.ids.to_list() == ["anna", "ben"]


def test_cosine_vectors_are_unit_vectors() -> None:
    fitted = replace(SMALL, epochs=1).fit(factories.interactions()).scorer
    assert isinstance(fitted, Embeddings)
    np.testing.assert_allclose(np.linalg.norm(fitted.items, axis=1), 1, rtol=1e-5)


def test_stops_at_the_best_epoch_and_keeps_its_vectors() -> None:
    values = iter([0.1, 0.3, 0.2, 0.25, 0.9])
    seen = []

    def validate(scorer: object) -> float:
        seen.append(scorer)
        return next(values)

    fitted = replace(SMALL, epochs=10, patience=2).fit(factories.interactions(), validate=validate)
    assert len(seen) == 4
    assert fitted.chosen == {"epochs": 2, "hops": 0, "start_share": 0.0}
    assert isinstance(fitted.scorer, Embeddings)
    assert isinstance(seen[1], Embeddings)
    assert fitted.scorer.users.tobytes() == seen[1].users.tobytes()
    again = replace(SMALL, epochs=2).fit(factories.interactions()).scorer
    assert isinstance(again, Embeddings)
    assert again.users.tobytes() == fitted.scorer.users.tobytes()


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"dim": 0}, "dim is 0"),
        ({"rate": 0.0}, "rate is 0.0"),
        ({"optimizer": "sgd"}, "adagrad, adam"),
        ({"reducer": "median"}, "mean, active, sum"),
        ({"device": "tpu"}, "auto, cpu, cuda"),
    ],
)
def test_refuses_wrong_options(options: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        TwoTower(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"loss": "triplett"}, "did you mean triplet"),
        ({"loss": {"name": "triplet", "margn": 1}}, "it takes: margin"),
        ({"loss": {"margin": 1}}, "names no part"),
        ({"distance": "hamming"}, "unknown distance"),
        ({"distance": "dot", "loss": "arcface"}, "arcface needs a bounded score, which dot is not"),
        ({"distance": "dot", "miner": "distance_weighted"}, "needs a bounded score, which dot is not"),
    ],
)
def test_refuses_wrong_parts(options: dict[str, object], named: str) -> None:
    with pytest.raises(InputError, match=named):
        TwoTower(**options).fit(factories.interactions())  # type: ignore[arg-type]


@pytest.mark.parametrize("options", [{"distance": "dot", "loss": "arcface"}, {"device": "cuda"}])
def test_what_cannot_be_is_refused_before_the_start(
    options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> object:
        raise AssertionError("the start was made")

    monkeypatch.setattr(two_tower, "start", never)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InputError):
        TwoTower(**options).fit(factories.interactions())  # type: ignore[arg-type]


def test_what_the_loss_leaves_to_the_log_is_chosen_on_the_validation_set() -> None:
    """A judge gets what it likes best; one who likes all the same gets the middle. Nothing is tried twice."""
    train = factories.interactions()
    model = replace(SMALL, loss="bpr", epochs=1)
    asked: list[dict[str, float]] = []

    def spread(scorer: object) -> float:
        assert isinstance(scorer, Embeddings)
        return float(scorer.scores(np.arange(len(train.users))).std())

    flat = model.fit(train, validate=lambda _: 0.5, report=lambda _, figures: asked.append(dict(figures)))
    assert [each["temperature"] for each in asked if "temperature" in each] == [0.12, 0.08, 0.2]
    assert flat.chosen["loss"] == {"name": "bpr", "temperature": 0.12}
    at = {t: replace(model, loss={"name": "bpr", "temperature": t}) for t in BPR.tries["temperature"]}
    scores = {t: spread(each.fit(train).scorer) for t, each in at.items()}
    chosen = model.fit(train, validate=spread).chosen["loss"]
    assert scores[chosen["temperature"]] == max(scores.values())


def test_two_options_are_chosen_one_after_the_other() -> None:
    """While the first is tried the second rests in the middle; then the first stays as it was chosen."""
    asked: list[dict[str, float]] = []
    model = replace(SMALL, loss="bsl", epochs=1)
    done = model.fit(
        factories.interactions(),
        validate=lambda _: 0.5,
        report=lambda _, figures: asked.append(dict(figures)),
    )
    tried = [{key: value for key, value in each.items() if key in BSL.tries} for each in asked]
    assert [each for each in tried if each] == [
        {"temperature": 0.2}, {"temperature": 0.12}, {"temperature": 0.3}, {"power": 1.25}, {"power": 1.0}
    ]  # fmt: skip
    assert done.chosen["loss"] == {"name": "bsl", "temperature": 0.2, "power": 1.1}


def test_the_start_is_made_once_and_trials_go_through_a_part_of_a_long_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    train = factories.interactions()
    made: list[str] = []
    gone_through: list[int] = []

    def counted(*given: object, **named: object) -> object:
        made.append("start")
        return start(*given, **named)  # type: ignore[arg-type]

    def watched(work: TrainingSetup, hooks: Hooks) -> State:
        gone_through.append(sum(len(batch.items) for batch in batches(work, 1)))
        return run(work, hooks)

    run = loop.train
    monkeypatch.setattr(two_tower, "start", counted)
    monkeypatch.setattr(two_tower, "TRIAL_ROWS", 5)
    monkeypatch.setattr(loop, "train", watched)
    model = replace(SMALL, loss="bpr", start="spectral", tower="history", dim=2, epochs=3, batch=2)
    model.fit(train, validate=lambda _: 0.5)
    assert made == ["start"]
    assert gone_through == [5, 5, 5, len(train)]


def test_a_trial_judges_each_of_its_epochs_once() -> None:
    judged: list[object] = []

    def judge(scorer: object) -> float:
        judged.append(scorer)
        return 0.5

    epochs = 1
    replace(SMALL, loss="bpr", epochs=epochs).fit(factories.interactions(), validate=judge)
    trials = 3  # of the ladder: the middle and its neighbours
    assert len(judged) == (trials + 1) * epochs


def test_an_option_that_is_given_is_not_tried() -> None:
    train = factories.interactions()
    model = replace(SMALL, loss={"name": "triplet", "margin": 0.3}, epochs=1)
    reports: list[dict[str, float]] = []
    done = model.fit(train, validate=lambda _: 0.5, report=lambda _, figures: reports.append(dict(figures)))
    assert "loss" not in done.chosen
    assert not any("margin" in figures for figures in reports)


def test_a_fit_stopped_while_it_tries_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    train = factories.interactions()
    model = replace(SMALL, loss="bpr", epochs=2)

    def spread(scorer: object) -> float:
        assert isinstance(scorer, Embeddings)
        return float(scorer.scores(np.arange(len(train.users))).std())

    def stop_at_the_second(_: int, figures: Mapping[str, float]) -> None:
        if figures.get("temperature") == 0.08:
            raise KeyboardInterrupt

    whole = model.fit(train, validate=spread)
    with pytest.raises(KeyboardInterrupt):
        model.fit(train, validate=spread, report=stop_at_the_second, checkpoints=tmp_path)
    again = model.fit(train, validate=spread, checkpoints=tmp_path)
    assert again.chosen == whole.chosen
    assert isinstance(whole.scorer, Embeddings)
    assert isinstance(again.scorer, Embeddings)
    assert again.scorer.items.tobytes() == whole.scorer.items.tobytes()
    assert again.scorer.users.tobytes() == whole.scorer.users.tobytes()


def weighed() -> tuple[Interactions, Validate]:
    """Counts that say nothing of taste, and a judge by what was held out."""
    train, valid = factories.plays()
    log = Interactions.of(train)
    return log, validator(valid, log)


STARTED = replace(SMALL, start="spectral", epochs=1, rate=1e-6)


def test_the_start_takes_the_weighting_that_serves_the_validation_set_best() -> None:
    log, validate = weighed()
    starts = {name: start("spectral", log, 8, 0, name) for name in ("raw", "none", "log1p")}
    quality = {name: validate(each) for name, each in starts.items() if each is not None}
    best = max(quality, key=lambda name: quality[name])
    assert best != "raw"
    fitted = STARTED.fit(log, validate=validate)
    assert fitted.chosen["weighting"] == best
    again = replace(STARTED, **fitted.chosen).fit(log)
    by_raw = replace(STARTED, **{**fitted.chosen, "weighting": "raw"}).fit(log)
    assert "weighting" not in again.chosen
    assert vectors(again.scorer).tobytes() != vectors(by_raw.scorer).tobytes()


def test_the_start_is_by_raw_weights_where_there_is_nothing_to_choose_by() -> None:
    log, validate = weighed()
    plain, raw = STARTED.fit(log), replace(STARTED, weighting="raw").fit(log)
    assert vectors(plain.scorer).tobytes() == vectors(raw.scorer).tobytes()
    equal = factories.interactions()
    assert "weighting" not in STARTED.fit(equal, validate=lambda _: 0.0).chosen
    by_chance = replace(STARTED, start="normal").fit(log, validate=validate)
    assert "weighting" not in by_chance.chosen


def vectors(scorer: Scorer) -> np.ndarray:
    assert isinstance(scorer, Embeddings)
    return scorer.items
