import torch

from recsys.learning.losses.triplet import Triplet
from recsys.learning.miners.easy_positive import EasyPositive
from recsys.learning.miners.miner import Moment
from recsys.learning.pairs import Pairs
from recsys.learning.training.pair_inputs import easiest
from tests.learning.scenes import scene

MOMENT = Moment(0.0, torch.Generator())


def xuan(users: list[int], scores: list[float]) -> list[bool]:
    """Xuan et al. 2020, section 3.1: of the positives of an anchor, the one most similar to it."""
    kept = []
    for row, user in enumerate(users):
        positives = [other for other in range(len(users)) if users[other] == user]
        kept.append(row == max(positives, key=lambda other: scores[other]))
    return kept


def test_the_paper_in_loops() -> None:
    rng = torch.Generator().manual_seed(7)
    users = torch.randint(10, (64,), generator=rng)
    scores = torch.rand(64, generator=rng)
    expected = xuan(users.tolist(), scores.tolist())
    assert 0 < sum(expected) < 64
    assert easiest(users, scores).tolist() == expected


def test_equal_ones_are_all_easy_and_a_user_with_one_positive_keeps_it() -> None:
    assert easiest(torch.tensor([4, 4, 9]), torch.tensor([0.5, 0.5, -1e4])).tolist() == [True] * 3


def test_other_rows_have_no_effect() -> None:
    here = scene(rows=4, candidates=3, used=1.0).pairs()
    rows = torch.tensor([True, False, True, False])
    pairs = Pairs(here.pos, here.neg, here.mask, easiest=rows)
    mask = EasyPositive()(pairs, MOMENT)
    assert torch.equal(mask, here.mask & rows[:, None])
    used = Triplet()(Pairs(here.pos, here.neg, mask)).mask
    assert used.any(1).tolist() == rows.tolist()
