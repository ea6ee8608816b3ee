"""A part is one file: ``loss: triplet`` is the one public class of ``recsys/learning/losses/triplet.py``.

Names, options and documentation are read from the source, so that listing and checking parts imports
neither the part nor torch; only ``make`` imports it.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from recsys.errors import InputError

FAMILIES: Final[Mapping[str, str]] = {
    "models": "models",
    "losses": "learning/losses",
    "distances": "learning/distances",
    "miners": "learning/miners",
    "samplers": "learning/samplers",
    "towers": "learning/towers",
    "splits": "data/splits",
    "metrics": "evaluation/metrics",
    "indexes": "retrieval/index",
}
# Options of a model that are parts themselves, and their families.
NESTED: Final[Mapping[str, str]] = {
    "loss": "losses",
    "distance": "distances",
    "miner": "miners",
    "sampler": "samplers",
    "tower": "towers",
    "of": "models",
}
REQUIRED: Final = object()


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a part: a field of its class. ``default`` is ``REQUIRED`` where there is none."""

    name: str
    annotation: str
    default: Any


@dataclass(frozen=True, slots=True)
class Part:
    """What the source of a part says about it.

    ``options`` are the public fields, in order; ``constants`` the class variables.
    """

    family: str
    name: str
    class_name: str
    documentation: str
    options: tuple[Option, ...]
    constants: Mapping[str, Any]

    @property
    def summary(self) -> str:
        """The first line of the documentation."""
        return self.documentation.strip().splitlines()[0]

    @property
    def described_options(self) -> dict[str, str]:
        """What the documentation says about each option, in its order.

        Example:
            >>> part("miners", "relative").described_options
            {'margin': "In units of the distance's score; not negative."}
        """
        _, _, arguments = self.documentation.partition("\nArgs:\n")
        entries = re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", arguments.partition("\n\n")[0], re.MULTILINE)
        return {name: re.sub(r"\s*\n\s*", " ", text) for name, text in entries}


@cache
def names(family: str) -> tuple[str, ...]:
    """Names of all parts of a family, sorted.

    Raises:
        InputError: If there is no such family.
    """
    if family not in FAMILIES:
        raise InputError(f"unknown family of parts {family!r}; there are: {', '.join(FAMILIES)}")
    folder = Path(__file__).parent / FAMILIES[family]
    return tuple(sorted(path.stem for path in folder.glob("*.py") if _part_class(path) is not None))


