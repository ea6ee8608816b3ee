"""Keep the memory that each step frees and allocates again in the process."""

from __future__ import annotations

import ctypes
from typing import Final

# mallopt(3) of glibc. Blocks up to the largest threshold it takes come from the heap, not from fresh pages
# of the system; and so much free heap is kept rather than given back after each step.
M_TRIM_THRESHOLD: Final = -1
M_MMAP_THRESHOLD: Final = -3
LARGEST: Final = 32 * 2**20
KEPT: Final = 256 * 2**20


def keep_freed() -> bool:
    """Make the C library keep freed memory, if it is glibc.

    Fresh pages are zeroed by the system before a step fills them again: gathers and gradients of some
    megabytes each cost more in page faults than in arithmetic.

    Returns:
        Whether it does: false if the C library is not glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, LARGEST) and mallopt(M_TRIM_THRESHOLD, KEPT))
