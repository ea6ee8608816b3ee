import sys
from pathlib import Path

import pytest

from benchmarks import training
from recsys.data.tables import Interactions
from recsys.errors import InputError
from recsys.evaluation.validator import validator
from recsys.models.two_tower import TwoTower

SMALL = {"dim": 8, "batch": 256, "candidates": 64, "epochs": 2}
# Stands for the peer's interpreter: it takes the script's words, and leaves what the script leaves.
STANDS_IN = """#!{python}
import json, sys
import numpy as np
_, script, log, dim, epochs, out = sys.argv
vectors = np.ones((1, int(dim)), np.float32)
np.savez(out, users=vectors, items=vectors)
print(json.dumps({{"name": "peer", "seconds": 2.0, "pairs_per_second": 5e6}}))
"""


@pytest.fixture(scope="module")
def train() -> Interactions:
    return Interactions.of(training.synthetic(150, 120, 6_000).train)


def test_every_row_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(training.PEER, raising=False)
    rows, notes = training.measure(
        training.synthetic(150, 120, 6_000), limit=60.0,
        grid={"alpha": (1.0, 20.0), "regularization": (3.0,)}, bpr_epochs=2,
        recipes={name: {**SMALL, **options} for name, options in training.RECIPES.items()},
    )  # fmt: skip
    assert len(rows) == 2 + len(training.RECIPES) + 2
    assert all(len(row) == len(training.COLUMNS) for row in rows)
    assert len(notes) == len(training.RECIPES)
    assert "not installed" in rows[-1][0]
    for row in rows[2:-1]:
        assert row[1] is None or row[1] > 0  # nothing is known of the pairs of a fit that only chooses
        assert row[2] > 0


@pytest.mark.parametrize(("goal", "passed", "epochs"), [(0.4, True, 1), (0.55, True, 2), (2.0, False, 2)])
def test_training_ends_where_the_goal_is_passed(
    train: Interactions, goal: float, passed: bool, epochs: int
) -> None:
    values = iter([0.5, 0.6])
    model = TwoTower({"name": "bpr", "temperature": 0.12}, hops=0, start_share=0, **SMALL)
    cells, _, _, found = training.ours("x", model, train, lambda _: next(values), goal, 60.0)
    assert found is passed
    assert cells[2] == epochs


def test_the_peer_runs_by_its_own_interpreter(
    train: Interactions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = tmp_path / "python"
    python.write_text(STANDS_IN.format(python=sys.executable))
    python.chmod(0o755)
    monkeypatch.setenv(training.PEER, str(python))
    split = training.synthetic(150, 120, 6_000)
    found = training.peer(train, validator(split.valid, train, "ndcg@20"), 0.5, 3)
    assert found[:5] == ["peer", 5.0, 2.0, 4.0, 3]


def test_a_peer_that_cannot_run_is_named(train: Interactions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(training.PEER, "false")
    with pytest.raises(InputError, match="could not run the peer"):
        training.peer(train, lambda _: 0.0, 0.5, 1)


def test_a_synthetic_log_stands_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RECSYS_REALDATA", str(tmp_path))
    monkeypatch.setattr(training, "synthetic", lambda *sizes: sizes)
    assert training.read("gowalla")[1].startswith("a synthetic log")
