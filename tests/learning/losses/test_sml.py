import pytest
import torch

from recsys.learning.losses.sml import SML
from tests import oracles
from tests.learning.scenes import scene


def test_the_paper_in_loops() -> None:
    """Equations 4, 6 and 8 with distances d = -score: user triplet, item triplet, and the margins' reward."""
    pairs = oracles.learning(scene(seed=71).pairs("squared_euclidean"), user_margin=0.7, item_margin=0.2)
    assert pairs.cross is not None
    ours = SML(item=0.5, adapt=0.3)(pairs)
    for row, column in pairs.mask.nonzero().tolist():
        d_up, d_un = -pairs.pos[row].item(), -pairs.neg[row, column].item()
        d_pn = -pairs.cross[row, column].item()
        expected = max(0.0, 0.7 + d_up - d_un) + 0.5 * max(0.0, 0.2 + d_up - d_pn) - 0.3 * (0.7 + 0.2)
        assert ours.values[row, column].item() == pytest.approx(expected, abs=1e-6)
    assert torch.equal(ours.mask, pairs.mask)


@pytest.mark.parametrize("options", [{"item": -1.0}, {"adapt": 1.0}, {"margin": 2.0}, {"margin": 0.0}])
def test_invalid_values_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(options))} is .*; it must"):
        SML(**options)
