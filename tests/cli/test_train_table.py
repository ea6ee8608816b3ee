"""The table of a run: no figure and no name is cut, however narrow the terminal is."""

import io

import pytest
from rich.console import Console

from recsys.cli.reports.train import COLUMNS, render
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from tests.tracking.finished import finished


def long_names(home: Home) -> RunFolder:
    """A run whose loss and baseline have long names, with every metric that is shown."""
    run = finished(home, loss="multi_similarity")
    manifest = run.manifest()
    values = {name: 0.1 + place / 1000 for place, name in enumerate(COLUMNS)}
    judged = {"metrics": values, "intervals": {name: [0.05, 0.25] for name in COLUMNS}}
    difference = {name: {"mean": -0.0123, "low": -0.02, "high": 0.01} for name in COLUMNS}
    manifest["baselines"] = {"als": judged | {"tried": [1], "options": {}, "difference": difference}}
    manifest["index"] |= {"target": 0.95}
    manifest["counts"] |= dict.fromkeys(
        ("test_rows", "unknown_rows", "unknown_items", "cold_users", "cold_rows"), 0
    )
    manifest |= judged
    run.write_manifest({key: value for key, value in manifest.items() if key not in {"schema", "run"}})
    return run


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_no_figure_and_no_name_is_cut_whatever_the_width(home: Home, width: int) -> None:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    render(console, long_names(home))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "…" not in shown
    assert all(len(line) <= width for line in shown.splitlines())
    assert all(f"{0.1 + place / 1000:.4f}" in shown for place in range(len(COLUMNS)))
    assert all(column in shown for column in COLUMNS)
    assert "multi_similarity" in shown
    assert shown.count("two_tower,") == (2 if width <= 80 else 1)  # two tables, where one has no room
