"""A process of its own for each thing that is measured: its wall seconds and its memory."""

from __future__ import annotations

import resource
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

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


def cost(command: list[str], folder: Path | None = None) -> Cost:
    """Run a command to its end, and look at its memory a hundred times a second.

    Raises:
        RuntimeError: If it fails; the message ends with what it printed.
    """
    peak = private = 0
    with TemporaryFile() as printed:
        before, started = _processor(), time.perf_counter()
        process = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT, cwd=folder)
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


def _processor() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime
