"""``recsys datasets``: list the datasets."""

from __future__ import annotations

from typing import Any

import typer
from rich.console import Console
from rich.table import Table

from recsys.cli.session import Session, command
from recsys.data.dataset import Dataset
from recsys.errors import RecsysError


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(datasets)


def datasets(session: Session) -> None:
    """List the datasets of this home."""
    found = []
    for name in session.home.names("dataset"):
        try:
            found.append(_row(Dataset.open(session.home, name), session.home.current("dataset")))
        except (RecsysError, KeyError) as error:
            session.warn(f"dataset {name} is left out: {error}")
    session.show({"datasets": found}, lambda console: _render(console, found))


def _row(dataset: Dataset, current: str | None) -> dict[str, Any]:
    manifest = dataset.manifest
    whole = manifest["sizes"]["all"]
    return {
        "name": dataset.name,
        "current": dataset.name == current,
        "rows": whole["rows"],
        "users": whole["users"],
        "items": whole["items"],
        "parts": {part: manifest["sizes"][part]["rows"] for part in ("train", "valid", "test")},
        "split": manifest["split"]["name"],
        "created": manifest["created"],
        "hash": dataset.hash,
        "split_hash": dataset.split_hash,
    }


def _render(console: Console, found: list[dict[str, Any]]) -> None:
    if not found:
        console.print("There is no dataset yet; make one with `recsys etl LOG`, or see `recsys download`.")
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("dataset", overflow="fold")
    for name in ("rows", "users", "items", "train", "valid", "test"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("split", "created"):
        table.add_column(name, no_wrap=True)
    for each in found:
        numbers = [each[name] for name in ("rows", "users", "items")] + list(each["parts"].values())
        table.add_row(
            "*" if each["current"] else "", each["name"], *(f"{number:,}" for number in numbers),
            each["split"], each["created"][:10],
        )  # fmt: skip
    console.print(table)
    console.print("* current")
