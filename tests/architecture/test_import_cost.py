"""What a command imports is what a user waits for."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from recsys.storage.home import Home
from tests.factories import embeddings, run_folder, seen_rows
from tests.tracking.finished import finished

HEAVY = {"torch", "mlflow", "pandas", "implicit", "scipy", "polars", "pydantic"}


def loaded(code: str) -> set[str]:
    script = f"{code}\nimport sys, json\nprint(json.dumps([m for m in sys.modules if '.' not in m]))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "module", ["recsys", "recsys.cli.main", "recsys.plugins", "recsys.storage.run_folder"]
)
def test_imports_nothing_heavy(module: str) -> None:
    assert not loaded(f"import {module}") & HEAVY


def test_the_path_of_recommend_is_light() -> None:
    assert not loaded("import recsys.retrieval.recommender") & HEAVY


def test_reading_a_command_line_is_light(tmp_path: Path) -> None:
    """Typer from 0.29 on reads it with pydantic, which costs as long as all the rest: see constraints.txt."""
    words = ["recsys", "recommend", "--user", "1", "--home", str(tmp_path)]
    code = f"import sys\nsys.argv = {words}\nfrom recsys.cli.main import main\n"
    code += "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 2, end.code"
    assert not loaded(code) & HEAVY


def command(home: Home, *words: str) -> set[str]:
    """What is loaded by a command that ends well."""
    line = ["recsys", *words, "--home", str(home.path), "--json"]
    code = f"""
import contextlib, io, sys
sys.argv = {line}
from recsys.cli.main import main
with contextlib.redirect_stdout(io.StringIO()):
    try:
        main()
    except SystemExit as end:
        assert not end.code, end.code
"""
    return loaded(code)


def test_runs_are_listed_and_compared_without_mlflow(home: Home) -> None:
    finished(home, "one", quality=0.3)
    finished(home, "two", quality=0.5)
    assert not command(home, "runs") & HEAVY
    assert not command(home, "compare", "one", "current") & (HEAVY - {"polars"})


def test_a_configuration_is_checked_without_torch() -> None:
    code = "from recsys.pipeline.config import TrainConfig, parse\nparse(TrainConfig, {'model': 'two_tower'})"
    assert not loaded(code) & {"torch", "mlflow", "pandas", "implicit", "scipy"}


def test_lists_of_many_users_are_written_without_torch_and_pandas(home: Home, tmp_path: Path) -> None:
    model = embeddings(users=1100, items=4000)
    run = run_folder(home, model, seen_rows(users=1100, items=4000))
    code = f"""
from pathlib import Path
from recsys.retrieval.export import export
from recsys.retrieval.index import mixed_precision
called = []
mixed_precision.nominate, given = lambda *words: called.append(1) or given(*words), mixed_precision.nominate
assert export(Path({str(run.path)!r}), Path({str(tmp_path / "lists.parquet")!r}), k=5)["rows"] == 5500
assert called
"""
    assert not loaded(code) & HEAVY


@pytest.mark.slow
def test_the_host_process_stays_as_it_was(tmp_path: Path) -> None:
    """Neither importing nor using recsys changes the environment or the threads of a Python process."""
    code = """
import os, sys, signal
import polars as pl  # sets a variable of its own
import torch
from threadpoolctl import threadpool_info

def state():
    found = threadpool_info()
    pools = sorted((each["filepath"], each["num_threads"]) for each in found if "torch" in each["filepath"])
    return [dict(os.environ), torch.get_num_threads(), pools, signal.getsignal(signal.SIGINT)]

torch.set_num_threads(2)
before = state()
import recsys
recsys.read
assert state() == before, "import recsys"
users, items = [f"u{n % 30}" for n in range(600)], [f"i{n * 7 % 40}" for n in range(600)]
log = pl.DataFrame({"user": users, "item": items, "time": [10**9 + n for n in range(600)]})
data = recsys.read(log, home=sys.argv[1]).split("time:0.2")
options = {"model.epochs": 1, "model.dim": 4, "baselines": []}
run = recsys.train(data, options=options)
run.recommend("u1", k=3)
after = state()
assert after[0] == before[0], "environment"
assert after[1:] == before[1:], (before[1:], after[1:])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
