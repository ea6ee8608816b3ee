"""Heads on top of the history: a perceptron and a kernel machine, by their formulas."""

from __future__ import annotations

import math

import pytest
import torch

from recsys.data.tables import Interactions
from recsys.errors import InputError
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.truth import Truth
from recsys.learning.towers.kernel import Kernel
from recsys.learning.towers.mlp import MLP
from recsys.learning.towers.polynomial import Polynomial
from recsys.learning.training.interactions import InteractionTensors
from recsys.plugins import make
from tests.factories import checkerboard, interactions

LOG = InteractionTensors.of(interactions(), torch.device("cpu"))


def test_the_perceptron_by_hand() -> None:
    rng = torch.Generator().manual_seed(0)
    tower = MLP(hidden=3, power=1.0)
    tables = {name: torch.randn(length, 2, generator=rng) for name, length in tower.tables(60, 40).items()}
    vector = tower.forward(LOG.take(torch.tensor([5])), lambda name, codes: tables[name][codes])[0].tolist()
    items = LOG.items[LOG.starts[5] : LOG.starts[6]].tolist()
    x = [sum(tables["inputs"][item, d].item() for item in items) / len(items) for d in range(2)]
    expected = list(x)
    for unit in range(3):
        active = max(0.0, sum(tables["hidden"][unit, d].item() * x[d] for d in range(2)))
        for d in range(2):
            expected[d] += active * tables["output"][unit, d].item()
    assert vector == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("gamma", [0.1, 1.0])
def test_products_of_random_features_are_the_gaussian_kernel(gamma: float) -> None:
    points = torch.randn(12, 3, generator=torch.Generator().manual_seed(1))
    lifted = Kernel(features=40_000, gamma=gamma).lift(points)
    for i in range(len(points)):
        for j in range(len(points)):
            expected = math.exp(-gamma * float((points[i] - points[j]).square().sum()))
            assert float(lifted[i] @ lifted[j]) == pytest.approx(expected, abs=0.03)


def test_the_kernel_machine_is_linear_in_its_features() -> None:
    tower = Kernel(features=5, gamma=0.3)
    rng = torch.Generator().manual_seed(0)
    tables = {name: torch.randn(length, 2, generator=rng) for name, length in tower.tables(60, 40).items()}
    users = LOG.take(torch.tensor([5, 9]))
    vectors = tower.forward(users, lambda name, codes: tables[name][codes])
    for row, user in enumerate([5, 9]):
        items = LOG.items[LOG.starts[user] : LOG.starts[user + 1]]
        x = tables["inputs"][items].sum(0) / len(items) ** 0.5
        torch.testing.assert_close(vectors[row], tables["output"].T @ tower.lift(x[None])[0])


@pytest.mark.parametrize("degree", [1, 2, 3])
def test_the_polynomial_machine_by_hand(degree: int) -> None:
    tower = Polynomial(degree=degree, landmarks=4, power=1.0)
    rng = torch.Generator().manual_seed(0)
    tables = {name: torch.randn(length, 2, generator=rng) for name, length in tower.tables(60, 40).items()}
    vector = tower.forward(LOG.take(torch.tensor([5])), lambda name, codes: tables[name][codes])[0].tolist()
    items = LOG.items[LOG.starts[5] : LOG.starts[6]].tolist()
    x = [sum(tables["inputs"][item, d].item() for item in items) / len(items) for d in range(2)]
    expected = [0.0, 0.0]
    for landmark in range(4):
        product = sum(tables["landmarks"][landmark, d].item() * x[d] for d in range(2))
        for d in range(2):
            expected[d] += (1 + product) ** degree * tables["output"][landmark, d].item() / 4
    assert vector == pytest.approx(expected, abs=1e-4)


def test_landmarks_span_what_nystroem_features_span() -> None:
    """Any linear map of the Nystroem features is one of ``k(x, Z)``."""
    rng = torch.Generator().manual_seed(0)
    x, z = torch.randn(50, 3, generator=rng).double(), torch.randn(6, 3, generator=rng).double()
    near, among = (1 + x @ z.T) ** 2, (1 + z @ z.T) ** 2
    values, vectors = torch.linalg.eigh(among)
    features = near @ (vectors * values.rsqrt()) @ vectors.T
    solved = torch.linalg.lstsq(near, features).solution
    torch.testing.assert_close(near @ solved, features)


def test_another_seed_draws_other_features() -> None:
    x = torch.ones(1, 2)
    assert torch.equal(Kernel().lift(x), Kernel().lift(x))
    assert not torch.equal(Kernel().lift(x), Kernel(seed=1).lift(x))


@pytest.mark.parametrize("tower", ["mlp", "kernel", "polynomial"])
def test_taste_is_found_through_a_head(tower: str) -> None:
    train, test = checkerboard(users=60, items=20)
    log = Interactions.of(train)
    options = {
        "tower": tower, "loss": "infonce", "dim": 8, "epochs": 30, "batch": 32, "candidates": 20,
        "device": "cpu", "rate": 0.1,
    }  # fmt: skip
    found = evaluate(
        make("models", "two_tower", options).fit(log).scorer,
        Truth.of(test, log.users, log.items),
        log.histories(),
        metrics=("precision@1",),
    )
    assert found.values["precision@1"] == 1.0


@pytest.mark.parametrize(
    ("tower", "options"),
    [
        ("mlp", {"hidden": 0}),
        ("mlp", {"power": 2.0}),
        ("kernel", {"features": 0}),
        ("kernel", {"gamma": 0.0}),
        ("kernel", {"power": -1.0}),
        ("polynomial", {"degree": 0}),
        ("polynomial", {"landmarks": 0}),
        ("polynomial", {"power": -1.0}),
    ],
)
def test_options_outside_their_range_are_refused(tower: str, options: dict[str, float]) -> None:
    with pytest.raises(InputError, match=next(iter(options))):
        make("towers", tower, options)
