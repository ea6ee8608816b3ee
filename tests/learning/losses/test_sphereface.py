import math

import pytest
import torch
from pytorch_metric_learning import losses as theirs

from recsys.learning.losses.angles import psi
from recsys.learning.losses.sphereface import SphereFace
from recsys.learning.reducers import mean
from tests import oracles
from tests.learning import second_oracle
from tests.learning.scenes import Scene, scene


def liu(angle: float, m: int) -> float:
    """Liu et al. 2017, equation 7: (-1)^k cos(m t) - 2k on [k pi / m, (k + 1) pi / m]."""
    k = next(k for k in range(m) if angle <= (k + 1) * math.pi / m + 1e-12)
    return float((-1) ** k * math.cos(m * angle) - 2 * k)


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_psi_on_all_pieces(m: int) -> None:
    angles = torch.linspace(0, math.pi, 501, dtype=torch.float64)
    ours = psi(angles.cos(), m)
    expected = torch.tensor([liu(angle, m) for angle in angles.tolist()], dtype=torch.float64)
    torch.testing.assert_close(ours, expected, atol=1e-9, rtol=0)
    assert (ours.diff() <= 1e-9).all()


@pytest.mark.parametrize("m", [2, 4])
def test_the_gradient_of_psi_is_finite_and_rises_with_the_cosine(m: int) -> None:
    cosine = torch.linspace(-1, 1, 201, dtype=torch.float64, requires_grad=True)
    psi(cosine, m).sum().backward()
    assert cosine.grad is not None
    assert cosine.grad.isfinite().all()
    assert (cosine.grad >= -1e-9).all()


@pytest.mark.parametrize(("m", "ease"), [(2, 0.0), (4, 0.0), (3, 5.0)])
def test_the_paper_in_loops(m: int, ease: float) -> None:
    def loss(pos: float, negatives: list[float], s: float = 6.0) -> float:
        own = math.exp(s * (ease * pos + liu(math.acos(pos), m)) / (1 + ease))
        return -math.log(own / (own + sum(math.exp(s * neg) for neg in negatives)))

    pairs = scene(seed=45, rows=20).pairs()
    ours = mean(SphereFace(m, 6.0, ease)(pairs)).value().item()
    assert ours == pytest.approx(oracles.over_rows(pairs, loss), abs=1e-8)


@pytest.mark.filterwarnings("ignore:__array_wrap__:DeprecationWarning")  # theirs, in its constructor
@pytest.mark.parametrize("m", [2, 4])
def test_pytorch_metric_learning(m: int) -> None:
    """Theirs multiplies by the length of the user, ours by a constant: the users here have length 1."""
    here = scene(seed=46, used=1.0)
    users = torch.nn.functional.normalize(here.users)
    unit = Scene(users, here.positives, here.candidates, here.mask, here.log_q)
    ours = SphereFace(m, 6.0, ease=0.0)(unit.pairs()).values
    for row in range(6):
        loss = theirs.SphereFaceLoss(6, 4, margin=m, scale=6.0, reducer=second_oracle.mean())
        assert ours[row].item() == pytest.approx(second_oracle.on_classes(loss, unit, row), abs=1e-6)


@pytest.mark.parametrize("options", [{"margin": 0}, {"margin": 1.5}, {"scale": 0.0}, {"ease": -1.0}])
def test_invalid_values_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} is .*; it must"):
        SphereFace(**options)  # type: ignore[arg-type]
