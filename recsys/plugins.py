"""A part is one file: ``loss: triplet`` is the one public class of ``recsys/learning/losses/triplet.py``.

Installed packages and files of the user's offer more, see ``plugin_sources``; a name of ours stays ours.

Names, options and documentation are read from the source, so that listing and checking parts imports
neither the part nor torch; only ``make`` imports it.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from recsys import plugin_sources as sources
from recsys.errors import InputError

FAMILIES: Final[Mapping[str, str]] = {
    "models": "models",
    "losses": "learning/losses",
    "distances": "learning/distances",
    "miners": "learning/miners",
    "samplers": "learning/samplers",
    "towers": "learning/towers",
    "item_towers": "learning/item_towers",
    "splits": "data/splits",
    "public_logs": "data/public_logs",
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
    "item_tower": "item_towers",
    "of": "models",
    "anchor": "models",
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
    source: sources.PartSource
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


def names(family: str) -> tuple[str, ...]:
    """Names of all parts of a family, sorted: ours, those of installed packages and of the user's files.

    One that several others offer is none of them, see ``faults``.

    Raises:
        InputError: If there is no such family.
    """
    own, offered = _own_names(family), [name for name, _ in sources.listed(family)]
    return tuple(sorted({*own, *(name for name in offered if offered.count(name) == 1)}))


@cache
def _own_names(family: str) -> tuple[str, ...]:
    if family not in FAMILIES:
        raise InputError(f"unknown family of parts {family!r}; there are: {', '.join(FAMILIES)}")
    folder = sources.PACKAGE / FAMILIES[family]
    return tuple(path.stem for path in folder.glob("*.py") if sources.named_for(path) is not None)


def foreign(family: str) -> dict[str, str]:
    """Names of the parts that others than this package offer for a family, and who does."""
    own = _own_names(family)
    return {name: source.given_by for name, source in sources.listed(family) if name not in own}


@contextmanager
def using(paths: Sequence[Path]) -> Iterator[None]:
    """Offer the parts in some files while a command runs; see ``use``."""
    with sources.restored():
        for path in paths:
            use(path)
        yield


def use(path: Path) -> list[str]:
    """Offer the parts in a Python file of the user's, from now on, in this process.

    Returns:
        What was found, as ``losses my_loss``.

    Raises:
        InputError: If there is no such file, it is not Python, holds no part, or a part of it has no known
            family or a name that is taken.
    """
    found = sources.in_file(path)
    for family, name, offered in found:
        if family not in FAMILIES:
            raise InputError(
                f"{path}: class {offered.class_name} says family {family!r}; there are: {', '.join(FAMILIES)}"
            )
        taken = ["recsys itself"] if name in _own_names(family) else []
        taken += [
            known.given_by
            for each, known in sources.listed(family)
            if each == name and known.path.resolve() != path.resolve()
        ]
        if taken:
            raise InputError(
                f"{path}: {_singular(family)} {name} is offered by {' and by '.join(taken)} too; "
                f"give class {offered.class_name} another name"
            )
    sources.use(path)
    return [f"{family} {name}" for family, name, _ in found]


def faults(family: str) -> list[str]:
    """What others offer for a family and cannot be used: broken, or with a name that is taken."""
    own, lines = _own_names(family), list(sources.broken(family))
    offered = sources.listed(family)
    for name in dict.fromkeys(name for name, _ in offered):
        by = [source.given_by for each, source in offered if each == name]
        by += ["recsys itself"] if name in own else []
        if len(by) > 1:
            lines.append(f"{_singular(family)} {name} is offered by {' and by '.join(by)}")
    return lines


def part(family: str, name: str) -> Part:
    """Read what the source of one part says.

    Raises:
        InputError: If the family has no part of that name.
    """
    wanted = name.replace("-", "_")
    source = sources.own(family, FAMILIES[family], wanted) if family in FAMILIES else None
    if source is None:
        offered = [each for known, each in sources.listed(family) if known == wanted]
        if len(offered) > 1:
            by = " and by ".join(each.given_by for each in offered)
            raise InputError(f"{_singular(family)} {wanted} is offered by {by}; uninstall or leave out one")
        source = next(iter(offered), None)
    if source is None:
        known = names(family)
        missing = [line for line in sources.broken(family) if f" offers {wanted}, but " in line]
        if missing:
            raise InputError(missing[0])
        close = difflib.get_close_matches(wanted, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise InputError(f"unknown {_singular(family)} {name!r}; there are: {', '.join(known)}{hint}")
    return _described(family, wanted, source)


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
    try:
        made = described.source.load()(**options)
    except (ValueError, TypeError) as error:
        raise InputError(f"{_singular(family)} {described.name}: {error}") from error
    if by := described.source.given_by:
        protocol = _protocol(family)
        asked = sources.members(FAMILIES[family], protocol)
        if lacking := [each for each in asked if not hasattr(made, each)]:
            raise InputError(
                f"{_singular(family)} {described.name} of {by} lacks {', '.join(lacking)}; "
                f"see the Protocol {protocol} in recsys/{FAMILIES[family]}"
            )
    return made


def given_by_others(model: Mapping[str, Any], metrics: Sequence[str] = ()) -> dict[str, str]:
    """Of a run's parts those that others offer: ``{"losses my_loss": "my-package 1.0"}``.

    Args:
        model: Its name and options; parts by their names, or by name and options.
        metrics: Their names, such as ``ndcg@20``.
    """
    found: dict[str, str] = {}
    for family, spec in [*_nested("models", model), *(("metrics", name.split("@")[0]) for name in metrics)]:
        source = part(family, _name(spec)).source
        if source.given_by:
            found[f"{family} {_name(spec)}"] = source.record
    return found


def _nested(family: str, spec: Any) -> Iterator[tuple[str, Any]]:
    """A part and all parts among its options."""
    yield family, spec
    for key, each in spec.items() if isinstance(spec, Mapping) else ():
        if key in NESTED and each is not None:
            for one in each if isinstance(each, Sequence) and not isinstance(each, str) else [each]:
                yield from _nested(NESTED[key], one)


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


def _protocol(family: str) -> str:
    return "Splitter" if family == "splits" else _singular(family).title().replace("_", "")


def _singular(family: str) -> str:
    return {"losses": "loss", "indexes": "index"}.get(family, family.removesuffix("s"))


@cache
def _described(family: str, name: str, source: sources.PartSource) -> Part:
    node = source.node
    fields = [_option(line) for line in node.body if isinstance(line, ast.AnnAssign)]
    options = tuple(option for option in fields if option is not None)
    documentation = ast.get_docstring(node) or node.name
    return Part(family, name, source, documentation, options, sources.constants(node))


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
