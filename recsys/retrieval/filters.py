"""Which items a list may hold: ids to exclude, or to keep to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from recsys.errors import InputError
from recsys.ids import find_id, id_text
from recsys.storage.arrays import Codes
from recsys.storage.string_column import TextColumn


@dataclass(frozen=True, slots=True)
class Rules:
    """Item codes (sorted, unique) that may not be listed, and those to keep to; None: no such rule."""

    exclude: Codes | None = None
    only: Codes | None = None


@dataclass(frozen=True, slots=True)
class FoundIds:
    """Ids looked up in a catalogue: the codes (sorted, unique) of the known ones, and the unknown ones."""

    codes: Codes
    unknown: list[str]


@dataclass(frozen=True, slots=True)
class NamedIds:
    """Raw ids for a rule, and what to call them in a message, such as the file that they come from."""

    name: str
    ids: Sequence[object]


def look_up(ids: Iterable[object], catalogue: TextColumn) -> FoundIds:
    """Codes of raw ids; null and empty ones are skipped.

    Example:
        >>> look_up(["b", "x", "a", "b"], TextColumn.of(["a", "b"]))
        FoundIds(codes=array([0, 1], dtype=int32), unknown=['x'])
    """
    texts = dict.fromkeys(text for each in ids if (text := id_text(each)) is not None)
    pairs = [(text, find_id(text, catalogue)) for text in texts]
    codes = sorted({code for _, code in pairs if code is not None})
    return FoundIds(np.array(codes, dtype=np.int32), [text for text, code in pairs if code is None])


def rules_of(
    catalogue: TextColumn, exclude: NamedIds | None, only: NamedIds | None, warn: Callable[[str], None]
) -> Rules:
    """Codes of the items to exclude and to keep to.

    Args:
        catalogue: Item ids of the run.
        exclude: Items to leave out.
        only: Items to keep to.
        warn: Called with how many ids are not in the catalogue.

    Raises:
        InputError: If no id of ``only`` is in the catalogue.
    """
    found = {}
    for rule, given in (("exclude", exclude), ("only", only)):
        if given is None:
            continue
        found[rule] = look_up(given.ids, catalogue)
        unknown = found[rule].unknown
        if unknown:
            total = len(unknown) + len(found[rule].codes)
            warn(
                f"{len(unknown)} of {total} ids in {given.name} are not in the catalogue: "
                f"{', '.join(unknown[:5])}"
            )
    if only is not None and len(found["only"].codes) == 0:
        raise InputError(f"no id in {only.name} is in the catalogue; give item ids as they are in the log")
    return Rules(*(found[rule].codes if rule in found else None for rule in ("exclude", "only")))
