"""Every part is measured, and those that once ended below popularity stay above it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import pytest

from benchmarks import parts
from recsys import plugins
from recsys.data.dataset import Dataset
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl
from recsys.pipeline.config import TrainConfig, parse
from recsys.storage.home import Home

# Given, so that nothing is tried.
BSL: Final = {"name": "bsl", "temperature": 0.2, "power": 1.1}


def test_every_part_of_a_model_is_asked_for_once_and_goes_with_the_rest() -> None:
    asked = [(family, name) for family, name, _ in parts.requests()]
    listed = {(family, name) for family in plugins.NESTED.values() for name in plugins.names(family)}
    assert listed <= set(asked)
    assert len(set(asked)) == len(asked)
    for _, _, model in parts.requests():
        parse(TrainConfig, {"model": model})


def test_a_part_that_refuses_the_default_gets_one_that_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    def needs_dot(spec: dict[str, str]) -> dict[str, list[str]]:
        return {"loss": [] if spec.get("distance") == "dot" else ["needs an inner product"]}

    monkeypatch.setattr(plugins, "mismatches", needs_dot)
    expected = {**parts.BESIDE, "loss": "infonce", "distance": "dot"}
    assert parts.compatible("loss", "infonce") == expected


@pytest.fixture(scope="module")
def movielens(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, Home]:
    """ml-100k as the benchmark splits it."""
    home = Home(tmp_path_factory.mktemp("home"))
    options = EtlOptions(
        logs=[str(realdata / "ml-100k")], format="movielens", split="random:0.2", name="ml-100k"
    )
    return etl(options, home), home


@pytest.mark.slow
@pytest.mark.realdata
@pytest.mark.parametrize(
    ("family", "name", "asked"),
    [
        ("losses", "sphereface", {"loss": "sphereface"}),
        ("miners", "hardest", {"miner": "hardest", "loss": BSL}),
        ("miners", "hardest_k", {"miner": "hardest_k", "loss": BSL}),
    ],
)
def test_an_epoch_is_enough_to_pass_popularity(
    movielens: tuple[Dataset, Home], family: str, name: str, asked: dict[str, Any]
) -> None:
    model = {"name": "two_tower", "epochs": 1, **asked}
    assert parts.measure(*movielens, family, name, model)[parts.COLUMNS.index("above")] == "yes"
