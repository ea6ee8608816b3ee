import pytest
import torch

from recsys.learning.miners.pool import pooled


@pytest.mark.parametrize("size", [1, 3, 5, 6, 9])
def test_so_many_of_the_used_and_none_twice(size: int) -> None:
    rng = torch.Generator().manual_seed(0)
    mask = torch.rand(200, 6, generator=rng) < 0.6
    columns, used = pooled(mask, size, rng)
    assert torch.equal(used, mask.gather(1, columns))
    assert torch.equal(used.sum(1), mask.sum(1).clamp(max=size))
    assert all(len(set(row)) == min(size, 6) for row in columns.tolist())


def test_every_used_one_is_equally_likely() -> None:
    mask = torch.tensor([True, False, True, True, True]).expand(30_000, 5)
    columns, _ = pooled(mask, 2, torch.Generator().manual_seed(0))
    shares = torch.bincount(columns.flatten(), minlength=5) / 30_000
    assert shares.tolist() == pytest.approx([0.5, 0, 0.5, 0.5, 0.5], abs=0.01)


def test_without_a_size_all_are_taken() -> None:
    mask = torch.tensor([[True, False, True]])
    columns, used = pooled(mask, None, torch.Generator())
    assert columns.tolist() == [[0, 1, 2]]
    assert torch.equal(used, mask)
