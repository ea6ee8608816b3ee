"""What takes long is said before it does."""

from __future__ import annotations

import pytest

from recsys.pipeline.config import TrainConfig, parse
from recsys.pipeline.train import _expected


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ({"distance": "manhattan"}, "a step in manhattan takes about 10 times as long as in cosine"),
        ({"distance": "chebyshev"}, "a step in chebyshev takes about 6 times as long as in cosine"),
        ({}, None),
        ({"name": "als"}, None),
    ],
)
def test_a_slow_distance_is_said_before_it_takes_its_time(model: dict[str, str], said: str | None) -> None:
    found = _expected(parse(TrainConfig, {"model": {"name": "two_tower", **model}}))
    assert found is None if said is None else said in (found or "")
