"""Splits as text: ``time:0.2``."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from recsys import plugins
from recsys.data.splits.base import Splitter
from recsys.errors import InputError


def parse(text: str) -> Splitter:
    """The split that a text names: what its class says as ``spelled``, and the number that is its option.

    Raises:
        InputError: If the name is unknown, or the number is missing, refused or not a number.

    Example:
        >>> parse("time:0.2"), parse("last:2")
        (ByTime(share=0.2), LeaveLast(count=2))
    """
    name, _, number = text.partition(":")
    part = _part(text)
    if number and not part.options:
        raise InputError(f"split {text!r}: {name} takes no number; give {name}")
    try:
        options = {
            each.name: (int if each.annotation == "int" else float)(number)
            for each in part.options[:1]
            if number
        }
        split: Splitter = plugins.make("splits", part.name, options)
    except (ValueError, InputError) as error:
        fault = str(error).removeprefix(f"split {part.name}: ")
        raise InputError(f"split {text!r}: {fault}; give for example time:0.2 or last:1") from error
    return split


def written(splitter: Splitter) -> str:
    """The text that ``parse`` reads as this split; ``given`` for that of a test file.

    Example:
        >>> written(parse("time")), written(parse("last:2"))
        ('time:0.2', 'last:2')
    """
    spelled = getattr(splitter, "spelled", None)
    if spelled is None:
        return "given"
    options: tuple[Any, ...] = fields(splitter) if is_dataclass(splitter) else ()
    return ":".join([spelled, *(f"{getattr(splitter, each.name):g}" for each in options[:1])])


def given_by(text: str) -> str:
    """The package or file that offers the split that a text names; empty for this package.

    Raises:
        InputError: If the name is unknown.
    """
    return _part(text).source.record


def _part(text: str) -> plugins.Part:
    parts = [plugins.part("splits", each) for each in plugins.names("splits")]
    parts.sort(key=lambda part: not part.source.given_by)  # a word of ours stays ours
    known = {str(part.constants["spelled"]): part for part in parts if "spelled" in part.constants}
    name = text.partition(":")[0]
    if name not in known:
        shown = [
            ":".join([each, *(f"{one.default}" for one in of.options[:1])]) for each, of in known.items()
        ]
        raise InputError(
            f"unknown split {text!r}; there are: {', '.join(shown)}; "
            "for a split that came with the data give --test FILE"
        )
    return known[name]
