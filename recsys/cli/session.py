"""What every command shares: where things live, how results are printed, how errors end."""

from __future__ import annotations

import functools
import inspect
import json
import sys
import time
import typing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from recsys.errors import RecsysError
from recsys.home import Home

if typing.TYPE_CHECKING:
    from rich.console import Console

_SHARED: dict[str, Any] = {
    "home": Annotated[
        Path | None,
        typer.Option(
            "--home", help="Where datasets and runs live.", envvar="RECSYS_HOME", show_default="data"
        ),
    ],
    "json_": Annotated[
        bool, typer.Option("--json", help="Print exactly one JSON document on standard output.")
    ],
    "quiet": Annotated[bool, typer.Option("--quiet", help="Print results and errors only.")],
    "debug": Annotated[bool, typer.Option("--debug", help="Show a traceback with an error.")],
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
        """Where tables for people go: the terminal, or standard error under ``--json``."""
        from rich.console import Console

        terminal = sys.stderr if self.json else sys.stdout
        return Console(
            file=terminal,
            width=None if terminal.isatty() else 120,
            highlight=False,
            soft_wrap=not terminal.isatty(),
        )

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

    @contextmanager
    def progress(self, label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """Yield ``advance(n)``: a bar with rate and time left on a terminal, a line every five seconds elsewhere."""
        if self.quiet:
            yield lambda _: None
        elif sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                Progress,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )

            rate = TextColumn("{task.fields[rate]}")
            with Progress(
                TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), rate, TimeElapsedColumn(), TimeRemainingColumn(),
                console=Console(stderr=True), transient=True,
            ) as bar:  # fmt: skip
                task = bar.add_task(label, total=total, rate="")

                def advance(count: int) -> None:
                    speed = bar.tasks[task].speed
                    bar.update(task, advance=count, rate=f"{speed:,.0f}/s" if speed else "")

                yield advance
        else:
            yield _lines(label, total)


def _lines(label: str, total: int | None) -> Callable[[int], None]:
    started = last = time.monotonic()
    done = 0

    def advance(count: int) -> None:
        nonlocal done, last
        done += count
        now = time.monotonic()
        if now - last >= 5:
            last, rate = now, done / (now - started)
            left = f" of {total:,}, {(total - done) / rate:,.0f} s left" if total and rate else ""
            print(f"{label}: {done:,}{left}, {rate:,.0f}/s", file=sys.stderr, flush=True)

    return advance


def command(
    app: typer.Typer, name: str | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function whose first parameter is a ``Session`` as a command; the session's options are added.

    A ``RecsysError`` ends the command with one line and its exit code, without a traceback.
    """

    def register(function: Callable[..., None]) -> Callable[..., None]:
        hints = typing.get_type_hints(function, include_extras=True)
        first, *own = inspect.signature(function).parameters.values()
        shared = [
            inspect.Parameter(
                key,
                inspect.Parameter.KEYWORD_ONLY,
                default=None if key == "home" else False,
                annotation=annotation,
            )
            for key, annotation in _SHARED.items()
        ]

        @functools.wraps(function)
        def run(**options: Any) -> None:
            home, json_, quiet, debug = (options.pop(key) for key in _SHARED)
            session = Session(Home(home) if home else Home.default(), json_, quiet, debug)
            with _errors(session):
                function(session, **options)

        del run.__wrapped__  # type: ignore[attr-defined]
        parameters = [
            parameter.replace(annotation=hints[parameter.name], kind=inspect.Parameter.KEYWORD_ONLY)
            for parameter in own
        ]
        run.__signature__ = inspect.Signature([*parameters, *shared])
        run.__annotations__ = {p.name: p.annotation for p in [*parameters, *shared]}
        app.command(name)(run)
        return function

    return register


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
            "stopped: nothing was left half-written; the same command starts again or goes on",
            file=sys.stderr,
            flush=True,
        )
        raise typer.Exit(130) from None
