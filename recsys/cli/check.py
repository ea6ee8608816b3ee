"""``recsys check``: every fault of a pipeline file at once."""

import typer

from recsys.cli.run import Changes, PipelineFile
from recsys.cli.session import Session, command


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, plugins=True)(check)


def check(
    session: Session,
    file: PipelineFile,
    set_: Changes = None,
) -> None:
    """Check a pipeline file: names, options and values, every fault at once; nothing runs."""
    from recsys.pipeline import config

    read = config.read_pipeline(file, config.settings(set_ or []))
    documents = [config.document(each) for each in read.train_configs()]
    session.show(
        {"file": str(file), "name": read.name, "data": read.data.model_dump(mode="json"), "runs": documents},
        lambda console: console.print(
            f"{file} is valid: {read.name}, {len(documents)} run{'s' * (len(documents) > 1)}"
        ),
    )
