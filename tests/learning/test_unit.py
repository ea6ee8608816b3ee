"""Rows of length 1 against the definition that autograd takes apart."""

from __future__ import annotations

import torch

from recsys.learning.distances import norms
from recsys.learning.training.normalize import unit


def test_values_and_gradient_are_those_of_the_definition() -> None:
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(5, 3, generator=rng, dtype=torch.float64) * torch.logspace(-6, 6, 5)[:, None]
    weights = torch.randn(5, 3, generator=rng, dtype=torch.float64)
    leaves = [x.clone().requires_grad_() for _ in range(2)]
    for leaf, function in zip(leaves, (unit, norms.unit), strict=True):
        (function(leaf) * weights).sum().backward()  # type: ignore[no-untyped-call, attr-defined]
    torch.testing.assert_close(unit(x), norms.unit(x))
    torch.testing.assert_close(leaves[0].grad, leaves[1].grad)


def test_a_zero_stays_zero() -> None:
    zero = torch.zeros(2, 3, requires_grad=True)
    unit(zero).sum().backward()  # type: ignore[no-untyped-call]
    assert not unit(zero).any()
    assert zero.grad is not None
    assert zero.grad.isfinite().all()
