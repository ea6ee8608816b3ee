import math
from dataclasses import replace

import pytest
import torch
from pytorch_metric_learning import losses as theirs

from recsys.learning.losses.infonce import InfoNCE
from recsys.learning.pairs import Pairs
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning import second_oracle
from tests.learning.scenes import scene


@pytest.mark.parametrize("temperature", [0.07, 0.5])
def test_the_paper_in_loops(temperature: float) -> None:
    def oord(pos: float, negatives: list[float]) -> float:
        below = sum(math.exp(score / temperature) for score in [pos, *negatives])
        return -math.log(math.exp(pos / temperature) / below)

    pairs = scene(seed=8).pairs()
    ours = mean(InfoNCE(temperature, correct=False)(pairs)).value().item()
    assert ours == pytest.approx(oracles.over_rows(pairs, oord), abs=1e-12)


def test_pytorch_metric_learning() -> None:
    here = scene(seed=9, used=0.9)
    loss = theirs.NTXentLoss(
        temperature=0.3, distance=second_oracle.distance("cosine"), reducer=second_oracle.mean()
    )
    ours = mean(InfoNCE(0.3, correct=False)(here.pairs())).value().item()
    assert ours == pytest.approx(second_oracle.on_pairs(loss, here), abs=1e-6)


def test_all_items_drawn_once_are_the_full_softmax() -> None:
    """With q = 1 / I and N = I the correction vanishes."""
    pairs = replace(scene(seed=10).pairs(), log_q=torch.full((5,), -math.log(5)))
    torch.testing.assert_close(InfoNCE()(pairs).values, InfoNCE(correct=False)(pairs).values)


@pytest.mark.parametrize("shares", [[0.25] * 4, [0.7, 0.1, 0.1, 0.1]])
def test_the_sum_over_candidates_is_that_over_the_catalogue(shares: list[float]) -> None:
    """However the candidates were drawn, the mean of e^loss - 1 is that of the full softmax."""
    rng = torch.Generator().manual_seed(0)
    catalogue, pos = torch.tensor([0.9, 0.2, -0.4, 0.5], dtype=torch.float64), torch.tensor([0.7]).double()
    drawn = torch.multinomial(torch.tensor(shares), 200_000, replacement=True, generator=rng)
    log_q = torch.tensor(shares, dtype=torch.float64).log()[drawn]
    pairs = Pairs(pos, catalogue[drawn][None], torch.ones(1, len(drawn), dtype=torch.bool), log_q)
    full = math.log(1 + sum(math.exp((score - 0.7) / 0.5) for score in catalogue.tolist()))
    assert InfoNCE(0.5)(pairs).values.item() == pytest.approx(full, rel=0.01)


def test_an_invalid_temperature_is_refused() -> None:
    with pytest.raises(ValueError, match=r"temperature is 0.0; it must be positive"):
        InfoNCE(0.0)
