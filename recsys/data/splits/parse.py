"""``time:0.2`` is a split."""

from __future__ import annotations

from recsys.data.splits.base import Splitter
from recsys.data.splits.by_time import ByTime
from recsys.data.splits.by_user import ByUser
from recsys.data.splits.leave_last import LeaveLast
from recsys.data.splits.random_holdout import RandomHoldout
from recsys.errors import InputError


def parse(text: str) -> Splitter:
    """The split that a text names.

    Raises:
        InputError: If the name is unknown or the number is none.

    Example:
        >>> parse("time:0.2"), parse("last:2")
        (ByTime(share=0.2), LeaveLast(count=2))
    """
    name, _, number = text.partition(":")
    try:
        match name:
            case "time":
                return ByTime(float(number or 0.2))
            case "random":
                return RandomHoldout(float(number or 0.2))
            case "users":
                return ByUser(float(number or 0.1))
            case "last":
                return LeaveLast(int(number or 1))
    except ValueError as error:
        raise InputError(f"split {text!r}: {error}; give for example time:0.2 or last:1") from error
    raise InputError(
        f"unknown split {text!r}; there are: time:0.2, last:1, random:0.2, users:0.1; "
        "for a split that came with the data give --test FILE"
    )
