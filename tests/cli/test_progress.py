"""What is shown of long work: a bar on a terminal, a line every few seconds elsewhere."""

import os
import pty
import re
import subprocess
import sys
import time

import pytest

from recsys.cli.progress import Meter, Task, progress
from recsys.cli.reports.train import Watch
from recsys.cli.session import Session
from recsys.storage.home import Home


def test_a_rate_is_that_of_what_was_done_since_it_began() -> None:
    now = time.monotonic()
    resumed = Task("epoch", total=60, done=42, first=40, began=now - 20, latest=now)
    assert resumed.rate == pytest.approx(0.1)
    assert resumed.figures() == "42 of 60, 10.0 s each, 3 min left"
    late = Task("epoch", total=60, done=42, first=40, began=now - 30, latest=now - 10)
    assert late.figures().endswith("3 min left")  # 18 x 10 s, of which 10 have passed
    assert Task("rows", None, 5000, began=now - 10, latest=now).figures() == "5,000, 500/s"


def test_a_line_every_few_seconds_where_no_terminal_is(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("users", 1000, Meter(between_lines=0.1)) as advance:
        for _ in range(5):
            advance(100)
            time.sleep(0.1)
    lines = capsys.readouterr().err.splitlines()
    assert 2 <= len(lines) <= 6
    assert all(re.fullmatch(r"users: \d00 of 1,000, [\d,]+/s, \d s left", line) for line in lines)


def test_a_long_call_that_reports_nothing_is_heard_of(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with Watch(Session(home), Meter(between_lines=0.1)) as watch:
        watch.stage("ranking all items")
        time.sleep(0.35)
    first, *rest = capsys.readouterr().err.splitlines()
    assert first == "ranking all items"
    assert rest
    assert all(re.fullmatch(r"  ranking all items: \d s so far", line) for line in rest)


def test_quiet_work_says_nothing(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    with Watch(Session(home, quiet=True), Meter(between_lines=0.1)) as watch:
        watch.stage("ranking")
        time.sleep(0.3)
    assert capsys.readouterr().err == ""


def test_nothing_is_drawn_once_the_work_is_over() -> None:
    meter = Meter()
    meter.__enter__()
    meter.begin("work")
    meter.__exit__(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not meter._drawing.is_alive()


SCRIPT = """
import time
from pathlib import Path
from recsys.cli.progress import Meter
from recsys.cli.session import Session
from recsys.cli.reports.train import Watch
from recsys.storage.home import Home
with Watch(Session(Home(Path('.'))), Meter(unseen=0.2)) as watch:
    watch.stage('fitting')
    time.sleep(0.6)
    for number in (1, 2, 3):
        time.sleep(0.6)
        watch.epoch('epoch', number, 5, {'loss': 1.0})
print('done')
"""


def on_a_terminal(script: str) -> str:
    """What a process writes to a terminal of 80 columns."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=theirs, stderr=theirs, stdin=theirs, env=environment
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            read = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not read:
            break
        written += read
    os.close(ours)
    assert process.wait(timeout=60) == 0, written
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode())


def test_a_bar_with_rate_and_time_left_on_a_terminal() -> None:
    shown = on_a_terminal(SCRIPT)
    assert re.search(r"━ 0 s so far", shown)  # before the first epoch
    assert re.search(r"epoch [━╺╸]+ 2 of 5, \d\.\d s each, \d s left", shown)
    assert all(f"epoch {number} of 5: loss 1" in shown for number in (1, 2, 3))  # the lines stay
    assert shown.rstrip().endswith("done")
