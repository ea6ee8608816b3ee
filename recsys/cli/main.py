"""``recsys``: one entry point, one file per command, loaded from this folder."""

from __future__ import annotations

import importlib
from pathlib import Path

import typer

COMMANDS = (
    "etl", "download", "datasets", "describe",
    "train", "parts",
    "recommend", "similar", "export", "evaluate", "index",
    "runs", "compare",
    "run", "check", "demo", "doctor",
)  # fmt: skip

app = typer.Typer(
    name="recsys",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def recsys() -> None:
    """Interaction logs in; vectors in which near means will like out; top-K lists served from them."""


for name in (each for each in COMMANDS if (Path(__file__).parent / f"{each}.py").exists()):
    importlib.import_module(f"recsys.cli.{name}").register(app)


def main() -> None:
    """Run the command line."""
    app()
