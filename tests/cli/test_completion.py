"""The shell completes names of datasets and runs, from the home that the line names."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from recsys.storage.home import Home

SCRIPT = "import sys; sys.argv = ['recsys']; from recsys.cli.main import main; main()"


@pytest.fixture
def filled(home: Home) -> Home:
    for folder, seal in ((home.datasets, "manifest.json"), (home.runs, "files.json")):
        for name in ("one", "two"):
            path = folder / f"{name}-{folder.name}" / seal
            path.parent.mkdir(parents=True)
            path.write_text("{}")
    return home


def completed(line: str, **environment: str) -> set[str]:
    """What bash is offered at the end of a line, by the protocol that its completion script speaks."""
    words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "_RECSYS_COMPLETE": "complete_bash", **words, **environment},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("recsys recommend --run ", {"current", "champion", "one-runs", "two-runs"}),
        ("recsys evaluate tw", {"two-runs"}),
        ("recsys compare one-runs c", {"current", "champion"}),
        ("recsys train --dataset o", {"one-datasets"}),
        ("recsys describe ", {"one-datasets", "two-datasets"}),
        ("recsys desc", {"describe"}),
    ],
)
def test_names_are_offered(filled: Home, line: str, offered: set[str]) -> None:
    assert completed(line, RECSYS_HOME=str(filled.path)) == offered


def test_the_home_of_the_line_counts(filled: Home, tmp_path: Path) -> None:
    line = f"recsys similar --home {filled.path} --run tw"
    assert completed(line, RECSYS_HOME=str(tmp_path / "elsewhere")) == {"two-runs"}
