"""One direction of flow: a floor imports only floors above it; families of parts do not know each other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import recsys

PACKAGE = Path(recsys.__file__).parent
FLOORS = ["ground", "data", "learning", "models", "retrieval", "evaluation", "tracking", "pipeline", "cli"]
FAMILIES = ["distances", "losses", "miners", "samplers", "towers"]
TOP = {"recsys", "recsys.api"}  # the Python interface stands on everything
MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path} imports relatively"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def floor(module: str) -> int:
    parts = module.split(".")
    return FLOORS.index(parts[1]) if len(parts) > 1 and parts[1] in FLOORS else 0


def name(path: Path) -> str:
    return ".".join(["recsys", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_floor_imports_only_floors_above(path: Path) -> None:
    if name(path) in TOP:
        return
    below = [each for each in imports(path) if each.startswith("recsys.") and floor(each) > floor(name(path))]
    assert not below, f"{name(path)} imports {below}, which stand on it"


@pytest.mark.parametrize("path", [p for p in MODULES if "learning" in p.parts], ids=name)
def test_families_do_not_know_each_other(path: Path) -> None:
    family = path.parent.name
    if family not in FAMILIES:
        return
    others = [f"recsys.learning.{other}" for other in FAMILIES if other != family]
    crossed = [each for each in imports(path) if any(each.startswith(other + ".") for other in others)]
    assert not crossed, f"{name(path)} imports {crossed}"


def test_only_one_module_imports_mlflow() -> None:
    importers = {
        name(path) for path in MODULES if any(each.split(".")[0] == "mlflow" for each in imports(path))
    }
    assert importers <= {"recsys.tracking.mlflow_tracker", "recsys.tracking.pyfunc"}


def test_nothing_unpickles() -> None:
    importers = {name(path) for path in MODULES if {"pickle", "joblib", "dill"} & set(imports(path))}
    assert not importers


def test_modules_are_short() -> None:
    long = {
        name(path): n for path in MODULES if (n := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long, "one idea a file"
