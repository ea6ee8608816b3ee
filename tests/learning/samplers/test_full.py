import torch

from recsys.learning.losses.infonce import InfoNCE
from recsys.learning.pairs import Pairs
from recsys.learning.samplers.full import Full
from recsys.learning.samplers.sampler import Positives
from tests.learning.samplers.catalogues import catalogue


def test_with_infonce_it_is_the_cross_entropy_over_the_catalogue() -> None:
    scores = torch.randn(3, 7, generator=torch.Generator().manual_seed(0))
    items = torch.tensor([2, 6, 0])
    drawn = Full().over(catalogue(torch.ones(7), scores))(
        Positives(torch.arange(3), items), torch.Generator()
    )
    own = drawn.codes == items[:, None]
    pairs = Pairs(scores.gather(1, items[:, None])[:, 0], scores[:, drawn.codes], ~own, drawn.log_q)
    expected = torch.nn.functional.cross_entropy(scores / 0.5, items, reduction="none")
    torch.testing.assert_close(InfoNCE(0.5)(pairs).values, expected)
