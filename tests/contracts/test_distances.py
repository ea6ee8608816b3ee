"""What every distance must hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys import plugins

every = pytest.mark.parametrize("name", plugins.names("distances"))
some = settings(max_examples=30, deadline=None)
sizes = st.tuples(st.integers(1, 6), st.integers(1, 6), st.integers(1, 4), st.integers(0, 2**20))


def points(size: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    rows, columns, dim, seed = size
    rng = np.random.default_rng(seed)
    return rng.normal(size=(rows, dim)), rng.normal(size=(columns, dim))


def index_score(metric: str, user: np.ndarray, item: np.ndarray) -> float:
    """The index's own score of two served points, higher first, in plain words."""
    match metric:
        case "dot":
            return float(np.dot(user, item))
        case "angular":
            return float(np.dot(user, item) / np.linalg.norm(user) / np.linalg.norm(item))
        case "euclidean":
            return -float(np.linalg.norm(user - item))
        case "manhattan":
            return -float(np.abs(user - item).sum())
    raise AssertionError(metric)


@every
@some
@given(sizes)
def test_matrix_is_broadcast_similarity(name: str, size: tuple[int, int, int, int]) -> None:
    distance, (a, b) = plugins.make("distances", name), points(size)
    np.testing.assert_allclose(
        distance.matrix(a, b), distance.similarity(a[:, None], b[None]), rtol=1e-9, atol=1e-9
    )


@every
@some
@given(sizes)
def test_numpy_and_torch_agree(name: str, size: tuple[int, int, int, int]) -> None:
    distance, (a, b) = plugins.make("distances", name), points(size)
    same = distance.matrix(torch.from_numpy(a), torch.from_numpy(b)).numpy()
    np.testing.assert_allclose(distance.matrix(a, b), same, rtol=1e-9, atol=1e-9)


@every
@some
@given(sizes)
def test_the_order_is_that_of_the_index(name: str, size: tuple[int, int, int, int]) -> None:
    distance, (users, items) = plugins.make("distances", name), points(size)
    if distance.index_metric is None:
        pytest.skip(f"{name} is ranked exactly only")
    scores = distance.matrix(users, items)
    for row, user in enumerate(users):
        by_index = np.array([index_score(distance.index_metric, user, item) for item in items])
        assert (np.diff(by_index[np.argsort(-scores[row])]) <= 1e-9).all()


@every
@some
@given(sizes)
def test_bounded_means_bounded(name: str, size: tuple[int, int, int, int]) -> None:
    distance, (a, b) = plugins.make("distances", name), points(size)
    scores = distance.matrix(a * 100, b)
    within = bool((np.abs(scores) <= 1 + 1e-9).all())
    assert within or not distance.bounded


@every
def test_no_other_distance_claims_to_be_bounded(name: str) -> None:
    far = plugins.make("distances", name).similarity(np.array([50.0, 1.0]), np.array([-40.0, 2.0]))
    assert plugins.make("distances", name).bounded == bool(abs(far) <= 1)


@every
@pytest.mark.parametrize("kind", ["equal", "origin"])
def test_gradient_is_finite_where_points_meet(name: str, kind: str) -> None:
    start = [[0.3, -0.2]] if kind == "equal" else [[0.0, 0.0]]
    for form in ("similarity", "matrix"):
        a = torch.tensor(start, requires_grad=True)
        b = torch.tensor(start, requires_grad=True)
        distance = plugins.make("distances", name)
        getattr(distance, form)(a, b).sum().backward()
        assert a.grad is not None
        assert a.grad.isfinite().all()
        assert b.grad is not None
        assert b.grad.isfinite().all()


@every
@pytest.mark.parametrize("form", ["similarity", "matrix"])
def test_gradient_is_that_of_the_value(name: str, form: str) -> None:
    rng = torch.Generator().manual_seed(0)
    a = torch.randn(3, 4, generator=rng, dtype=torch.float64).requires_grad_()
    b = torch.randn(3, 4, generator=rng, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(getattr(plugins.make("distances", name), form), (a, b))


@every
def test_half_precision_stays_near(name: str) -> None:
    distance, (a, b) = plugins.make("distances", name), points((5, 7, 4, 1))
    half = distance.matrix(torch.from_numpy(a).bfloat16(), torch.from_numpy(b).bfloat16())
    np.testing.assert_allclose(half.float().numpy(), distance.matrix(a, b), atol=0.15)


@every
def test_it_is_a_part_without_torch(name: str) -> None:
    """Serving imports distances; torch would cost it a second and a half."""
    described: Any = plugins.part("distances", name)
    module = __import__(f"recsys.learning.distances.{described.name}", fromlist=["torch"])
    assert not hasattr(module, "torch")
