import math

import pytest
import torch

from recsys.learning.samplers.in_batch import InBatch
from recsys.learning.samplers.sampler import Positives
from tests.learning.samplers.catalogues import catalogue


def test_the_candidates_are_the_positives_with_their_share_of_the_log() -> None:
    batch = Positives(torch.tensor([0, 1, 2, 3]), torch.tensor([2, 0, 0, 1]))
    found = InBatch().over(catalogue(torch.tensor([5.0, 3.0, 2.0])))(batch, torch.Generator())
    assert found.codes.tolist() == [2, 0, 0, 1]
    assert found.log_q is not None
    assert found.log_q.tolist() == pytest.approx([math.log(share) for share in (0.2, 0.5, 0.5, 0.3)])
