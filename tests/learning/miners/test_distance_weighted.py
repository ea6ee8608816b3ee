import math

import pytest
import torch

from recsys.learning.miners.distance_weighted import DistanceWeighted
from recsys.learning.miners.miner import Moment
from recsys.learning.pairs import Pairs


def inverse_density(cosine: float, dim: int, near: float, far: float) -> float:
    """Wu et al. 2017, section 4: q(d) = d^(n-2) (1 - d^2/4)^((n-3)/2), with both cuts."""
    d = math.sqrt(2 - 2 * cosine)
    if d >= far:
        return 0.0
    d = max(d, near)
    return 1 / (d ** (dim - 2) * (1 - d * d / 4) ** ((dim - 3) / 2))


def test_negatives_are_as_frequent_as_the_paper_says() -> None:
    cosines, rows = [0.95, 0.8, 0.5, 0.1, -0.5], 30_000
    neg = torch.tensor(cosines).expand(rows, 5)
    pairs = Pairs(torch.zeros(rows), neg, torch.ones(rows, 5, dtype=torch.bool))
    mask = DistanceWeighted(dim=5)(pairs, Moment(0.0, torch.Generator().manual_seed(0)))
    assert (mask.sum(1) == 1).all()
    weights = [inverse_density(cosine, 5, 0.5, 1.4) for cosine in cosines]
    for column, weight in enumerate(weights):
        assert mask[:, column].double().mean().item() == pytest.approx(weight / sum(weights), abs=0.01)


def test_drawn_distances_are_even_on_the_sphere() -> None:
    """What it is for: of points on the sphere, nearly all sqrt(2) away, each distance is drawn as often."""
    rng = torch.Generator().manual_seed(0)
    points = torch.nn.functional.normalize(torch.randn(3000, 4, generator=rng), dim=1)
    cosine = points[:, 0].expand(1500, -1)  # the anchor is the first axis, 1500 times
    pairs = Pairs(torch.zeros(1500), cosine, torch.ones(1500, 3000, dtype=torch.bool))
    mask = DistanceWeighted(dim=4, pool=None)(pairs, Moment(0.0, rng))
    drawn = (2 - 2 * cosine[mask]).sqrt()
    drawn = drawn[drawn >= 0.5]
    histogram = torch.histc(drawn, bins=3, min=0.5, max=1.4) / len(drawn)
    assert histogram.tolist() == pytest.approx([1 / 3] * 3, abs=0.05)


def test_the_pool_is_drawn_uniformly() -> None:
    """Of a pool of one, that one, whatever its distance."""
    rows = 30_000
    neg = torch.tensor([0.95, 0.8, 0.5, 0.1]).expand(rows, 4)
    pairs = Pairs(torch.zeros(rows), neg, torch.ones(rows, 4, dtype=torch.bool))
    mask = DistanceWeighted(dim=5, pool=1)(pairs, Moment(0.0, torch.Generator().manual_seed(0)))
    assert mask.double().mean(0).tolist() == pytest.approx([1 / 4] * 4, abs=0.01)


def test_where_all_are_too_far_none_is_drawn() -> None:
    pairs = Pairs(torch.zeros(2), torch.full((2, 3), -0.9), torch.ones(2, 3, dtype=torch.bool))
    assert not DistanceWeighted()(pairs, Moment(0.0, torch.Generator())).any()


@pytest.mark.parametrize("options", [{"dim": 1}, {"near": 0.0}, {"far": 0.4}, {"far": 2.1}, {"pool": 0}])
def test_invalid_values_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} is .*; it must be"):
        DistanceWeighted(**options)  # type: ignore[arg-type]
