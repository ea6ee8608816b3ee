import pytest
import torch

from recsys.learning.samplers.dynamic_hard import DynamicHard
from recsys.learning.samplers.sampler import Positives
from recsys.learning.samplers.uniform import Uniform
from tests.learning.samplers.catalogues import catalogue

BATCH = Positives(torch.tensor([0, 1]), torch.tensor([0, 0]))


def drawn(scores: torch.Tensor, sampler: DynamicHard) -> list[int]:
    draw = sampler.over(catalogue(torch.ones(scores.shape[1]), scores))
    return draw(BATCH, torch.Generator().manual_seed(0)).codes.tolist()


def test_what_one_user_finds_hard_is_a_candidate() -> None:
    """A pool so large that it holds everything: item 3 is hard for user 0, item 5 for user 1."""
    scores = torch.zeros(2, 50)
    scores[0, 3] = scores[1, 5] = 1.0
    assert set(drawn(scores, DynamicHard(candidates=2, pool=2000))) == {3, 5}


def test_the_votes_of_the_definition() -> None:
    scores = torch.randn(2, 30, generator=torch.Generator().manual_seed(1))
    spread = Uniform(10).over(catalogue(torch.ones(30), scores))
    pool = spread(BATCH, torch.Generator().manual_seed(0)).codes
    votes = [sum(float(row[item].exp() / row[pool].exp().sum()) for row in scores) for item in pool.tolist()]
    best = sorted(zip(votes, pool.tolist(), strict=True), reverse=True)[:4]
    assert drawn(scores, DynamicHard(4, 10, temperature=1.0)) == [item for _, item in best]


def test_invalid_values_are_refused() -> None:
    with pytest.raises(ValueError, match=r"pool is 3; it must be at least candidates, 4"):
        DynamicHard(4, 3)
    with pytest.raises(ValueError, match=r"temperature is 0.0; it must be positive"):
        DynamicHard(temperature=0.0)
