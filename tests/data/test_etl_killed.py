"""A stop at any moment leaves the earlier dataset whole, and the next call works."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from recsys.data.dataset import Dataset
from recsys.storage.files import TEMPORARY
from recsys.storage.home import Home
from tests.data import etl_logs as logs

PAUSED = """
import sys, time
import recsys.data.etl.run as run
from recsys.cli.main import main
real = run.{step}
def paused(*given, **named):
    print("at work", flush=True)
    time.sleep(60)
    return real(*given, **named)
run.{step} = paused
main()
"""
LIMITED = """
import resource
from recsys.cli.main import main
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
main()
"""


def command(script: str, log: Path, home: Home) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", script, "etl", str(log), "--home", str(home.path), "--json"]
    environment = {**os.environ, "POLARS_MAX_THREADS": "1"}
    return subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    )


@pytest.fixture
def log(home: Home) -> Path:
    logs.dataset(home, logs.text(logs.rows()))
    return home.path.parent / "log.csv"


@pytest.mark.parametrize(
    ("stop", "step"),
    [
        (signal.SIGINT, "write"),
        (signal.SIGKILL, "write"),
        *(
            pytest.param(stop, step, marks=pytest.mark.slow)
            for stop in (signal.SIGINT, signal.SIGKILL)
            for step in ("filtered", "parted")
        ),
    ],
)
def test_a_stopped_etl_leaves_the_earlier_dataset(
    home: Home, log: Path, stop: signal.Signals, step: str
) -> None:
    before = Dataset.open(home)
    log.write_text(logs.text(logs.rows(30)))
    process = command(PAUSED.format(step=step), log, home)
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"
    time.sleep(0.1)
    process.send_signal(stop)
    _, said = process.communicate(timeout=30)
    leftovers = [path.name for path in home.datasets.iterdir() if path.name.startswith(TEMPORARY)]
    if stop == signal.SIGINT:
        assert process.returncode == 130
        assert "stopped: nothing was left half-written" in said
        assert "Traceback" not in said
        assert not leftovers
    else:
        assert process.returncode == -signal.SIGKILL
        assert len(leftovers) == 1
    assert Dataset.open(home).hash == before.hash
    assert Dataset.open(home).split().train.height == before.split().train.height
    after = command("from recsys.cli.main import main; main()", log, home)
    document, said = after.communicate(timeout=60)
    assert after.returncode == 0, said
    assert json.loads(document)["counts"]["read"] == 30
    assert [path.name for path in home.datasets.iterdir()] == ["log"]


def test_a_disk_that_fills_up_is_one_line(home: Home, log: Path) -> None:
    before = Dataset.open(home)
    log.write_text(
        logs.text([(f"user-{place}", f"item-{place % 997}", 1, logs.START + place) for place in range(5000)])
    )
    process = command(LIMITED, log, home)
    document, said = process.communicate(timeout=60)
    assert process.returncode == 1, said
    assert document == ""
    assert said.rstrip().splitlines()[-1].startswith("error: ")
    assert "File too large" in said
    assert "Traceback" not in said
    assert [path.name for path in home.datasets.iterdir()] == ["log"]
    assert Dataset.open(home).hash == before.hash
