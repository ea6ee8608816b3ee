"""What every sampler must hold."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch

from recsys import plugins
from recsys.learning.samplers.sampler import Candidates, Draw, Population, Positives
from tests.learning.samplers import catalogues

every = pytest.mark.parametrize("name", plugins.names("samplers"))
COUNTS = torch.tensor([8.0, 4.0, 2.0, 1.0, 1.0, 4.0])


def catalogue(counts: torch.Tensor = COUNTS) -> Population:
    """Scores of five users are those of a fixed product of user and item numbers."""
    return catalogues.catalogue(
        counts, torch.sin(torch.arange(5)[:, None] * 7.0 + torch.arange(len(counts)) * 3.0)
    )


def made(name: str, candidates: int = 4) -> Any:
    takes = [option.name for option in plugins.part("samplers", name).options]
    return plugins.make("samplers", name, {"candidates": candidates} if "candidates" in takes else {})


def batch(rows: int, rng: torch.Generator, counts: torch.Tensor = COUNTS) -> Positives:
    """Rows drawn from the interactions, as a training batch is."""
    items = torch.multinomial(counts, rows, replacement=True, generator=rng)
    return Positives(torch.randint(5, (rows,), generator=rng), items)


def draws(draw: Draw, times: int, rows: int = 4, seed: int = 0) -> list[Candidates]:
    rng = torch.Generator().manual_seed(seed)
    return [draw(batch(rows, rng), rng) for _ in range(times)]


@every
@pytest.mark.parametrize("rows", [1, 4])
def test_codes_are_of_the_catalogue(name: str, rows: int) -> None:
    for drawn in draws(made(name).over(catalogue()), 20, rows):
        assert drawn.codes.dtype == torch.int64
        assert drawn.codes.ndim == 1
        assert len(drawn.codes) > 0
        assert 0 <= int(drawn.codes.min()) <= int(drawn.codes.max()) < len(COUNTS)
        if drawn.log_q is not None:
            assert drawn.log_q.shape == drawn.codes.shape
            assert drawn.log_q.dtype == torch.float32
            assert (drawn.log_q <= 0).all()


@every
def test_items_are_as_frequent_as_log_q_says(name: str) -> None:
    drawn = draws(made(name).over(catalogue()), 3000)
    if drawn[0].log_q is None:
        pytest.skip(f"{name} does not know its probabilities")
    codes = torch.cat([each.codes for each in drawn])
    log_q = torch.cat([each.log_q for each in drawn if each.log_q is not None])
    for item in range(len(COUNTS)):
        here = codes == item
        share, promised = here.double().mean().item(), log_q[here].exp().mean().item()
        assert share == pytest.approx(promised, abs=0.015)


@every
def test_the_same_generator_gives_the_same_candidates(name: str) -> None:
    first = draws(made(name).over(catalogue()), 5, seed=1)
    again = draws(made(name).over(catalogue()), 5, seed=1)
    assert all(torch.equal(a.codes, b.codes) for a, b in zip(first, again, strict=True))


@every
def test_one_item_is_a_catalogue(name: str) -> None:
    draw = made(name).over(catalogue(torch.tensor([3.0])))
    rng = torch.Generator().manual_seed(0)
    for _ in range(3):
        drawn = draw(Positives(torch.zeros(2, dtype=torch.int64), torch.zeros(2, dtype=torch.int64)), rng)
        assert (drawn.codes == 0).all()


@every
def test_no_candidate_is_refused(name: str) -> None:
    if "candidates" not in [option.name for option in plugins.part("samplers", name).options]:
        pytest.skip(f"{name} has as many candidates as the batch has rows")
    with pytest.raises(Exception, match="candidates is 0; it must be at least 1"):
        made(name, candidates=0)


@every
def test_no_round_trip_to_the_host_and_no_loop(name: str) -> None:
    """Waiting for the device inside a step is what makes training slow; reading the source finds it."""
    source = inspect.getsource(inspect.getmodule(type(made(name))))  # type: ignore[arg-type]
    for word in (".item()", ".tolist()", ".cpu()", ".numpy()", "nonzero(", "for row in"):
        assert word not in source
