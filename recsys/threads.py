"""Number of threads to use, and BLAS limited to one thread where several threads call it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def threads() -> int:
    """``OMP_NUM_THREADS`` if it is set, else the number of cores that this process may use."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return max(1, int(asked)) if asked.isdigit() else cores()


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def wait_briefly() -> None:
    """Let threads of torch that wait for each other spin for microseconds, then sleep, in this process.

    On two cores of which one was busy, the usual long spin made a training step 30 times slower; no spin at
    all costs an idle machine a third of its speed. The OpenMP runtime reads it when torch is imported:
    call it at the start of a program. The command line does, ``import recsys`` does not.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Limit numpy and torch to one thread each, for callers that are threads themselves."""
    from threadpoolctl import threadpool_limits

    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch else 0
    try:
        with threadpool_limits(limits=1, user_api="blas"):
            if torch:
                torch.set_num_threads(1)
            yield
    finally:
        if torch:
            torch.set_num_threads(before)
