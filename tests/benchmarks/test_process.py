import mmap
import sys
import time

import pytest

from benchmarks.process import cost, resident, watched

MEGABYTES = 80
CODE = f"import time; kept = b'1' * {MEGABYTES * 2**20}; time.sleep(0.2); print('done')"


def test_a_process_is_timed_and_its_memory_seen() -> None:
    small = cost([sys.executable, "-c", "import time; time.sleep(0.2)"])
    large = cost([sys.executable, "-c", CODE])
    assert large.output == "done\n"
    assert large.seconds > 0.2
    assert large.processor > 0
    assert large.private - small.private > 0.8 * MEGABYTES * 2**20
    assert large.peak >= large.private


def test_a_process_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match="no such luck"):
        cost([sys.executable, "-c", "raise SystemExit('no such luck')"])


def test_work_in_this_process_is_watched() -> None:
    before = resident()

    def work() -> None:
        # Fresh pages of the system: the heap may still hold what an earlier test freed.
        with mmap.mmap(-1, MEGABYTES * 2**20) as kept:
            kept.write(bytes(MEGABYTES * 2**20))
            time.sleep(0.2)

    seconds, peak = watched(work)
    assert seconds >= 0.2
    assert peak - before > 0.5 * MEGABYTES * 2**20
