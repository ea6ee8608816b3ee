import torch

from recsys.learning.samplers.queue import Queue
from recsys.learning.samplers.sampler import Positives
from tests.learning.samplers.catalogues import catalogue


def batch(*items: int) -> Positives:
    return Positives(torch.zeros(len(items), dtype=torch.int64), torch.tensor(items))


def test_first_in_first_out() -> None:
    draw, rng = Queue(candidates=5).over(catalogue(torch.ones(9))), torch.Generator().manual_seed(0)
    draw(batch(1, 2), rng)
    draw(batch(3, 4), rng)
    assert draw(batch(5), rng).codes.tolist() == [5, 3, 4, 1, 2]
    assert draw(batch(6, 7), rng).codes.tolist() == [6, 7, 5, 3, 4]


def test_a_batch_longer_than_the_queue() -> None:
    draw = Queue(candidates=2).over(catalogue(torch.ones(9)))
    assert draw(batch(1, 2, 3), torch.Generator()).codes.tolist() == [1, 2]


def test_two_runs_do_not_share_their_queue() -> None:
    sampler = Queue(candidates=3)
    first, second = sampler.over(catalogue(torch.ones(9))), sampler.over(catalogue(torch.ones(9)))
    first(batch(1, 1, 1), torch.Generator())
    assert second(batch(2), torch.Generator().manual_seed(0)).codes.tolist().count(1) < 2
