"""Parts of installed packages and of files that the user names."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys import plugin_sources, plugins
from recsys.data.download import about, names, public_log
from recsys.errors import InputError, RecsysError

LOSS = '''
from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from recsys.learning.pairs import Pairs, Terms


@dataclass(frozen=True)
class SquaredHinge:
    """The square of a hinge.

    Args:
        margin: Positive.
    """

    margin: float = 0.5

    family: ClassVar[str] = "losses"
    needs: ClassVar[tuple[str, ...]] = ()
    needs_bounded: ClassVar[bool] = False

    def __call__(self, pairs: Pairs) -> Terms:
        pairs = pairs.wide()
        return Terms(torch.relu(self.margin + pairs.neg - pairs.pos[:, None]).square(), pairs.mask)
'''
METRIC = '''
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys.evaluation.ranked import Ranked


@dataclass(frozen=True)
class FirstHit:
    """1 where the first item is relevant.

    Args:
        k: Length of the list.
    """

    k: int

    per_user: ClassVar[bool] = True

    def __call__(self, ranked: Ranked):
        return ranked.hits[:, 0].astype(np.float64)
'''
LOG = '''
from recsys.data.public_logs.public_log import Remote


class SomeTaste:
    """The taste of some."""

    page = "https://taste.example"
    licence = "free"
    files = (Remote("https://taste.example/a.csv", "a.csv"),)
    etl = "recsys etl {raw}/some-taste/a.csv"
'''
COMMAND = '''
def register(app):
    @app.command("shout")
    def shout() -> None:
        """Say it aloud."""
        print("LISTS")
'''
ENTRY_POINTS = """
[recsys.losses]
squared_hinge = taste_parts.losses:SquaredHinge

[recsys.metrics]
first_hit = taste_parts.metrics:FirstHit

[recsys.public_logs]
some_taste = taste_parts.logs:SomeTaste

