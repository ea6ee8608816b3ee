import pytest
import torch

from recsys.learning.losses.cosine_embedding import CosineEmbedding
from recsys.learning.reducers import mean
from tests.learning.scenes import scene


@pytest.mark.parametrize("margin", [-0.2, 0.0, 0.4])
def test_torch_on_the_same_pairs(margin: float) -> None:
    here = scene(seed=37)
    theirs = torch.nn.CosineEmbeddingLoss(margin)
    values = []
    for row in range(6):
        others = torch.cat([here.positives[row : row + 1], here.candidates[here.mask[row]]])
        like = torch.tensor([1.0] + [-1.0] * (len(others) - 1))
        values.append(theirs(here.users[row].expand_as(others), others, like))
    ours = mean(CosineEmbedding(margin)(here.pairs())).value()
    torch.testing.assert_close(ours, torch.stack(values).mean())


def test_an_invalid_margin_is_refused() -> None:
    with pytest.raises(ValueError, match=r"margin is 1.0; it must be in"):
        CosineEmbedding(1.0)
