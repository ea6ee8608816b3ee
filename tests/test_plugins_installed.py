"""A small package, built as a wheel and installed, brings a loss, a metric and a command; so does a file."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from recsys.data.synthetic import World, write_csv
from tests import plugin_files

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "their-parts"
version = "1.2"

[project.entry-points."recsys.losses"]
squared_hinge = "their_parts.losses:SquaredHinge"

[project.entry-points."recsys.metrics"]
first_hit = "their_parts.metrics:FirstHit"

[project.entry-points."recsys.commands"]
greet = "their_parts.commands:register"
"""
SMALL = ("--baselines", "none", "--dim", "8", "--track", "none", "--epochs", "2", "--json")
THEIRS = ("train", "--loss", "squared_hinge", "--set", "metrics=[ndcg@10, first_hit]", *SMALL)


class Scratch:
    """A home with a dataset, and a folder with the package installed."""

    def __init__(self, folder: Path) -> None:
        self.home, self.site = folder / "home", folder / "site"
        project = folder / "project"
        package = plugin_files.package(project)
        (project / "pyproject.toml").write_text(PROJECT)
        for left in (project / f"{package.name}-1.2.dist-info").iterdir():
            left.unlink()
        (project / f"{package.name}-1.2.dist-info").rmdir()
        (wheel,) = WheelBuilder(str(project)).build(directory=str(folder), versions=["standard"])
        target = ["--quiet", "--no-deps", "--no-index", "--target", str(self.site), wheel]
        subprocess.run([sys.executable, "-m", "pip", "install", *target], check=True)
        write_csv(folder / "log.csv", World.make(80, 60, genres=4), 3000)
        self.recsys("etl", str(folder / "log.csv"))

    def run(self, *words: str, installed: bool = True) -> "subprocess.CompletedProcess[str]":
        path = [str(ROOT), *([str(self.site)] if installed else [])]
        return subprocess.run(
            [sys.executable, "-c", "from recsys.cli.main import main; main()", *words],
            cwd=self.home.parent,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path), "RECSYS_HOME": str(self.home)},
            capture_output=True,
            text=True,
        )

    def recsys(self, *words: str, installed: bool = True) -> str:
        done = self.run(*words, installed=installed)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *words: str, installed: bool = True) -> str:
        done = self.run(*words, installed=installed)
        assert done.returncode == 2, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def manifest(self, run: str) -> Mapping[str, object]:
        found: Mapping[str, object] = json.loads((self.home / "runs" / run / "run.json").read_text())
        return found

    def stopped(self, run: str, name: str) -> Path:
        """A copy of a run as it is before it ends: settings, and where its parts came from."""
        folder = self.home / "runs" / name
        folder.mkdir()
        for kept in ("config.yaml", "plugins.json"):
            (folder / kept).write_bytes((self.home / "runs" / run / kept).read_bytes())
        return folder


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Scratch:
    return Scratch(tmp_path_factory.mktemp("installed"))


@pytest.fixture(scope="module")
def run(scratch: Scratch) -> str:
    return str(json.loads(scratch.recsys(*THEIRS))["run"])


def test_its_parts_are_listed_with_the_package(scratch: Scratch) -> None:
    listed = " ".join(scratch.recsys("parts", "losses").split())
    assert "violations are squared. (their-parts 1.2)" in listed
    assert "squared_hinge" not in scratch.recsys("parts", "losses", installed=False)


def test_the_contract_suites_run_on_its_parts(scratch: Scratch) -> None:
    """As docs/adding_a_part.md says: in a checkout, with the package installed."""
    words = [
        "-m",
        "pytest",
        "-vv",
        "tests/contracts",
        "-k",
        "squared_hinge or first_hit",
        "-p",
        "no:cacheprovider",
    ]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(scratch.site)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert "[squared_hinge" in done.stdout
    assert "[first_hit" in done.stdout


def test_its_command_runs_beside_ours(scratch: Scratch) -> None:
    assert scratch.recsys("greet", "--name", "Ada") == "hello Ada\n"
    assert "Greet someone." in scratch.recsys("--help")


def test_its_loss_trains_and_its_metric_judges(scratch: Scratch, run: str) -> None:
    manifest = scratch.manifest(run)
    versions = manifest["versions"]
    assert isinstance(versions, dict)
    assert versions["losses squared_hinge"] == "their-parts 1.2"
    assert versions["metrics first_hit"] == "their-parts 1.2"
    metrics = manifest["metrics"]
    assert isinstance(metrics, dict)
    assert 0 < metrics["first_hit"] <= 1


def test_the_run_is_served_and_listed_without_the_package(scratch: Scratch, run: str) -> None:
    listed = json.loads(scratch.recsys("runs", "--json", installed=False))
    assert run in {each["run"] for each in listed["runs"]}
    user = (scratch.home.parent / "log.csv").read_text().splitlines()[1].split(",")[0]
    assert scratch.recsys("recommend", "--user", user, "--run", run, installed=False)


def test_what_trains_again_needs_the_package(scratch: Scratch, run: str) -> None:
    folder = scratch.home / "runs" / run
    assert "unknown loss 'squared_hinge'" in scratch.refused(
        "train", "--config", str(folder / "config.yaml"), installed=False
    )
    scratch.stopped(run, "stopped-package")
    assert scratch.refused("train", "--resume", "stopped-package", installed=False) == (
        "error: run stopped-package needs losses squared_hinge of their-parts 1.2, which is missing; "
        "install it, or give the file with --plugins\n"
    )
    scratch.recsys("train", "--resume", "stopped-package", "--track", "none")


def test_an_own_file_trains_is_recorded_and_must_stay_as_it_was(scratch: Scratch) -> None:
    file = scratch.home.parent / "my_parts.py"
    file.write_text(plugin_files.LOSS.replace("SquaredHinge", "MyHinge"))
    given = ("--plugins", "my_parts.py")
    run = json.loads(scratch.recsys("train", "--loss", "my_hinge", *given, *SMALL))["run"]
    recorded = scratch.manifest(run)["versions"]
    assert isinstance(recorded, dict)
    assert re.fullmatch(r"my_parts.py \(sha256 [0-9a-f]{64}\)", recorded["losses my_hinge"])
    scratch.stopped(run, "stopped-file")
    resume = ("train", "--resume", "stopped-file", "--track", "none")
    assert "needs losses my_hinge of my_parts.py (sha256" in scratch.refused(*resume)
    file.write_text(file.read_text().replace("0.4", "0.3"))
    message = scratch.refused(*resume, *given)
    assert "was started with losses my_hinge of my_parts.py (sha256" in message
    assert "bring back what it was started with, or start a new run" in message
    file.write_text(file.read_text().replace("0.3", "0.4"))
    scratch.recsys(*resume, *given)
