"""One direction of flow: a floor imports only floors above it; families of parts do not know each other."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import recsys

PACKAGE = Path(recsys.__file__).parent
FLOORS = ["ground", "data", "learning", "models", "retrieval", "evaluation", "tracking", "pipeline", "cli"]
FAMILIES = ["distances", "losses", "miners", "samplers", "towers"]  # item towers gather rows as towers do
TOP = {"recsys", "recsys.api"}  # the Python interface stands on everything
MODULES = sorted(PACKAGE.rglob("*.py"))
PICKLERS = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
EXECUTING = {"eval", "exec", "compile", "torch.load", "yaml.unsafe_load", "yaml.full_load"}
LOADERS = {"yaml.Loader", "yaml.UnsafeLoader", "yaml.FullLoader", "yaml.CLoader"}


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


def executes(code: str) -> Iterator[str]:
    """What in a module may execute what it loads: unpickling in any guise, eval and exec."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            origin = f"{node.module}." if isinstance(node, ast.ImportFrom) else ""
            found = [origin + alias.name for alias in node.names]
            yield from (each for each in found if each.split(".")[0] in PICKLERS or each == "torch.load")
        elif isinstance(node, ast.Call):
            call = ast.unparse(node.func)
            pickled = call.endswith(".read_pickle") or any(
                each.arg == "allow_pickle" for each in node.keywords
            )
            given = {ast.unparse(each) for each in (*node.args, *(each.value for each in node.keywords))}
            if call in EXECUTING or pickled or given & LOADERS:
                yield call


def graph() -> dict[str, set[str]]:
    """Module -> the modules of this package that it imports, anywhere in its source."""
    known = {name(path) for path in MODULES}
    found = {}
    for path in MODULES:
        named = {each if each in known else each.rpartition(".")[0] for each in imports(path)}
        found[name(path)] = (named & known) - {name(path)}
    return found


def folder(module: str) -> str:
    """The folder of a module; those beside ``recsys/__init__.py`` are rooms of their own."""
    return (
        module
        if module.count(".") < 2 or (PACKAGE.parent / module.replace(".", "/")).is_dir()
        else module.rpartition(".")[0]
    )


def circles(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Sets of nodes that all reach each other."""
    reach = {node: set(beside) for node, beside in graph.items()}
    for middle in graph:
        for node in graph:
            if middle in reach[node]:
                reach[node] |= reach[middle]
    found = [{other for other in graph if other in reach[node] and node in reach[other]} for node in graph]
    return [each for n, each in enumerate(found) if each and each not in found[:n]]


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


def test_only_the_tracker_and_its_model_import_mlflow() -> None:
    importers = {
        name(path) for path in MODULES if any(each.split(".")[0] == "mlflow" for each in imports(path))
    }
    assert importers <= {f"recsys.tracking.{each}" for each in ("mlflow_tracker", "bundle", "pyfunc")}


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_nothing_executes_what_it_loads(path: Path) -> None:
    assert not list(executes(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "import joblib",
        "from dill import load as read",
        "import cloudpickle as other",
        "import torch\ntorch.load(file)",
        "from torch import load",
        "import numpy as np\nnp.load(file, allow_pickle=True)",
        "pandas.read_pickle(file)",
        "eval(text)",
        "exec(text)",
        "import yaml\nyaml.load(text, Loader=yaml.Loader)",
        "yaml.unsafe_load(text)",
    ],
)
def test_what_would_execute_is_seen(code: str) -> None:
    assert list(executes(code))


@pytest.mark.parametrize(
    "code",
    ["import numpy as np\nnp.load(file)", "ast.literal_eval(text)", "model.eval()", "yaml.safe_load(text)"],
)
def test_what_only_reads_is_allowed(code: str) -> None:
    assert not list(executes(code))


GRAPH = graph()


def test_no_modules_import_each_other() -> None:
    assert not circles(GRAPH)


def test_no_folders_import_each_other() -> None:
    """But for one inside the other: metrics know the ranked lists of the folder that they are in."""
    folders: dict[str, set[str]] = {}
    for module, imported in GRAPH.items():
        beside = folders.setdefault(folder(module), set())
        beside |= {folder(each) for each in imported} - {folder(module)}
    apart = [each for each in circles(folders) if not all(one.startswith(min(each, key=len)) for one in each)]
    assert not apart


def test_circles_are_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [{"a", "b", "c"}]
    assert not circles({"a": {"b", "c"}, "b": {"c"}, "c": set()})


def test_modules_are_short() -> None:
    long = {
        name(path): n for path in MODULES if (n := len(path.read_text(encoding="utf-8").splitlines())) > 400
    }
    assert not long, "one idea a file"
