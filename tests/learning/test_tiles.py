"""Distances made tile by tile: the definition and its gradient, whatever the size and the threads."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch

from recsys import plugins
from recsys.learning.distances import tiles

SIZES = [(1, 1), (3, 2500), (150, 2100)]
both = pytest.mark.parametrize("name", ["manhattan", "chebyshev"])


@pytest.fixture(params=[1, 2])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def points(size: tuple[int, int], dim: int, kind: type = np.float32) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.normal(size=(size[0], dim)).astype(kind), rng.normal(size=(size[1], dim)).astype(kind)


@pytest.mark.parametrize("size", [(0, 5), (1, 300_000), (150, 2100), (3, 2500)])
def test_every_place_lies_in_one_tile(size: tuple[int, int]) -> None:
    times = np.zeros(size, dtype=int)
    for rows, columns in tiles.tiles(*size):
        times[rows, columns] += 1
        assert times[rows, columns].size <= tiles.TILE
    assert (times == 1).all()


@both
@pytest.mark.parametrize("size", SIZES)
def test_every_form_is_the_definition(name: str, size: tuple[int, int], threads: int) -> None:
    distance, (a, b) = plugins.make("distances", name), points(size, 5)
    wanted = np.stack([distance.similarity(row.astype(np.float64), b.astype(np.float64)) for row in a])
    left, right = torch.from_numpy(a), torch.from_numpy(b)
    np.testing.assert_allclose(distance.matrix(a, b), wanted, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(distance.matrix(left, right), wanted, rtol=1e-6, atol=1e-6)
    learning = distance.matrix(left.requires_grad_(), right)
    np.testing.assert_allclose(learning.detach(), wanted, rtol=2e-6, atol=1e-6)
    assert torch.get_num_threads() == threads


@both
@pytest.mark.parametrize("size", SIZES)
def test_the_gradient_is_that_of_the_definition(name: str, size: tuple[int, int], threads: int) -> None:
    distance, (a, b) = plugins.make("distances", name), points(size, 5, np.float64)
    slopes = torch.from_numpy(np.random.default_rng(1).normal(size=size))
    found = []
    for form in ("matrix", "similarity"):
        left, right = (torch.from_numpy(each.copy()).requires_grad_() for each in (a, b))
        score = (
            distance.matrix(left, right) if form == "matrix" else distance.similarity(left[:, None], right)
        )
        score.backward(slopes)
        found.append((left.grad, right.grad))
    for mine, wanted in zip(*found, strict=True):
        torch.testing.assert_close(mine, wanted)


def test_of_coordinates_that_differ_in_their_last_bits_one_learns() -> None:
    """float32 has 24 bits, of which the number of one of 64 coordinates takes 6."""
    a = torch.zeros(1, 64)
    a[0, 3], a[0, 60], a[0, 7] = 1.0, 1.0 + 2**-20, 0.9
    a.requires_grad_()
    score = plugins.make("distances", "chebyshev").matrix(a, torch.zeros(1, 64))
    score.sum().backward()
    assert score.item() == pytest.approx(-1.0, abs=64 * 2**-22)
    assert a.grad is not None
    assert a.grad.abs().sum() == 1
    assert a.grad[0, [3, 60]].abs().sum() == 1
