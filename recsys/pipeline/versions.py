"""Versions of the software that made a run."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from recsys.version import __version__

PACKAGES: Final = ("torch", "numpy", "polars", "scipy", "implicit", "annoy", "mlflow")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that results depend on; those not installed are left out."""
    found = {"python": platform.python_version(), "recsys": __version__}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def git_revision(folder: Path) -> str | None:
    """Commit of the checkout that ``folder`` is in, ``-dirty`` where files differ; None outside of one."""
    try:
        revision = _git(folder, "rev-parse", "HEAD")
        return revision + ("-dirty" if _git(folder, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()
