"""What every loss must hold, whatever it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import Tensor

from recsys import plugins
from recsys.learning.losses.parameters import starts
from recsys.learning.pairs import Pairs, Terms
from recsys.learning.reducers import active, mean
from tests.learning.scenes import Scene, scene, scenes

NAMES = plugins.names("losses")
every = pytest.mark.parametrize("name", NAMES)
OPTIONAL = ("cross", "lengths", "easiest", "hardness")
some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def made(name: str) -> Any:
    return plugins.make("losses", name)


def exempt(name: str) -> Mapping[str, str]:
    """Contracts that a loss does not keep, with the reasons, as its class says."""
    reasons: Mapping[str, str] = getattr(made(name), "exempt", {})
    return reasons


def kept_by(name: str, contract: str) -> None:
    """Skip a test of a contract that a loss is exempt from."""
    if contract in exempt(name):
        pytest.skip(f"{name}: {exempt(name)[contract]}")


def given_to(loss: Any, pairs: Pairs) -> Pairs:
    """Pairs as a step makes them: optional fields only where the loss asks for them."""
    unasked: dict[str, None] = {name: None for name in OPTIONAL if name not in loss.needs}
    return replace(pairs, learned=starts(loss, len(pairs.pos)), **unasked)  # type: ignore[arg-type]


def value(loss: Any, pairs: Pairs) -> Tensor:
    return mean(loss(given_to(loss, pairs))).value()


def rise_by_a_closer_positive(loss: Any, pairs: Pairs) -> float:
    """How much the value grows when every positive comes closer."""
    closer = replace(pairs, pos=pairs.pos + (1 - pairs.pos) * 0.3)
    return float(value(loss, closer) - value(loss, pairs))


def fall_by_closer_negatives(loss: Any, pairs: Pairs, moved: Tensor, share: float = 0.3) -> float:
    """How much the value shrinks when some of the used negatives, ``moved`` (B, N) bool, come closer."""
    closer = torch.where(pairs.mask & moved, pairs.neg + (1 - pairs.neg) * share, pairs.neg)
    return float(value(loss, pairs) - value(loss, replace(pairs, neg=closer)))


def leaves(pairs: Pairs) -> Pairs:
    assert pairs.cross is not None
    fresh = (part.detach().clone().requires_grad_() for part in (pairs.pos, pairs.neg, pairs.cross))
    pos, neg, cross = fresh
    return replace(pairs, pos=pos, neg=neg, cross=cross)


def gradients(loss: Any, pairs: Pairs) -> list[Tensor]:
    parts = [
        pairs.pos,
        pairs.neg,
        *([pairs.cross] if "cross" in loss.needs and pairs.cross is not None else []),
    ]
    result = value(loss, pairs)
    if not result.requires_grad:
        return [torch.zeros_like(part) for part in parts]
    found = torch.autograd.grad(result, parts, allow_unused=True)
    return [torch.zeros_like(part) if each is None else each for part, each in zip(parts, found, strict=True)]


@every
@some
@given(scenes())
def test_terms_have_a_shape_of_the_batch_and_are_finite(name: str, scene: Scene) -> None:
    loss = made(name)
    terms: Terms = loss(given_to(loss, scene.pairs()))
    assert terms.values.shape == terms.mask.shape
    assert terms.values.shape in {scene.mask.shape, scene.mask.shape[:1]}
    assert terms.mask.dtype == torch.bool
    assert terms.values.isfinite().all()


@every
@some
@given(scenes())
def test_a_closer_positive_never_raises_it(name: str, scene: Scene) -> None:
    kept_by(name, "monotone")
    assert rise_by_a_closer_positive(made(name), scene.pairs()) <= 1e-9


@every
@some
@given(scenes())
def test_a_closer_used_negative_never_lowers_it(name: str, scene: Scene) -> None:
    kept_by(name, "monotone")
    assert fall_by_closer_negatives(made(name), scene.pairs(), scene.mask) <= 1e-9


@every
@some
@given(scenes())
def test_masked_candidates_have_no_effect(name: str, scene: Scene) -> None:
    loss, pairs = made(name), leaves(scene.pairs())
    assert pairs.cross is not None
    for gradient in gradients(loss, pairs)[1:]:
        assert (gradient[~pairs.mask] == 0).all()
    other = replace(
        pairs,
        neg=torch.where(pairs.mask, pairs.neg, -pairs.neg),
        cross=torch.where(pairs.mask, pairs.cross, -pairs.cross),
    )
    torch.testing.assert_close(value(loss, other), value(loss, pairs))


@every
@some
@given(scenes())
def test_rows_are_independent(name: str, scene: Scene) -> None:
    """A batch in blocks of rows gives the terms of the whole; no user learns from another's negatives."""
    loss, pairs = made(name), scene.pairs()
    whole = loss(given_to(loss, pairs))
    for row in range(len(pairs.pos)):
        alone = loss(given_to(loss, only(pairs, row)))
        torch.testing.assert_close(alone.values[0], whole.values[row])
        assert torch.equal(alone.mask[0], whole.mask[row])


@every
@some
@given(scenes())
def test_the_order_of_candidates_does_not_matter(name: str, scene: Scene) -> None:
    loss, pairs = made(name), scene.pairs()
    assert pairs.log_q is not None
    assert pairs.cross is not None
    order = torch.arange(pairs.neg.shape[1]).flip(0)
    turned = replace(
        pairs,
        neg=pairs.neg[:, order],
        mask=pairs.mask[:, order],
        log_q=pairs.log_q[order],
        cross=pairs.cross[:, order],
    )
    torch.testing.assert_close(value(loss, turned), value(loss, pairs))


