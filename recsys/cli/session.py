"""What all commands share: the home, how results are printed, how errors are shown."""

from __future__ import annotations

import inspect
import json
import os
import sys
import typing
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from recsys.errors import RecsysError
from recsys.storage.home import Home

if typing.TYPE_CHECKING:
    from rich.console import Console

_HOME = typer.Option("--home", help="Where data and runs live.", envvar="RECSYS_HOME", show_default="data")
_JSON = typer.Option("--json", help="Print exactly one JSON document on standard output.")
_QUIET = typer.Option("--quiet", help="Print results and errors only.")
_DEBUG = typer.Option("--debug", help="Show a traceback with an error.")
_SHARED: dict[str, Any] = {
    "home": Annotated[Path | None, _HOME],
    "json_": Annotated[bool, _JSON],
    "quiet": Annotated[bool, _QUIET],
    "debug": Annotated[bool, _DEBUG],
}


_PLUGINS: dict[str, Any] = {
    "plugins": Annotated[
        list[Path] | None,
        typer.Option("--plugins", metavar="FILE", help="A Python file with parts of your own; repeats."),
    ]
}


@dataclass(frozen=True, slots=True)
class Session:
    """The options that every command has, and the ways to print."""

    home: Home
    json: bool = False
    quiet: bool = False
    debug: bool = False

    @property
    def people(self) -> Console:
        """Where tables for people go: the terminal, or standard error under ``--json``.

        As wide as the terminal or as ``COLUMNS`` says, else 120.
        """
        from rich.console import Console

        stream = sys.stderr if self.json else sys.stdout
        known = stream.isatty() or os.environ.get("COLUMNS", "").isdigit()
        return Console(file=stream, width=None if known else 120, highlight=False)

    def say(self, text: str) -> None:
        """One line about the work for people; nothing under ``--quiet``."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def warn(self, text: str) -> None:
        """A warning; never silenced."""
        print(f"warning: {text}", file=sys.stderr, flush=True)

    def show(self, document: Any, render: Callable[[Console], None]) -> None:
        """The result: ``document`` as JSON under ``--json``, else what ``render`` prints."""
        if self.json:
            print(json.dumps(document, ensure_ascii=False, allow_nan=False), flush=True)
        else:
            render(self.people)

    def progress(self, label: str, total: int | None = None) -> AbstractContextManager[Callable[[int], None]]:
        """A context that yields ``advance(n)``; see ``recsys.cli.progress``."""
        from recsys.cli.progress import progress

        return nullcontext(lambda _: None) if self.quiet else progress(label, total)


def command(
    app: typer.Typer, name: str | None = None, *, plugins: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function whose first parameter is a ``Session``; the session's options are added.

    With ``plugins`` the command takes files with parts of the user's own too.

    A ``RecsysError`` ends the command with one line and its exit code, without a traceback.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        hints = typing.get_type_hints(function, include_extras=True)
        _, *own = inspect.signature(function).parameters.values()
        shared = [
            inspect.Parameter(
                key,
                inspect.Parameter.KEYWORD_ONLY,
                default=None if key in ("home", "plugins") else False,
                annotation=annotation,
            )
            for key, annotation in (_SHARED | (_PLUGINS if plugins else {})).items()
        ]

        def run(**options: Any) -> None:
            home, json_, quiet, debug = (options.pop(key) for key in _SHARED)
            session = Session(Home(home) if home else Home.default(), json_, quiet, debug)
            files = options.pop("plugins", None) or []
            with _errors(session), _using(files):
                function(session, **options)

        run.__name__, run.__doc__ = function.__name__, function.__doc__
        parameters = [
            parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in own
        ]
        vars(run)["__signature__"] = inspect.Signature([*parameters, *shared])
        run.__annotations__ = {p.name: p.annotation for p in [*parameters, *shared]}
        app.command(name)(run)
        return function

    return register


def _using(files: list[Path]) -> AbstractContextManager[None]:
    if not files:
        return nullcontext()
    from recsys.plugins import using

    return using(files)


@contextmanager
def _errors(session: Session) -> Iterator[None]:
    try:
        yield
    except RecsysError as error:
        if session.debug:
            raise
        print(f"error: {error}", file=sys.stderr, flush=True)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        if session.debug:
            raise
        print(
            "stopped: nothing was left half-written; the same command starts again or continues",
            file=sys.stderr,
            flush=True,
        )
        raise typer.Exit(130) from None
