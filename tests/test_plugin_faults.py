"""Parts of installed packages and of the user's own files: found by their source, and refused clearly."""

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner, Result

from recsys import plugin_sources, plugins
from recsys.cli.main import app, commands_of_others
from recsys.cli.reports.doctor import _plugins
from recsys.errors import InputError, RecsysError
from recsys.learning.pairs import Pairs
from tests import plugin_files


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    def clear() -> None:
        plugin_sources.listed.cache_clear()
        plugin_sources._installed.cache_clear()

    clear()
    with plugin_sources.restored():
        yield
    clear()
    for name in [name for name in sys.modules if name.split(".")[0] == "their_parts"]:
        del sys.modules[name]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def parts(*words: str) -> Result:
    return CliRunner().invoke(app, ["parts", *words])


def own_file(folder: Path, text: str = plugin_files.LOSS, name: str = "my_parts.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def with_entry(line: str, group: str = "recsys.losses") -> str:
    return f"[{group}]\n{line}\n"


def test_a_part_of_a_package_is_described_without_an_import(site: Path) -> None:
    package = plugin_files.package(site)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    described = plugins.part("losses", "squared-hinge")
    assert [(option.name, option.default) for option in described.options] == [("margin", 0.4)]
    assert described.summary.startswith("A negative must be farther")
    assert plugins.foreign("losses") == {"squared_hinge": "their-parts 1.2"}
    assert "squared_hinge" in plugins.names("losses")
    assert plugins.check("losses", "squared_hinge", {"margn": 1.0}) == [
        "squared_hinge has no option 'margn'; it takes: margin"
    ]
    assert "their_parts" not in sys.modules


def test_a_part_of_a_package_is_made(site: Path) -> None:
    plugin_files.package(site)
    loss = plugins.make("losses", "squared_hinge", {"margin": 0.5})
    mask = torch.ones(1, 1, dtype=torch.bool)
    terms = loss(Pairs(pos=torch.tensor([0.5]), neg=torch.tensor([[0.4]]), mask=mask))
    assert terms.values.item() == pytest.approx((0.5 + 0.4 - 0.5) ** 2)


def test_parts_lists_it_with_its_package(site: Path) -> None:
    plugin_files.package(site)
    result = parts("losses")
    assert result.exit_code == 0, result.output
    assert "violations are squared. (their-parts 1.2)" in " ".join(result.stdout.split())
    assert "offered by their-parts 1.2" in parts("losses", "squared_hinge").stdout


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("broken = their_parts.none:Loss", "there is no module their_parts.none"),
        ("broken = none_such.losses:Loss", "there is no module none_such.losses"),
        ("broken = their_parts.losses:None_", "losses.py has no class None_"),
        ("broken = their_parts.losses", "losses.py has no class None"),
        ("broken = their_parts.wrong:Loss", "wrong.py is not Python: "),
        ("broken = math:Loss", "math has no Python source"),
    ],
)
def test_a_broken_part_is_one_line_and_the_rest_works(site: Path, entry: str, said: str) -> None:
    package = plugin_files.package(site, entry_points=with_entry(entry))
    (package / "wrong.py").write_text("class Loss(\n")
    listed = parts("losses")
    assert listed.exit_code == 0, listed.output
    (warning,) = listed.stderr.splitlines()
    assert warning.startswith("warning: their-parts 1.2 offers broken, but ")
    assert said in warning
    assert "triplet" in listed.stdout
    with pytest.raises(InputError, match=r"^their-parts 1.2 offers broken, but [^\n]+$"):
        plugins.part("losses", "broken")
    (finding,) = _plugins()
    assert finding.status == "warn"
    assert said in finding.found


def test_a_part_whose_import_fails_is_one_line(site: Path) -> None:
    package = plugin_files.package(site)
    (package / "losses.py").write_text(
        "import none_such_library\n" + plugin_files.LOSS.replace("from __future__ import annotations\n", "")
    )
    assert "squared_hinge" in plugins.names("losses")
    with pytest.raises(RecsysError, match=r"^their-parts 1.2: their_parts.losses cannot be imported: No mod"):
        plugins.make("losses", "squared_hinge")


def test_two_packages_of_one_name_are_both_named(site: Path) -> None:
    plugin_files.package(site)
    plugin_files.package(site, "more-parts", with_entry("squared_hinge = more_parts.losses:SquaredHinge"))
    assert "squared_hinge" not in plugins.names("losses")
    with pytest.raises(InputError) as refused:
        plugins.part("losses", "squared_hinge")
    assert "their-parts 1.2" in str(refused.value)
    assert "more-parts 1.2" in str(refused.value)
    listed = parts("losses")
    assert listed.exit_code == 0
    assert "squared_hinge is offered by" in listed.stderr


def test_a_name_of_ours_stays_ours_and_is_said(site: Path) -> None:
    plugin_files.package(site, entry_points=with_entry("triplet = their_parts.losses:SquaredHinge"))
    assert plugins.part("losses", "triplet").source.given_by == ""
    assert "triplet is offered by their-parts 1.2 and by recsys itself" in parts("losses").stderr
    assert "their-parts" not in parts("losses").stdout


