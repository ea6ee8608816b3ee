"""Row-wise optimisers against the same written for one row at a time."""

from __future__ import annotations

import math

import pytest
import torch

from recsys.learning.regularizers import UnitBall
from recsys.learning.training.optimizers import Adagrad, Adam, Optimizer, ParameterTable, update

CODES = torch.tensor([4, 1, 4, 0])


def table(optimizer: Optimizer) -> ParameterTable:
    weights = torch.arange(18, dtype=torch.float64).view(6, 3) / 10
    return ParameterTable(weights, optimizer.state(weights))


def gradients(steps: int) -> list[torch.Tensor]:
    rng = torch.Generator().manual_seed(0)
    return [torch.randn(4, 3, generator=rng, dtype=torch.float64) for _ in range(steps)]


def summed(gradient: torch.Tensor) -> dict[int, torch.Tensor]:
    """The gradient of each code; one that occurs twice gets the sum."""
    rows: dict[int, torch.Tensor] = {}
    for code, row in zip(CODES.tolist(), gradient, strict=True):
        rows[code] = rows.get(code, torch.zeros(3, dtype=torch.float64)) + row
    return rows


def test_adagrad() -> None:
    made, expected, squares = table(Adagrad(0.1)), table(Adagrad(0.1)).weights, dict.fromkeys(range(6), 0.0)
    for gradient in gradients(3):
        update(made, CODES, made.weights[CODES], gradient, Adagrad(0.1))
        for code, row in summed(gradient).items():
            squares[code] += float((row**2).mean())
            expected[code] -= 0.1 * row / math.sqrt(squares[code])
    torch.testing.assert_close(made.weights, expected)


def test_adam_counts_the_updates_of_each_row() -> None:
    made, expected = table(Adam(0.1)), table(Adam(0.1)).weights
    first, second, age = torch.zeros(6, 3, dtype=torch.float64), [0.0] * 6, [0] * 6
    for gradient in gradients(4):
        update(made, CODES, made.weights[CODES], gradient, Adam(0.1))
        for code, row in summed(gradient).items():
            age[code] += 1
            first[code] = 0.9 * first[code] + 0.1 * row
            second[code] = 0.999 * second[code] + 0.001 * float((row**2).mean())
            size = math.sqrt(second[code] / (1 - 0.999 ** age[code]))
            expected[code] -= 0.1 * first[code] / (1 - 0.9 ** age[code]) / size
    torch.testing.assert_close(made.weights, expected)


@pytest.mark.parametrize("optimizer", [Adagrad(0.1), Adam(0.1)])
def test_a_row_outside_the_batch_does_not_change(optimizer: Optimizer) -> None:
    made, before = table(optimizer), table(optimizer)
    for gradient in gradients(2):
        update(made, CODES, made.weights[CODES], gradient, optimizer)
    for code in (2, 3, 5):
        assert torch.equal(made.weights[code], before.weights[code])
        for name, values in made.state.items():
            assert torch.equal(values[code], before.state[name][code])


@pytest.mark.parametrize("optimizer", [Adagrad(0.1), Adam(0.1)])
def test_a_step_does_not_depend_on_the_scale_of_the_loss(optimizer: Optimizer) -> None:
    small, large = table(optimizer), table(optimizer)
    for gradient in gradients(3):
        update(small, CODES, small.weights[CODES], gradient * 1e-6, optimizer)
        update(large, CODES, large.weights[CODES], gradient * 1e6, optimizer)
    torch.testing.assert_close(small.weights, large.weights)


@pytest.mark.parametrize("optimizer", [Adagrad(0.1), Adam(0.1)])
def test_no_gradient_no_change(optimizer: Optimizer) -> None:
    made, before = table(optimizer), table(optimizer)
    update(made, CODES, made.weights[CODES], torch.zeros(4, 3, dtype=torch.float64), optimizer)
    assert torch.equal(made.weights, before.weights)


def test_changed_rows_are_projected_and_no_others() -> None:
    made = table(Adagrad(0.1))
    update(made, CODES, made.weights[CODES], gradients(1)[0], Adagrad(0.1), UnitBall(0.5))
    lengths = made.weights.norm(dim=1)
    assert (lengths[[0, 1, 4]] <= 0.5 + 1e-9).all()
    assert (lengths[[2, 3, 5]] > 0.5).all()
