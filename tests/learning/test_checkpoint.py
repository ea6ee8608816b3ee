"""A fit that is stopped and resumed ends with the same bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys import plugins
from recsys.choosing import Judgement
from recsys.embeddings import Embeddings
from recsys.errors import InputError, RecsysError
from recsys.learning.training import checkpoint
from recsys.models.model import Fitted, Scorer
from recsys.models.two_tower import TwoTower
from recsys.storage.files import TEMPORARY, read_json
from tests import factories

MODEL = TwoTower(
    {"name": "bpr", "temperature": 0.12},
    tower="lookup",
    start="normal",
    hops=0,
    dim=4,
    epochs=6,
    batch=64,
    candidates=8,
    patience=2,
)
TRAIN = factories.interactions()


class Killed(BaseException):
    """What stops a fit in these tests."""


def killed_after(epoch: int, model: TwoTower, folder: Path, validate: object = None) -> None:
    def report(done: int, figures: Mapping[str, float]) -> None:
        if done == epoch:
            raise Killed

    with pytest.raises(Killed):
        model.fit(TRAIN, validate=validate, report=report, checkpoints=folder)  # type: ignore[arg-type]


def bytes_of(fitted: Fitted) -> bytes:
    scorer = fitted.scorer
    assert isinstance(scorer, Embeddings)
    inputs = b"" if scorer.inputs is None else scorer.inputs.tobytes()
    return scorer.users.tobytes() + scorer.items.tobytes() + inputs


@pytest.mark.parametrize("tower", ["lookup", "history"])
@pytest.mark.parametrize("optimizer", ["adagrad", "adam"])
def test_same_bytes_after_a_stop(tower: str, optimizer: str, tmp_path: Path) -> None:
    model = replace(MODEL, tower=tower, optimizer=optimizer)
    killed_after(2, model, tmp_path)
    epochs: list[int] = []
    resumed = model.fit(TRAIN, report=lambda epoch, _: epochs.append(epoch), checkpoints=tmp_path)
    assert epochs == [3, 4, 5, 6]
    assert bytes_of(resumed) == bytes_of(model.fit(TRAIN))


@pytest.mark.parametrize("sampler", plugins.names("samplers"))
def test_same_bytes_after_a_stop_with_every_sampler(sampler: str, tmp_path: Path) -> None:
    """One that remembers, as the queue does, forgets at the end of an epoch."""
    model = replace(MODEL, sampler=sampler, batch=50, candidates=120)
    killed_after(2, model, tmp_path)
    assert bytes_of(model.fit(TRAIN, checkpoints=tmp_path)) == bytes_of(model.fit(TRAIN))


@pytest.mark.parametrize("options", [{"distance": "mahalanobis"}, {"loss": "margin"}, {"loss": "sml"}])
def test_what_the_parts_learn_is_kept_too(options: dict[str, str], tmp_path: Path) -> None:
    model = replace(MODEL, **options)  # type: ignore[arg-type]
    killed_after(2, model, tmp_path)
    assert bytes_of(model.fit(TRAIN, checkpoints=tmp_path)) == bytes_of(model.fit(TRAIN))


@pytest.mark.parametrize("stopped", [1, 2, 3])
def test_the_best_epoch_survives_a_stop(stopped: int, tmp_path: Path) -> None:
    values = {1: 0.1, 2: 0.5, 3: 0.4, 4: 0.3}

    class Validate:
        def __init__(self, done: int) -> None:
            self.done = done

        def __call__(self, scorer: Scorer) -> float:
            self.done += 1
            return values[self.done]

    killed_after(stopped, MODEL, tmp_path, Validate(0))
    resumed = MODEL.fit(TRAIN, validate=Validate(stopped), checkpoints=tmp_path)
    assert resumed.chosen == {"epochs": 2, "hops": 0, "start_share": 0.0}
    assert bytes_of(resumed) == bytes_of(MODEL.fit(TRAIN, validate=Validate(0)))


def test_the_value_of_each_user_survives_a_stop(tmp_path: Path) -> None:
    """Without them a resumed fit would choose as if the validation set had no error."""

    def validate(scorer: Scorer) -> Judgement:
        return Judgement(scorer.scores(np.arange(len(TRAIN.users)))[:, 0].astype(np.float64))

    killed_after(6, MODEL, tmp_path, validate)
    tables = MODEL.prepare(TRAIN).tables
    fingerprint = read_json(tmp_path / checkpoint.FOLDER / "state.json")["fingerprint"]
    state = checkpoint.load(tmp_path, tables, fingerprint)
    best = Embeddings(state.best["users"], state.best["items"], TRAIN.users, TRAIN.items, "cosine")
    assert isinstance(state.best_value, Judgement)
    assert state.best_value.per_user.tolist() == validate(best).per_user.tolist()
    assert state.best_value == validate(best)


def test_a_finished_fit_is_not_done_again(tmp_path: Path) -> None:
    first = MODEL.fit(TRAIN, checkpoints=tmp_path)
    again = MODEL.fit(TRAIN, report=lambda *_: pytest.fail("trained again"), checkpoints=tmp_path)
    assert bytes_of(again) == bytes_of(first)


@pytest.mark.parametrize("other", [replace(MODEL, rate=0.3), replace(MODEL, loss="triplet")])
def test_other_options_are_refused(other: TwoTower, tmp_path: Path) -> None:
    killed_after(1, MODEL, tmp_path)
    with pytest.raises(InputError, match="with other options or on other data"):
        other.fit(TRAIN, checkpoints=tmp_path)


def test_other_data_are_refused(tmp_path: Path) -> None:
    killed_after(1, MODEL, tmp_path)
    with pytest.raises(InputError, match="with other options or on other data"):
        MODEL.fit(factories.interactions(factories.random_log(seed=1)), checkpoints=tmp_path)


def test_a_cut_off_state_is_an_error_and_half_written_ones_are_swept(tmp_path: Path) -> None:
    killed_after(1, MODEL, tmp_path)
    half = tmp_path / f"{TEMPORARY}epoch-1234"
    half.mkdir()
    path = tmp_path / "epoch" / "arrays.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(RecsysError, match="is not a whole safetensors file"):
        MODEL.fit(TRAIN, checkpoints=tmp_path)
    assert not half.exists()
