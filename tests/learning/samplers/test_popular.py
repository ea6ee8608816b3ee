import pytest
import torch

from recsys.learning.samplers.popular import Popular
from recsys.learning.samplers.sampler import Positives
from tests.learning.samplers.catalogues import catalogue

NOBODY = Positives(torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64))


def drawn(counts: list[float], alpha: float, candidates: int = 20_000) -> tuple[torch.Tensor, torch.Tensor]:
    found = Popular(candidates, alpha).over(catalogue(torch.tensor(counts)))(
        NOBODY, torch.Generator().manual_seed(0)
    )
    assert found.log_q is not None
    return found.codes, found.log_q


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_shares_are_powers_of_counts(alpha: float) -> None:
    counts = [1.0, 9.0, 4.0]
    codes, log_q = drawn(counts, alpha)
    whole = sum(count**alpha for count in counts)
    for item, count in enumerate(counts):
        assert (codes == item).double().mean().item() == pytest.approx(count**alpha / whole, abs=0.01)
        assert log_q[codes == item][0].exp().item() == pytest.approx(count**alpha / whole)


def test_an_item_nobody_chose_is_never_drawn_by_popularity() -> None:
    codes, log_q = drawn([0.0, 3.0, 0.0, 1.0, 0.0], alpha=1.0)
    assert set(codes.tolist()) == {1, 3}
    assert log_q.isfinite().all()


def test_alpha_zero_is_uniform_over_all() -> None:
    codes, _ = drawn([0.0, 300.0], alpha=0.0)
    assert codes.double().mean().item() == pytest.approx(0.5, abs=0.02)


def test_a_negative_power_is_refused() -> None:
    with pytest.raises(ValueError, match=r"alpha is -0.5; it must not be negative"):
        Popular(alpha=-0.5)