def part(family: str, name: str) -> Part:
    """Read what the source of one part says.

    Raises:
        InputError: If the family has no part of that name.
    """
    known = names(family)
    module = name.replace("-", "_")
    if module not in known:
        close = difflib.get_close_matches(module, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise InputError(f"unknown {_singular(family)} {name!r}; there are: {', '.join(known)}{hint}")
    return _read(family, module)


def check(family: str, name: str, options: Mapping[str, Any]) -> list[str]:
    """Every fault of a request for a part, as messages; an empty list where it is right.

    Names and types; ranges are checked where the part is made.
    """
    try:
        described = part(family, name)
    except InputError as error:
        return [str(error)]
    known = [option.name for option in described.options]
    takes = f"it takes: {', '.join(known)}" if known else "it takes none"
    faults = [f"{described.name} has no option {key!r}; {takes}" for key in options if key not in known]
    for option in described.options:
        if option.name in options and not _fits(option.annotation, options[option.name]):
            faults.append(
                f"{described.name}.{option.name} takes {option.annotation}, not {options[option.name]!r}"
            )
    missing = [
        option.name
        for option in described.options
        if option.default is REQUIRED and option.name not in options
    ]
    return faults + [f"{described.name} needs the option {key!r}" for key in missing]


def make(family: str, name: str, options: Mapping[str, Any] | None = None) -> Any:
    """Make the part ``name`` of ``family`` with ``options``.

    Raises:
        InputError: If the part or an option is unknown, or a value is refused.
    """
    options = options or {}
    faults = check(family, name, options)
    if faults:
        raise InputError("; ".join(faults))
    described = part(family, name)
    module = "recsys." + FAMILIES[family].replace("/", ".") + "." + described.name
    try:
        return getattr(importlib.import_module(module), described.class_name)(**options)
    except (ValueError, TypeError) as error:
        raise InputError(f"{_singular(family)} {described.name}: {error}") from error


_ASKING: Final[Mapping[str, str]] = {"loss": "needs", "miner": "draws by angles and needs"}


def mismatches(spec: Mapping[str, Any]) -> dict[str, list[str]]:
    """Faults of a model's distance with its loss and with its miner, by which of them it fails."""
    model = part("models", spec.get("name", "two_tower"))
    asked = {option.name: option.default for option in model.options} | dict(spec)
    if not asked.get("distance"):
        return {}
    distance = part("distances", _name(asked["distance"]))
    return {key: _unmet(key, asked[key], distance.name) for key in _ASKING if asked.get(key)}


def _unmet(key: str, spec: Any, distance: str) -> list[str]:
    asking = part(NESTED[key], _name(spec))
    known = {name: part("distances", name).constants for name in names("distances")}
    asks = {
        "a bounded score": (
            asking.constants.get("needs_bounded"),
            [name for name, of in known.items() if of.get("bounded")],
        ),
        "an inner product": (
            "lengths" in asking.constants.get("needs", ()),
            [name for name, of in known.items() if of.get("index_metric") in ("dot", "angular")],
        ),
    }
    return [
        f"{asking.name} {_ASKING[key]} {what}, which {distance} is not; it takes: {', '.join(allowed)}"
        for what, (needed, allowed) in asks.items()
        if needed and distance not in allowed
    ]


def _name(spec: Any) -> str:
    return str(spec if isinstance(spec, str) else spec["name"])


_TYPES: Final[Mapping[str, Callable[[Any], bool]]] = {
    "float": lambda value: isinstance(value, float | int) and not isinstance(value, bool),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "str": lambda value: isinstance(value, str),
    "None": lambda value: value is None,
}


def _fits(annotation: str, value: Any) -> bool:
    """Whether a plain value fits an annotation; one that is not plain fits (its part will judge)."""
    if annotation.startswith("Literal["):
        return value in ast.literal_eval(annotation.removeprefix("Literal")) and not isinstance(value, bool)
    kinds = [kind.strip() for kind in annotation.split("|")]
    return any(_TYPES[kind](value) if kind in _TYPES else True for kind in kinds)


def _singular(family: str) -> str:
    return {"losses": "loss", "indexes": "index"}.get(family, family.removesuffix("s"))


def _part_class(path: Path) -> ast.ClassDef | None:
    """The class a module is named for: ``in_batch.py`` holds ``InBatch``."""
    if path.stem.startswith("_"):
        return None
    wanted = path.stem.replace("_", "").lower()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef) and node.name.lower() == wanted and not _is_protocol(node):
            return node
    return None


def _is_protocol(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).startswith("Protocol") for base in node.bases)


@cache
def _read(family: str, name: str) -> Part:
    path = Path(__file__).parent / FAMILIES[family] / f"{name}.py"
    node = _part_class(path)
    assert node is not None
    fields = [_option(line) for line in node.body if isinstance(line, ast.AnnAssign)]
    options = tuple(option for option in fields if option is not None)
    constants = {
        ast.unparse(line.target): ast.literal_eval(line.value)
        for line in node.body
        if isinstance(line, ast.AnnAssign)
        and line.value
        and ast.unparse(line.annotation).startswith("ClassVar")
    }
    return Part(family, name, node.name, ast.get_docstring(node) or "", options, constants)


def _option(line: ast.AnnAssign) -> Option | None:
    name, annotation = ast.unparse(line.target), ast.unparse(line.annotation)
    if name.startswith("_") or annotation.startswith(("ClassVar", "Final")):
        return None
    if line.value is None:
        return Option(name, annotation, REQUIRED)
    try:
        return Option(name, annotation, ast.literal_eval(line.value))
    except ValueError:
        return Option(name, annotation, ast.unparse(line.value))
