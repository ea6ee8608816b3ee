"""How many rows a share of a log is."""

from __future__ import annotations

from recsys.columns import TIME
from recsys.data.coded_log import Log


def checked_share(share: float) -> None:
    """Refuse what is no share.

    Raises:
        ValueError: If it is not from 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share is {share:g}; give one from 0 to 1, as 0.2")


def count_of(log: Log, share: float) -> tuple[int, int]:
    """Number of rows, and of those that a share is."""
    rows = sum(len(times) for times in log.column(TIME))
    return rows, round(share * rows)
