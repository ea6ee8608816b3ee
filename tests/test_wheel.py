"""A wheel built from the tree and installed alone is whole: it takes nothing from the checkout."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


class Installed:
    """The wheel in a folder of its own: the dependencies are those of this environment, less the checkout."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.site = folder / "site"
        (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
        pip = [
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-index",
            "--target",
            str(self.site),
            wheel,
        ]
        subprocess.run([sys.executable, *pip], check=True)
        packages = [path for path in sys.path if Path(path).name in {"site-packages", "dist-packages"}]
        self.path = os.pathsep.join([str(self.site), *packages])

    def call(self, *words: str) -> str:
        # -S: a .pth file, as an editable installation leaves one, would bring the checkout back.
        done = subprocess.run(
            [sys.executable, "-S", *words],
            cwd=self.home.parent,
            env={**os.environ, "PYTHONPATH": self.path, "RECSYS_HOME": str(self.home)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def recsys(self, *words: str) -> str:
        return self.call(str(self.site / "bin" / "recsys"), *words)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return Installed(tmp_path_factory.mktemp("wheel"))


def test_it_is_the_wheel_that_is_asked(installed: Installed) -> None:
    printed = installed.call("-c", "import recsys; print(recsys.__file__)").strip()
    assert Path(printed) == installed.site / "recsys" / "__init__.py"


def test_every_pipeline_is_in_it_and_right(installed: Installed) -> None:
    ours, theirs = ROOT / "pipelines", installed.site / "recsys" / "pipelines"
    names = sorted(path.relative_to(ours) for path in ours.rglob("*.yaml"))
    assert names
    assert sorted(path.relative_to(theirs) for path in theirs.rglob("*.yaml")) == names
    installed.recsys("check", str(theirs / "smoke.yaml"))


def test_the_demo_runs(installed: Installed) -> None:
    document = json.loads(installed.recsys("demo", "--json", "--quiet"))
    assert [run["model"]["options"]["loss"]["name"] for run in document["runs"]] == ["bsl", "bpr", "triplet"]
    listed = json.loads(installed.recsys("runs", "--json"))
    assert {run["run"] for run in listed["runs"]} == {run["run"] for run in document["runs"]}
