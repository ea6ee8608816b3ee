"""``recsys``: one entry point, one file per command, loaded from this folder."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from typing import Annotated, Any

import typer

from recsys.cli.one_line import OneLine
from recsys.threads import wait_briefly
from recsys.version import __version__

COMMANDS = (
    "etl", "download", "datasets", "describe",
    "train", "parts",
    "recommend", "similar", "export", "evaluate", "index",
    "runs", "compare",
    "run", "check", "demo", "doctor",
)  # fmt: skip


def application(names: Iterable[str] = COMMANDS) -> typer.Typer:
    """The command line with the named commands."""
    app = typer.Typer(
        name="recsys",
        cls=OneLine,
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )

    @app.callback()
    def recsys(
        version: Annotated[
            bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
        ] = False,
    ) -> None:
        """Interaction logs in; vectors in which near means will like out; top-K lists served from them."""

    for name in names:
        importlib.import_module(f"recsys.cli.{name}").register(app)
    return app


def commands_of_others(app: typer.Typer) -> list[str]:
    """Add the commands of installed packages: functions ``register(app)`` in the group ``recsys.commands``.

    Returns:
        A line for each that is left out: it cannot be loaded, or its name is taken.
    """
    from importlib.metadata import entry_points

    taken, left_out = dict.fromkeys(COMMANDS, "recsys itself"), []
    for each in entry_points(group="recsys.commands"):
        offered = f"{each.dist.name} {each.dist.version}" if each.dist else "a package"
        try:
            if each.name in taken:
                raise ImportError(f"the name is taken by {taken[each.name]}")
            each.load()(app)
            taken[each.name] = offered
        except Exception as error:  # another package's code may raise anything
            left_out.append(f"command {each.name} of {offered} is left out: {error}")
    return left_out


def _version(asked: bool) -> None:
    if asked:
        print(f"recsys {__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command line; only the command that is called is loaded."""
    wait_briefly()
    called = [word for word in sys.argv[1:2] if word in COMMANDS]
    app = application(called or COMMANDS)
    if not called:
        for line in commands_of_others(app):
            print(f"warning: {line}", file=sys.stderr)
    app()


def __getattr__(name: str) -> Any:
    """Make ``app``, with every command, on first use."""
    if name == "app":
        globals()["app"] = application()
        return globals()["app"]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