@every
def test_without_a_negative_it_is_zero_with_zero_gradient(name: str) -> None:
    kept_by(name, "negatives")
    loss, pairs = made(name), leaves(scene(rows=3, candidates=2, used=0.0).pairs())
    assert value(loss, pairs) == 0
    assert all((gradient == 0).all() for gradient in gradients(loss, pairs))


@every
@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_extreme_scores_stay_finite(name: str, sign: float, kind: torch.dtype) -> None:
    loss = plugins.make("losses", name)
    high = 1.0 if loss.needs_bounded else 1e4
    pairs = leaves(
        Pairs(
            torch.tensor([high * sign, -high * sign, 0.0], dtype=kind),
            torch.tensor([[-high * sign, high]] * 3, dtype=kind),
            torch.tensor([[True, True], [True, False], [True, True]]),
            torch.tensor([-0.5, -9.0], dtype=kind),
            torch.tensor([[high, -high]] * 3, dtype=kind),
            torch.full((3,), high, dtype=kind),
        )
    )
    assert value(loss, pairs).isfinite()
    assert all(gradient.isfinite().all() for gradient in gradients(loss, pairs))


@every
def test_half_precision_scores_are_summed_in_float32(name: str) -> None:
    loss, pairs = plugins.make("losses", name), scene(rows=8, candidates=64).pairs()
    assert pairs.cross is not None
    assert pairs.lengths is not None
    half = replace(
        pairs,
        pos=pairs.pos.bfloat16(),
        neg=pairs.neg.bfloat16(),
        cross=pairs.cross.bfloat16(),
        log_q=pairs.log_q.float(),
        lengths=pairs.lengths.float(),
    )
    full = replace(half, pos=half.pos.float(), neg=half.neg.float(), cross=half.cross.float())
    assert loss(given_to(loss, half)).values.dtype == torch.float32
    assert torch.equal(value(loss, half), value(loss, full))


@every
@pytest.mark.parametrize("seed", range(3))
def test_gradient_is_that_of_the_value(name: str, seed: int) -> None:
    kept_by(name, "gradient")
    assert gradient_is_right(made(name), leaves(scene(rows=4, candidates=3, seed=seed).pairs()))


def gradient_is_right(loss: Any, pairs: Pairs) -> bool:
    """Whether the gradient by all scores is that of finite differences."""
    return torch.autograd.gradcheck(
        lambda pos, neg, cross: value(loss, replace(pairs, pos=pos, neg=neg, cross=cross)),
        (pairs.pos, pairs.neg, pairs.cross),
        eps=1e-6,
        raise_exception=False,
    )


@pytest.mark.parametrize(("name", "contract"), [(name, each) for name in NAMES for each in exempt(name)])
def test_an_exemption_is_needed(name: str, contract: str) -> None:
    """Some scene breaks the contract; an exemption that outlived its reason is to be deleted."""
    loss = made(name)
    match contract:
        case "monotone":
            some = [scene(1, candidates=30, used=1.0, seed=seed).pairs() for seed in range(5)]
            alone = torch.eye(30, dtype=torch.bool)
            assert any(
                fall_by_closer_negatives(loss, pairs, one, 0.1) > 1e-6 for pairs in some for one in alone
            )
        case "gradient":
            assert not gradient_is_right(loss, leaves(scene(rows=4, candidates=3).pairs()))
        case "negatives":
            assert value(loss, scene(used=0.0).pairs()) > 0
        case _:
            pytest.fail(f"{name} is exempt from {contract!r}; contracts are monotone, gradient, negatives")


@pytest.mark.parametrize("name", [each for each in NAMES if each not in plugins.foreign("losses")])
def test_a_pairwise_loss_explains_balance(name: str) -> None:
    """``recsys parts`` prints the documentation; where a pair is a term, a step balances the rows."""
    terms = made(name)(given_to(made(name), scene().pairs()))
    documentation = plugins.part("losses", name).documentation
    assert (terms.values.ndim == 2) == ("--set model.balance=false" in documentation)


@every
def test_it_learns(name: str) -> None:
    """Descent on the scores' points brings positives nearer than negatives."""
    from recsys.learning.distances.cosine import Cosine

    loss, torn, rng = made(name), Cosine(), torch.Generator().manual_seed(0)
    users = torch.randn(4, 8, generator=rng, dtype=torch.float64).requires_grad_()
    items = torch.randn(4, 8, generator=rng, dtype=torch.float64).requires_grad_()
    own = torch.eye(4, dtype=torch.bool)
    optimiser = torch.optim.Adam([users, items], lr=0.05)
    for _ in range(200):
        optimiser.zero_grad()
        scores = torn.matrix(users, items)
        lengths = torch.ones(4, dtype=torch.float64)
        pairs = Pairs(scores.diagonal(), scores, ~own, torch.zeros(4), torn.matrix(items, items), lengths)
        objective = active(loss(given_to(loss, pairs))).value()
        if objective.requires_grad:
            objective.backward()
        optimiser.step()
    scores = torn.matrix(users, items)
    assert (scores.diagonal()[:, None] >= scores).all()


def only(pairs: Pairs, row: int) -> Pairs:
    """One row; what a pair holds is of rows, but for ``log_q``."""
    parts = {each.name: getattr(pairs, each.name) for each in fields(pairs)}
    of_rows = {
        name: part for name, part in parts.items() if name not in ("log_q", "learned") and part is not None
    }
    return replace(pairs, **{name: part[row : row + 1] for name, part in of_rows.items()})
