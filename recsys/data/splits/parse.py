"""``time:0.2`` is a split."""

from __future__ import annotations

from recsys import plugins
from recsys.data.splits.base import Splitter
from recsys.errors import InputError


def parse(text: str) -> Splitter:
    """The split that a text names: what its class says as ``spelled``, and the number that is its option.

    Raises:
        InputError: If the name is unknown or the number is none.

    Example:
        >>> parse("time:0.2"), parse("last:2")
        (ByTime(share=0.2), LeaveLast(count=2))
    """
    name, _, number = text.partition(":")
    known = {
        str(part.constants["spelled"]): part
        for part in (plugins.part("splits", each) for each in plugins.names("splits"))
        if "spelled" in part.constants
    }
    if name not in known:
        examples = [f"{each}:{part.options[0].default}" for each, part in known.items()]
        raise InputError(
            f"unknown split {text!r}; there are: {', '.join(examples)}; "
            "for a split that came with the data give --test FILE"
        )
    option = known[name].options[0]
    try:
        value = (int if option.annotation == "int" else float)(number or option.default)
        split: Splitter = known[name].source.load()(value)
    except ValueError as error:
        raise InputError(f"split {text!r}: {error}; give for example time:0.2 or last:1") from error
    return split
