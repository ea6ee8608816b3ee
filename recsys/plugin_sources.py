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
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.machinery import PathFinder
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
            file of the user's with the start of its sha256.
        sha256: Of a file of the user's, else empty.
    """

    path: Path
    class_name: str
    module: str
    given_by: str = ""
    sha256: str = ""

    @property
    def record(self) -> str:
        """What offers it, as a run records it."""
        return f"{self.path.name} (sha256 {self.sha256})" if self.sha256 else self.given_by

    @property
    def node(self) -> ast.ClassDef:
        """The class, read.

        Raises:
            RecsysError: If the file has no such class, or is not Python.
        """
        try:
            body = _read(self.path).body
        except (SyntaxError, ValueError) as error:
            raise RecsysError(f"{self.path} is not Python: {error}") from None
        for each in body:
            if isinstance(each, ast.ClassDef) and each.name == self.class_name:
                return each
        raise RecsysError(f"{self.path} has no class {self.class_name}")

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


def use(path: Path) -> None:
    """Offer the parts in a Python file of the user's, from now on, in this process."""
    _files[_module(path)] = path
    listed.cache_clear()


@contextmanager
def restored() -> Iterator[None]:
    """What files offer is afterwards as it was before."""
    before = dict(_files)
    try:
        yield
    finally:
        _files.clear()
        _files.update(before)
        listed.cache_clear()


def in_file(path: Path) -> list[tuple[str, str, PartSource]]:
    """Family, name and source of each part in a file.

    Raises:
        InputError: If there is no such file, it is not Python, or holds no part.
    """
    if not path.is_file():
        raise InputError(f"there is no file {path}; --plugins takes a Python file with parts")
    try:
        found = list(_parts_of_file(path))
    except SyntaxError as error:
        raise InputError(f"{path}, line {error.lineno}: {error.msg}") from None
    except ValueError as error:
        raise InputError(f"{path} is not Python: {error}") from None
    if not found:
        raise InputError(
            f'{path} holds no part: a class that says its family, as family: ClassVar[str] = "losses"'
        )
    return found


@cache
def own(family: str, folder: str, name: str) -> PartSource | None:
    """A part of this package: the class that ``recsys/<folder>/<name>.py`` is named for."""
    path = PACKAGE / folder / f"{name}.py"
    found = named_for(path) if name.isidentifier() and path.is_file() else None
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
    return (*files, *((name, found) for name, found in _installed(family) if isinstance(found, PartSource)))


def members(folder: str, protocol: str) -> tuple[str, ...]:
    """What the Protocol of a family asks of its parts: names of attributes and methods."""
    for path in sorted((PACKAGE / folder).glob("*.py")):
        for node in _read(path).body:
            if isinstance(node, ast.ClassDef) and node.name == protocol and _is_protocol(node):
                methods = [each.name for each in node.body if isinstance(each, ast.FunctionDef)]
                fields = [ast.unparse(each.target) for each in node.body if isinstance(each, ast.AnnAssign)]
                return (*fields, *methods)
    raise LookupError(f"no Protocol {protocol} in {folder}")


def broken(family: str) -> tuple[str, ...]:
    """What installed packages offer for a family and cannot be found, one line each."""
    return tuple(found for _, found in _installed(family) if isinstance(found, str))


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
    found: dict[str, Any] = {}
    for line in node.body:
        if (
            isinstance(line, ast.AnnAssign)
            and line.value
            and ast.unparse(line.annotation).startswith("ClassVar")
        ):
            with suppress(ValueError):  # computed by code, which is not run here
                found[ast.unparse(line.target)] = ast.literal_eval(line.value)
    return found


@cache
def _installed(family: str) -> tuple[tuple[str, PartSource | str], ...]:
    """What packages offer, by name: a source, or why there is none."""
    return tuple(_offered(family))


def _offered(family: str) -> Iterator[tuple[str, PartSource | str]]:
    from importlib.metadata import entry_points

    for each in entry_points(group=f"recsys.{family}"):
        offered = f"{each.dist.name} {each.dist.version}" if each.dist else "a package"
        try:
            source = PartSource(_located(each.module), each.attr, each.module, offered)
            source.node  # noqa: B018  # read, so that what is listed is there
        except (RecsysError, OSError) as error:
            yield each.name, f"{offered} offers {each.name}, but {error}"
        else:
            yield each.name, source


def _located(module: str) -> Path:
    """The source of a module; neither it nor the packages that it is in are imported.

    Raises:
        RecsysError: If there is none.
    """
    first, *inner = module.split(".")
    found = importlib.util.find_spec(first)
    for name in inner:
        folders = found.submodule_search_locations if found else None
        found = PathFinder.find_spec(f"{found.name}.{name}", folders) if found and folders else None
    if found is None:
        raise RecsysError(f"there is no module {module}")
    if not found.origin or not found.origin.endswith(".py"):
        raise RecsysError(f"{module} has no Python source, from which a part's options are read")
    return Path(found.origin)


def _parts_of_file(path: Path) -> Iterator[tuple[str, str, PartSource]]:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for node in _read(path).body:
        family = constants(node).get("family") if isinstance(node, ast.ClassDef) else None
        if isinstance(node, ast.ClassDef) and isinstance(family, str):
            name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", node.name).lower()
            given_by = f"{path.name} (sha256 {digest[:12]})"
            yield family, name, PartSource(path, node.name, _module(path), given_by, digest)


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