@pytest.mark.parametrize("family", plugins.FAMILIES)
def test_every_family_takes_parts_of_packages(site: Path, family: str) -> None:
    entry = with_entry("theirs = their_parts.losses:SquaredHinge", f"recsys.{family}")
    plugin_files.package(site, entry_points=entry)
    assert plugins.foreign(family) == {"theirs": "their-parts 1.2"}


def test_parts_of_an_own_file_are_found_by_the_family_that_they_say(tmp_path: Path) -> None:
    path = own_file(tmp_path)
    plugins.use(path)
    source = plugins.part("losses", "squared_hinge").source
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert source.given_by == f"my_parts.py (sha256 {digest[:12]})"
    assert source.record == f"my_parts.py (sha256 {digest})"
    assert plugins.make("losses", "squared_hinge").margin == 0.4
    result = parts("losses", "--plugins", str(path))
    assert "(my_parts.py (sha256 " in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("class Loss(\n", "my_parts.py, line 1: "),
        ("x = 1\nclass Loss:\n    margin: float = 1.0\n", "holds no part: a class that says its family"),
        (
            'from typing import ClassVar\nclass A:\n    family: ClassVar[str] = "loses"\n',
            "says family 'loses'",
        ),
        (
            'from typing import ClassVar\nclass Triplet:\n    family: ClassVar[str] = "losses"\n',
            "loss triplet is offered by recsys itself too; give class Triplet another name",
        ),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    result = parts("losses", "--plugins", str(own_file(tmp_path, text)))
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert said in line


def test_no_such_file_is_one_line(tmp_path: Path) -> None:
    result = parts("--plugins", str(tmp_path / "none.py"))
    assert result.exit_code == 2
    assert result.stderr == (
        f"error: there is no file {tmp_path}/none.py; --plugins takes a Python file with parts\n"
    )


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    first, second = own_file(tmp_path), own_file(tmp_path, name="more.py")
    plugins.use(first)
    plugins.use(first)
    with pytest.raises(InputError, match=r"more.py: loss squared_hinge is offered by my_parts.py .* too"):
        plugins.use(second)


def test_a_class_variable_that_is_computed_is_passed_over(tmp_path: Path) -> None:
    text = plugin_files.LOSS.replace(
        "    family:", "    limits: ClassVar[tuple[float, ...]] = tuple(range(3))\n    family:"
    )
    plugins.use(own_file(tmp_path, text))
    assert "limits" not in plugins.part("losses", "squared_hinge").constants


def test_a_name_is_no_path() -> None:
    with pytest.raises(InputError, match="unknown loss"):
        plugins.part("losses", "../distances/cosine")


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            "train = their_parts.commands:greet",
            "command train of their-parts 1.2 is left out: the name is taken by recsys itself",
        ),
        ("fly = their_parts.none:fly", "command fly of their-parts 1.2 is left out: No module named"),
        ("fly = their_parts.commands:__name__", "'str' object is not callable"),
    ],
)
def test_a_command_that_cannot_be_used_is_one_line(site: Path, entry: str, said: str) -> None:
    plugin_files.package(site, entry_points=with_entry(entry, "recsys.commands"))
    (fault,) = commands_of_others(typer.Typer())
    assert said in fault


def test_a_command_of_ours_looks_for_no_package() -> None:
    code = (
        "import sys, importlib.metadata as m\n"
        "def refuse(**_): raise AssertionError('scanned')\n"
        "m.entry_points = refuse\n"
        "sys.argv = ['recsys', 'recommend', '--help']\n"
        "from recsys.cli.main import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_file_of_settings_names_no_plugins(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("model: {name: two_tower}\nplugins: [my_parts.py]\n")
    result = CliRunner().invoke(app, ["train", "--config", str(path), "--home", str(tmp_path)])
    assert result.exit_code == 2
    assert "has the key plugins; a file of settings runs no code" in result.stderr


def test_a_part_that_lacks_what_its_family_asks_for_is_one_line(tmp_path: Path) -> None:
    text = plugin_files.LOSS.replace("    needs_bounded: ClassVar[bool] = False\n", "")
    plugins.use(own_file(tmp_path, text))
    with pytest.raises(
        InputError, match=r"^loss squared_hinge of my_parts.py .* lacks needs_bounded; see the"
    ):
        plugins.make("losses", "squared_hinge")


@pytest.mark.parametrize("family", plugins.FAMILIES)
def test_our_own_parts_have_what_a_foreign_one_is_asked_for(family: str) -> None:
    asked = plugin_sources.members(plugins.FAMILIES[family], plugins._protocol(family))
    assert asked
    for name in plugins.names(family):
        described = plugins.part(family, name)
        if all(option.default is not plugins.REQUIRED for option in described.options):
            made = plugins.make(family, name)
            assert [each for each in asked if not hasattr(made, each)] == [], name
