"""``recsys run``: a pipeline file from raw log to lists."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from recsys.cli.session import Session, command

PipelineFile = Annotated[Path, typer.Argument(help="A pipeline file, such as pipelines/smoke.yaml.")]
Changes = Annotated[
    list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Change one value; repeats.")
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, plugins=True)(run)


def run(
    session: Session,
    file: PipelineFile,
    set_: Changes = None,
    track: Annotated[
        str, typer.Option(help="Where runs are recorded beside their folders: mlflow or none.")
    ] = "mlflow",
) -> None:
    """Run the stages of a pipeline file, skipping those whose inputs did not change."""
    from recsys.pipeline import config

    read = config.read_pipeline(file, config.settings(set_ or []))
    from recsys.cli.reports.train import Watch, render
    from recsys.pipeline.results import result
    from recsys.pipeline.stages import run_pipeline
    from recsys.tracking.by_name import tracker

    recorded = tracker(track, session.home, session.warn)
    with Watch(session) as watch:
        runs = run_pipeline(read, session.home, tracker=recorded, watch=watch)

    def tables(console: Console) -> None:
        for each in runs:
            render(console, each)

    session.show({"pipeline": read.name, "runs": [result(each) for each in runs]}, tables)
