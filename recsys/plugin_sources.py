"""Where parts come from: the folders of this package, installed packages, and files that the user named.

Nothing is imported to find a part: its source is read. An installed package offers one by an entry point in
the group ``recsys.<family>``, such as ``recsys.losses``::

    [project.entry-points."recsys.losses"]
    my_loss = "my_package.losses:MyLoss"

A class in a file that the user named says its family itself, ``family: ClassVar[str] = "losses"``; its name
is that of the class, ``MyLoss`` being ``my_loss``.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from recsys.errors import InputError, RecsysError

PACKAGE: Final = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class PartSource:
    """The source of one part.

    Args:
        path: The file.
        class_name: The class in it.
        module: What to import; of a file of the user's, the name that it is loaded under.
        given_by: What offers it: empty for this package, ``name version`` of an installed one, the name of a
            file with the start of its sha256.
    """

    path: Path
    class_name: str
    module: str
    given_by: str = ""

    @property
    def node(self) -> ast.ClassDef:
        """The class, read.

        Raises:
            RecsysError: If the file has no such class.
        """
        for each in _read(self.path).body:
            if isinstance(each, ast.ClassDef) and each.name == self.class_name:
                return each
        raise RecsysError(f"{self.given_by}: {self.path} has no class {self.class_name}")

    def load(self) -> Any:
        """Import the class; this runs its module.

        Raises:
            RecsysError: If a foreign module cannot be imported.
        """
        try:
            if self.module in _files:
                return getattr(_loaded(self.module, self.path), self.class_name)
            return getattr(importlib.import_module(self.module), self.class_name)
        except Exception as error:
            if not self.given_by:
                raise
            raise RecsysError(f"{self.given_by}: {self.module} cannot be imported: {error}") from error


# Parts in files that the user named, by the name that each file is loaded under. Named once, at the start of
# a process; the one piece of global state here, as a part is found by its name from anywhere.
_files: dict[str, Path] = {}


def use(path: Path) -> list[str]:
    """Offer the parts in a Python file of the user's, from now on, in this process.

    Returns:
        What was found, as ``losses my_loss``.

    Raises:
        InputError: If there is no such file, it is not Python, or holds no part.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}; --plugins takes a Python file with parts")
    try:
        found = list(_parts_of_file(path))
    except SyntaxError as error:
        raise InputError(f"{path}, line {error.lineno}: {error.msg}") from None
    if not found:
        raise InputError(
            f'{path} holds no part: a class that says its family, as family: ClassVar[str] = "losses"'
        )
    _files[_module(path)] = path
    listed.cache_clear()
    return [f"{family} {name}" for family, name, _ in found]


@contextmanager
def using(paths: Sequence[Path]) -> Iterator[None]:
    """Offer the parts in some files while a command runs; see ``use``."""
    before = dict(_files)
    try:
        for path in paths:
            use(path)
        yield
    finally:
        _files.clear()
        _files.update(before)
        listed.cache_clear()


@cache
def own(family: str, folder: str, name: str) -> PartSource | None:
    """A part of this package: the class that ``recsys/<folder>/<name>.py`` is named for."""
    path = PACKAGE / folder / f"{name}.py"
    found = named_for(path) if path.is_file() else None
    return None if found is None else PartSource(path, found, f"recsys.{folder.replace('/', '.')}.{name}")


@cache
def listed(family: str) -> tuple[tuple[str, PartSource], ...]:
    """Names and sources of what others than this package offer for a family; files come first."""
    files = [
        (name, source)
        for path in _files.values()
        for each, name, source in _parts_of_file(path)
        if each == family
    ]
    return (*files, *(found for found in _installed(family)))


@cache
def broken(family: str) -> tuple[str, ...]:
    """What installed packages offer for a family and cannot be found, one line each."""
    return tuple(_faults(family))


def named_for(path: Path) -> str | None:
    """Name of the class that a module is named for: ``in_batch.py`` holds ``InBatch``."""
    if path.stem.startswith("_"):
        return None
    wanted = path.stem.replace("_", "").lower()
    for node in _read(path).body:
        if isinstance(node, ast.ClassDef) and node.name.lower() == wanted and not _is_protocol(node):
            return node.name
    return None


def constants(node: ast.ClassDef) -> Mapping[str, Any]:
    """Class variables of a class whose values are literals."""
    return {
        ast.unparse(line.target): ast.literal_eval(line.value)
        for line in node.body
        if isinstance(line, ast.AnnAssign)
        and line.value
        and ast.unparse(line.annotation).startswith("ClassVar")
    }


def _installed(family: str) -> Iterator[tuple[str, PartSource]]:
    for name, found in _entry_points(family):
        if isinstance(found, PartSource):
            yield name, found


def _faults(family: str) -> Iterator[str]:
    for _, found in _entry_points(family):
        if isinstance(found, str):
            yield found


def _entry_points(family: str) -> Iterator[tuple[str, PartSource | str]]:
    """What packages offer: a source, or why there is none."""
    from importlib.metadata import entry_points

    for each in entry_points(group=f"recsys.{family}"):
        offered = f"{each.dist.name} {each.dist.version}" if each.dist else "a package"
        try:
            found = importlib.util.find_spec(each.module)
        except Exception as error:  # its parent package is imported, and may raise anything
            yield each.name, f"{offered} offers {each.name}, but {each.module} cannot be found: {error}"
            continue
        if found is None or not found.origin or not found.origin.endswith(".py"):
            yield each.name, f"{offered} offers {each.name}, but {each.module} has no Python source"
        else:
            yield each.name, PartSource(Path(found.origin), each.attr, each.module, offered)


def _parts_of_file(path: Path) -> Iterator[tuple[str, str, PartSource]]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for node in _read(path).body:
        family = constants(node).get("family") if isinstance(node, ast.ClassDef) else None
        if isinstance(node, ast.ClassDef) and isinstance(family, str):
            name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", node.name).lower()
            yield (
                family,
                name,
                PartSource(path, node.name, _module(path), f"{path.name} (sha256 {digest[:12]})"),
            )


def _module(path: Path) -> str:
    return f"recsys_plugins_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"


def _loaded(name: str, path: Path) -> Any:
    """The module of a user's file, run once."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None, "a .py file has a loader"
        assert spec.loader is not None, "a .py file has a loader"
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


@cache
def _parsed(path: Path, changed: int) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _read(path: Path) -> ast.Module:
    return _parsed(path, path.stat().st_mtime_ns)


def _is_protocol(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).startswith("Protocol") for base in node.bases)
