import math

import pytest

from recsys.learning.losses.alignment import Alignment
from recsys.learning.reducers import mean
from tests.learning.scenes import scene


def test_the_paper_in_loops_over_unit_vectors() -> None:
    here = scene(seed=44)
    values = []
    for user, item in zip(here.users.tolist(), here.positives.tolist(), strict=True):
        pairs = zip(user, item, strict=True)
        values.append(sum((x / math.hypot(*user) - y / math.hypot(*item)) ** 2 for x, y in pairs))
    ours = mean(Alignment()(here.pairs())).value().item()
    assert ours == pytest.approx(sum(values) / len(values), abs=1e-12)