[recsys.commands]
shout = taste_parts.command:register
"""


@pytest.fixture
def forget() -> Iterator[None]:
    """No part of this test is known to the next one."""
    clear()
    yield
    plugin_sources._files.clear()
    clear()


def clear() -> None:
    plugin_sources.listed.cache_clear()
    plugin_sources._installed.cache_clear()


def package(folder: Path, entry_points: str = ENTRY_POINTS, name: str = "taste-parts") -> Path:
    """A package as pip leaves it, in a folder for ``sys.path``."""
    module = name.replace("-", "_")
    (folder / module).mkdir(parents=True)
    (folder / module / "__init__.py").write_text("")
    (folder / module / "losses.py").write_text(LOSS)
    (folder / module / "metrics.py").write_text(METRIC)
    (folder / module / "logs.py").write_text(LOG)
    (folder / module / "command.py").write_text(COMMAND)
    info = folder / f"{module}-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text(entry_points)
    return folder


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget: None) -> Iterator[Path]:
    """A package with a loss, a metric and a command, on the path."""
    folder = package(tmp_path / "site")
    monkeypatch.syspath_prepend(folder)
    yield folder
    for module in [each for each in sys.modules if each.startswith("taste_parts")]:
        del sys.modules[module]


def test_a_package_offers_parts_that_are_read_before_they_are_run(installed: Path) -> None:
    assert "squared_hinge" in plugins.names("losses")
    assert plugins.foreign("losses") == {"squared_hinge": "taste-parts 1.5"}
    described = plugins.part("losses", "squared-hinge")
    assert described.summary == "The square of a hinge."
    assert [(each.name, each.default) for each in described.options] == [("margin", 0.5)]
    assert "taste_parts.losses" not in sys.modules
    assert plugins.check("losses", "squared_hinge", {"margn": 1.0})
    assert plugins.make("losses", "squared_hinge", {"margin": 0.3}).margin == 0.3


def test_a_package_offers_a_public_log(installed: Path) -> None:
    assert {"some-taste", "ml-100k"} < set(names())
    assert about("some-taste") == "The taste of some"
    assert "taste_parts.logs" not in sys.modules
    assert public_log("some-taste").licence == "free"


def test_what_a_model_takes_from_others_is_named(installed: Path) -> None:
    model = {"name": "blend", "of": [{"name": "two_tower", "loss": {"name": "squared_hinge"}}, "als"]}
    assert plugins.given_by_others(model) == {"losses squared_hinge": "taste-parts 1.5"}
    assert plugins.given_by_others({"name": "two_tower", "loss": "bpr"}) == {}


def test_a_name_of_ours_stays_ours_and_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget: None
) -> None:
    monkeypatch.syspath_prepend(package(tmp_path, "[recsys.losses]\nbpr = taste_parts.losses:SquaredHinge\n"))
    assert plugins.part("losses", "bpr").source.given_by == ""
    assert plugins.faults("losses") == ["loss bpr is offered by taste-parts 1.5 and by recsys itself"]


def test_two_packages_with_one_name_are_refused_when_it_is_asked_for(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = ENTRY_POINTS.replace("taste_parts", "more_parts")
    monkeypatch.syspath_prepend(package(tmp_path / "other", other, "more-parts"))
    clear()
    with pytest.raises(InputError, match=r"offered by more-parts 1\.5 and by taste-parts 1\.5"):
        plugins.part("losses", "squared_hinge")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            "missing_package.losses:Loss",
            "taste-parts 1.5 offers gone, but there is no module missing_package.losses",
        ),
        (
            "taste_parts.nowhere:Loss",
            "taste-parts 1.5 offers gone, but there is no module taste_parts.nowhere",
        ),
    ],
)
def test_a_broken_entry_point_is_one_line(
    value: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget: None
) -> None:
    monkeypatch.syspath_prepend(package(tmp_path, f"[recsys.losses]\ngone = {value}\n"))
    assert [line.startswith(message) for line in plugins.faults("losses")] == [True]
    assert "gone" not in plugins.names("losses")
    with pytest.raises(InputError, match=message):
        plugins.part("losses", "gone")


def test_a_class_that_is_not_there_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forget: None
) -> None:
    monkeypatch.syspath_prepend(package(tmp_path, "[recsys.losses]\ngone = taste_parts.losses:Gone\n"))
    with pytest.raises(RecsysError, match="has no class Gone"):
        plugins.part("losses", "gone")


def test_a_file_of_the_users_offers_its_classes(tmp_path: Path, forget: None) -> None:
    path = tmp_path / "my_parts.py"
    path.write_text(LOSS)
    assert plugins.use(path) == ["losses squared_hinge"]
    assert plugins.part("losses", "squared_hinge").source.given_by.startswith("my_parts.py (sha256 ")
    assert plugins.make("losses", "squared_hinge").margin == 0.5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = (", r"my_parts\.py, line 1: "),
        ("class Loss:\n    pass\n", "holds no part: a class that says its family"),
        (None, "there is no file"),
    ],
)
def test_a_file_without_parts_is_refused(
    text: str | None, message: str, tmp_path: Path, forget: None
) -> None:
    path = tmp_path / "my_parts.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=message):
        plugins.use(path)


def test_a_file_that_fails_when_it_is_run_is_one_line(tmp_path: Path, forget: None) -> None:
    path = tmp_path / "my_parts.py"
    path.write_text(LOSS.replace("import torch\n", "import torch, no_such_module\n"))
    plugins.use(path)
    with pytest.raises(RecsysError, match=r"my_parts\.py .* cannot be imported: No module named 'no_such"):
        plugins.make("losses", "squared_hinge")


def test_a_file_of_parts_comes_from_the_command_line_only() -> None:
    from recsys.pipeline.config import TrainConfig, parse

    with pytest.raises(InputError, match="plugins"):
        parse(TrainConfig, {"model": {"name": "two_tower"}, "plugins": ["my_parts.py"]})
