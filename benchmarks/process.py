"""A process of its own for each thing that is measured: its wall seconds and its memory."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event, Thread

import psutil

EVERY = 0.01  # seconds between two looks


@dataclass(frozen=True)
class Cost:
    """What a process took.

    Args:
        seconds: Wall time.
        processor: Seconds of all cores together, which a busy machine changes less.
        peak: Largest resident memory in bytes; pages of mapped input files count.
        private: Largest resident memory that is not backed by a file: what the system cannot give away.
        output: What it printed.
    """

    seconds: float
    processor: float
    peak: int
    private: int
    output: str


def compiling() -> dict[str, str]:
    """The environment, as a user has it: modules are compiled at their first start, not at every one."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def cost(command: list[str], folder: Path | None = None) -> Cost:
    """Run a command to its end, and look at its memory a hundred times a second.

    Raises:
        RuntimeError: If it fails; the message ends with what it printed.
    """
    peak = private = 0
    with TemporaryFile() as printed:
        before, started = _processor(), time.perf_counter()
        process = subprocess.Popen(
            command, stdout=printed, stderr=subprocess.STDOUT, cwd=folder, env=compiling()
        )
        watched = psutil.Process(process.pid)
        while True:
            try:
                process.wait(EVERY)
                break
            except subprocess.TimeoutExpired:
                memory = watched.memory_info()
                peak = max(peak, memory.rss)
                private = max(private, memory.rss - getattr(memory, "shared", 0))
        seconds = time.perf_counter() - started
        printed.seek(0)
        output = printed.read().decode(errors="replace")
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}:\n{output[-2000:]}")
    return Cost(seconds, _processor() - before, peak, private, output)


def resident() -> int:
    """Resident memory of this process, in bytes."""
    return int(psutil.Process().memory_info().rss)


def watched(work: Callable[[], object]) -> tuple[float, int]:
    """Do work in this process: its wall seconds, and the largest resident memory meanwhile."""
    peak, done = [resident()], Event()

    def look() -> None:
        while not done.wait(EVERY):
            peak[0] = max(peak[0], resident())

    watcher = Thread(target=look, daemon=True)
    watcher.start()
    started = time.perf_counter()
    try:
        work()
    finally:
        done.set()
        watcher.join()
    return time.perf_counter() - started, max(peak[0], resident())


def _processor() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime
