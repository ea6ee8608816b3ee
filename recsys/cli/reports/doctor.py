"""Checks of the installation: what is missing, and what to do about it; no check fails by an error."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final, Literal

import typer

import recsys
from recsys import plugins
from recsys.cli.main import commands_of_others
from recsys.storage.home import Home
from recsys.threads import cores
from recsys.tracking import store

Status = Literal["ok", "warn", "fail"]
ENOUGH_DISK: Final = 2 << 30
PROBE_SECONDS: Final = 20
INSTALL: Final = "python -m pip install --constraint constraints.txt --editable ."
ANNOY_PROBE: Final = (
    "import annoy; index = annoy.AnnoyIndex(2, 'euclidean'); index.add_item(0, [0.0, 1.0]); index.build(1); "
    "assert index.get_nns_by_item(0, 1) == [0]"
)
TORCH_PROBE: Final = """
import json, torch
cuda = torch.cuda.is_available()
print(json.dumps({
    "version": torch.__version__,
    "built_for": torch.version.cuda or torch.version.hip,
    "threads": torch.get_num_threads(),
    "device": torch.cuda.get_device_name() if cuda else None,
    "memory": torch.cuda.get_device_properties(0).total_memory if cuda else None,
    "cuda_bf16": cuda and torch.cuda.is_bf16_supported(),
    "cpu": torch.backends.cpu.get_cpu_capability(),
    "cpu_bf16": torch.ops.mkldnn._is_mkldnn_bf16_supported(),
}))
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was checked, its status, and what to do about a problem."""

    name: str
    status: Status
    found: str
    todo: str = ""

    def document(self) -> dict[str, str]:
        """As JSON values."""
        return asdict(self)


def checkup(home: Home) -> list[Finding]:
    """Run all checks; the slow probes run at the same time, in separate processes."""
    torch, annoy = _probe(TORCH_PROBE), _probe(ANNOY_PROBE)
    checks: list[tuple[str, Callable[[], list[Finding]]]] = [
        ("python", lambda: [_python()]),
        ("packages", lambda: _packages(_pinned(Path(recsys.__file__).parents[1] / "constraints.txt"))),
        ("plugins", _plugins),
        ("home", lambda: [_home(home)]),
        ("disk", lambda: [_disk(home)]),
        ("mlflow store", lambda: [_mlflow(home)]),
        ("blas", _blas),
        ("annoy", lambda: [_annoy(annoy)]),
        ("torch", lambda: _torch(torch)),
    ]
    return [finding for name, check in checks for finding in _safely(name, check)]


def _safely(name: str, check: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return check()
    except Exception as error:  # reported, whatever it is
        return [Finding(name, "warn", f"could not be checked: {type(error).__name__}: {error}")]


def _python() -> Finding:
    system = f"{platform.system()} {platform.machine()}"
    return Finding("python", "ok", f"{platform.python_version()} on {system}, {cores()} cores")


def _packages(pinned: dict[str, str]) -> list[Finding]:
    """Every package that recsys names, against the versions pinned; none are if there is no such file."""
    needed = [_name(line) for line in metadata.requires("recsys") or [] if "extra ==" not in line]
    missing = [name for name in needed if _version(name) is None]
    if missing:
        return [Finding("packages", "fail", f"missing: {', '.join(missing)}", f"run: {INSTALL}")]
    others = [f"{name} {_version(name)}, tested {pinned[name]}" for name in needed if _differs(name, pinned)]
    if others:
        return [Finding("packages", "warn", "; ".join(others), f"for the versions tested, run: {INSTALL}")]
    return [Finding("packages", "ok", f"{len(needed)} installed" + (", as pinned" if pinned else ""))]


def _plugins() -> list[Finding]:
    """Parts of installed packages; no finding if there are none."""
    offered, faults = [], []
    for family in plugins.FAMILIES:
        offered += [f"{family} {name} ({by})" for name, by in plugins.foreign(family).items()]
        faults += plugins.faults(family)
    faults += commands_of_others(typer.Typer())
    if faults:
        return [Finding("plugins", "warn", "; ".join(faults), "update or uninstall what offers it")]
    return [Finding("plugins", "ok", ", ".join(offered))] if offered else []


def _differs(name: str, pinned: dict[str, str]) -> bool:
    return name in pinned and _version(name) != pinned[name]


def _pinned(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    pairs = (pin.split("==", 1) for line in lines if "==" in (pin := line.partition("#")[0]))
    return {_name(name): version.strip() for name, version in pairs}


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement.strip(), maxsplit=1)[0].lower().replace("_", "-")


def _version(name: str) -> str | None:
    try:
        return metadata.version(name).partition("+")[0]
    except metadata.PackageNotFoundError:
        return None


def _home(home: Home) -> Finding:
    place = _nearest(home)
    shown = f"{home.path}: {len(home.names('dataset'))} datasets, {len(home.names('run'))} runs"
    if not os.access(place, os.W_OK):
        return Finding(
            "home", "fail", f"{place} cannot be written", "choose another with --home or RECSYS_HOME"
        )
    return Finding("home", "ok", shown)


def _nearest(home: Home) -> Path:
    """The home, or the folder in which it would be made."""
    whole = home.path.resolve()
    return next(each for each in (whole, *whole.parents) if each.exists())


def _disk(home: Home) -> Finding:
    place = _nearest(home)
    free = shutil.disk_usage(place).free
    found = f"{free / 1e9:,.1f} GB free at {place}"
    if free < ENOUGH_DISK:
        return Finding("disk", "warn", found, "free some space, or choose another place with --home")
    return Finding("disk", "ok", found)


def _mlflow(home: Home) -> Finding:
    uri = store.tracking_uri(home)
    fault = store.fault(uri)
    if fault:
        todo = (
            "start the server or set MLFLOW_TRACKING_URI; runs are kept, `recsys runs --sync` logs them later"
        )
        return Finding("mlflow store", "warn", f"{uri}: {fault}", todo)
    return Finding("mlflow store", "ok", uri)


def _blas() -> list[Finding]:
    """Which libraries numpy multiplies with; more threads than cores slow everything down."""
    import numpy  # noqa: F401  # loads its BLAS, which is then seen
    from threadpoolctl import threadpool_info

    found = [(pool["internal_api"], int(pool["num_threads"])) for pool in threadpool_info()]
    shown = ", ".join(f"{api} with {threads} threads" for api, threads in found) or "none seen"
    if any(threads > cores() for _, threads in found):
        return [Finding("blas", "warn", shown, f"set OMP_NUM_THREADS={cores()}: there are {cores()} cores")]
    return [Finding("blas", "ok", shown)]


def _annoy(probe: subprocess.Popen[str]) -> Finding:
    """Try annoy: it is compiled for the processor it is installed on, and may not run on another."""
    _, error = _finish(probe)
    if probe.returncode == 0:
        return Finding("annoy", "ok", f"{_version('annoy')}, works")
    compiler = next((name for name in ("c++", "g++", "clang++") if shutil.which(name)), None)
    first = "it has no wheel and is built here; without it the exact index is used"
    build = (
        "python -m pip install --constraint constraints.txt --force-reinstall --no-deps --no-cache-dir annoy"
    )
    if _version("annoy") is not None:
        why = "was built for another processor" if probe.returncode < 0 else _last(error)
        return Finding("annoy", "warn", f"installed but does not work: {why}", f"build it again: {build}")
    if compiler is None:
        needs = "install a C++ compiler (Debian: apt install g++ python3-dev; macOS: xcode-select --install)"
        return Finding(
            "annoy", "warn", "not installed, and there is no C++ compiler", f"{first}; {needs}; {build}"
        )
    return Finding("annoy", "warn", f"not installed ({compiler} is there)", f"{first}; run: {build}")


def _torch(probe: subprocess.Popen[str], seconds: float = PROBE_SECONDS) -> list[Finding]:
    output, error = _finish(probe, seconds)
    if probe.returncode != 0:
        return [Finding("torch", "fail", f"does not work: {_last(error)}", f"install it: {INSTALL}")]
    found: dict[str, Any] = json.loads(output)
    return [_gpu(found), *_precision(found)]


def _gpu(found: dict[str, Any]) -> Finding:
    torch = f"torch {found['version']}"
    if found["device"]:
        return Finding("gpu", "ok", f"{found['device']}, {found['memory'] / 1e9:.0f} GB, {torch}")
    if shutil.which("nvidia-smi") is None:
        return Finding("gpu", "ok", f"none, {torch} works on the CPU with {found['threads']} threads")
    why = "torch was built without CUDA" if found["built_for"] is None else "torch cannot use it"
    return Finding(
        "gpu", "warn", f"there is an NVIDIA driver, but {why}", "see https://pytorch.org/get-started"
    )


def _precision(found: dict[str, Any]) -> Iterator[Finding]:
    fast = "bfloat16 products" if found["cuda_bf16"] or found["cpu_bf16"] else "no bfloat16 products"
    yield Finding("precision", "ok", f"{fast}, CPU {found['cpu']}; --precision auto takes what is fast")


def _probe(code: str) -> subprocess.Popen[str]:
    """Start a separate Python process, so that a library that crashes does not end this one."""
    words = [sys.executable, "-c", code]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd="/")


def _finish(probe: subprocess.Popen[str], seconds: float = PROBE_SECONDS) -> tuple[str, str]:
    try:
        return probe.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        probe.kill()
        output, _ = probe.communicate()
        return output, f"no answer within {seconds:g} s"


def _last(error: str) -> str:
    lines = error.strip().splitlines()
    return lines[-1] if lines else "it ended without a message"
