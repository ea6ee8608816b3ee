"""Options that name the run of a command: ``--run`` or an argument, and ``--dataset``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from recsys.cli import completion
from recsys.cli.session import Session
from recsys.errors import InputError

_HELP = "A run, or current, or champion."
RunOption = Annotated[
    str,
    typer.Option("--run", help=_HELP, show_default="the current run", autocompletion=completion.runs),
]
RunArgument = Annotated[
    str | None, typer.Argument(help=_HELP, metavar="[RUN]", autocompletion=completion.runs)
]
RunNamed = Annotated[
    str | None, typer.Option("--run", help="The same, as an option.", autocompletion=completion.runs)
]
DatasetOption = Annotated[
    str | None,
    typer.Option(
        "--dataset",
        help="Whose current run or champion is meant.",
        show_default="the current dataset",
        autocompletion=completion.datasets,
    ),
]
SourceOption = Annotated[
    Literal["folders", "mlflow"],
    typer.Option("--from", help="mlflow: ask the tracking store too, for what others logged; takes seconds."),
]


def run_folder(session: Session, run: str | None, dataset: str | None, argument: str | None = None) -> Path:
    """Folder of the run that is named; ``argument`` is the name given without ``--run``.

    Raises:
        InputError: If there is none, or two are given that differ.
    """
    if argument is not None and run is not None and argument != run:
        raise InputError(f"two runs are given, {argument!r} and --run {run!r}; give one of them")
    return session.home.folder("run", argument or run, dataset)
