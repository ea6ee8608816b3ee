"""Keeping freed memory changes no number, and says whether it could."""

from __future__ import annotations

import platform

from recsys.learning.training.memory import keep_freed


def test_glibc_keeps_freed_memory() -> None:
    assert keep_freed() == (platform.libc_ver()[0] == "glibc")
