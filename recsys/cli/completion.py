"""Names of datasets and runs, for the shell to complete (``recsys --install-completion``)."""

from __future__ import annotations

from pathlib import Path

import typer

from recsys.storage.home import Home, Kind


def runs(context: typer.Context, incomplete: str) -> list[str]:
    """Runs of the home that the line names so far, and the two that have no name of their own."""
    return [name for name in ("current", "champion", *_names(context, "run")) if name.startswith(incomplete)]


def datasets(context: typer.Context, incomplete: str) -> list[str]:
    """Datasets of the home that the line names so far."""
    return [name for name in _names(context, "dataset") if name.startswith(incomplete)]


def _names(context: typer.Context, kind: Kind) -> list[str]:
    home = context.params.get("home")
    return (Home(Path(home)) if home else Home.default()).names(kind)
