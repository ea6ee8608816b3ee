"""``recsys train``: fit, score next to the baselines, index, log; the run becomes the current one."""

from pathlib import Path
from typing import Annotated, Any

import typer

from recsys.cli import completion
from recsys.cli.session import Session, command

Text = str | None
Number = int | None


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app, plugins=True)(train)


def train(
    session: Session,
    dataset: Annotated[
        Text,
        typer.Option(
            help="Name of a dataset.", show_default="the current one", autocompletion=completion.datasets
        ),
    ] = None,
    model: Annotated[
        Text, typer.Option(help="See recsys parts models.", show_default="two-tower", rich_help_panel="Model")
    ] = None,
    loss: Annotated[Text, typer.Option(help="See recsys parts losses.", rich_help_panel="Model")] = None,
    distance: Annotated[
        Text, typer.Option(help="See recsys parts distances.", rich_help_panel="Model")
    ] = None,
    miner: Annotated[Text, typer.Option(help="See recsys parts miners.", rich_help_panel="Model")] = None,
    sampler: Annotated[Text, typer.Option(help="See recsys parts samplers.", rich_help_panel="Model")] = None,
    tower: Annotated[
        Text,
        typer.Option(help="How a user becomes a vector; see recsys parts towers.", rich_help_panel="Model"),
    ] = None,
    dim: Annotated[Number, typer.Option(help="Dimensions of the vectors.", rich_help_panel="Model")] = None,
    epochs: Annotated[
        Number, typer.Option(help="Maximum number of passes over the log.", rich_help_panel="Model")
    ] = None,
    batch: Annotated[Number, typer.Option(help="Interactions per step.", rich_help_panel="Model")] = None,
    candidates: Annotated[
        Number, typer.Option(help="Candidate items per step.", rich_help_panel="Model")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Learning rate.", rich_help_panel="Model")] = None,
    patience: Annotated[
        Number, typer.Option(help="Epochs without improvement before it stops.", rich_help_panel="Model")
    ] = None,
    seed: Annotated[
        Number, typer.Option(help="Seed of all that is random.", show_default="0", rich_help_panel="Model")
    ] = None,
    device: Annotated[Text, typer.Option(help="auto, cpu or cuda.", rich_help_panel="Model")] = None,
    precision: Annotated[Text, typer.Option(help="auto, fp32 or bf16.", rich_help_panel="Model")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="Any option by its path, as model.loss.margin=0.3; repeats.",
            rich_help_panel="Model",
        ),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="A pipeline file whose settings to take.")] = None,
    baselines: Annotated[
        Text,
        typer.Option(
            help="Models to compare with, or none.",
            show_default="als,popularity",
            rich_help_panel="Comparison and refit",
        ),
    ] = None,
    refit: Annotated[
        Text,
        typer.Option(
            help="none, valid or all: what to refit on.",
            show_default="valid",
            rich_help_panel="Comparison and refit",
        ),
    ] = None,
    warm_up: Annotated[
        Number,
        typer.Option(
            metavar="N",
            help="Also score users unknown to train, served by their first N test rows.",
            rich_help_panel="Comparison and refit",
        ),
    ] = None,
    target_recall: Annotated[
        float | None,
        typer.Option(help="Recall that the index must have.", show_default="0.95", rich_help_panel="Index"),
    ] = None,
    index: Annotated[
        Text,
        typer.Option(
            metavar="KIND",
            help="auto, or a kind of `recsys parts indexes`.",
            show_default="auto",
            rich_help_panel="Index",
        ),
    ] = None,
    of: Annotated[
        Text,
        typer.Option(
            metavar="RUN,RUN",
            help="The runs whose models to blend.",
            rich_help_panel="Model",
        ),
    ] = None,
    track: Annotated[
        str, typer.Option(help="Where the run is recorded beside its folder: mlflow or none.")
    ] = "mlflow",
    resume: Annotated[Text, typer.Option(metavar="RUN", help="Continue a run that was stopped.")] = None,
) -> None:
    """Fit a model, score it next to tuned baselines, build its index, log it, and make it the current run."""
    from recsys.errors import InputError
    from recsys.pipeline import config as configs
    from recsys.pipeline import yaml

    if resume and config:
        raise InputError("--resume takes the settings of the run it continues; leave --config out")
    by_path: dict[str, Any] = {
        "model.name": model.replace("-", "_") if model else "blend" if of else None,
        "model.of": _recipes(session, of, dataset) if of else None,
        "model.loss": loss,
        "model.distance": distance,
        "model.miner": miner,
        "model.sampler": sampler,
        "model.tower": tower,
        "model.dim": dim,
        "model.epochs": epochs,
        "model.batch": batch,
        "model.candidates": candidates,
        "model.rate": rate,
        "model.patience": patience,
        "model.device": device,
        "model.precision": precision,
        "seed": seed,
        "refit": refit,
        "warm_up": warm_up,
        "index.target_recall": target_recall,
        "index.kind": index,
        "baselines": _names(baselines),
    }
    overrides = {path: value for path, value in by_path.items() if value is not None} | configs.settings(
        set_ or []
    )
    source = config
    if resume:
        if overrides:
            raise InputError(
                f"--resume takes the settings of the run it continues; leave out {', '.join(overrides)}"
            )
        source = _unfinished(session, resume) / "config.yaml"
        dataset = yaml.load(source)["dataset"]
    read = (
        configs.read_train(source, overrides)
        if source
        else configs.parse(configs.TrainConfig, configs.override({"model": {"name": "two_tower"}}, overrides))
    )
    from recsys.cli.reports.train import Watch, render
    from recsys.data.dataset import Dataset
    from recsys.pipeline.results import result
    from recsys.pipeline.train import train as fit
    from recsys.tracking.by_name import tracker

    folder = Dataset.open(session.home, dataset)
    recorded = tracker(track, session.home, session.warn)
    with Watch(session) as watch:
        run = fit(folder, read, session.home, tracker=recorded, watch=watch, resume=resume)
    session.show(result(run), lambda console: render(console, run))


def _recipes(session: Session, of: str, dataset: str | None) -> list[dict[str, Any]] | dict[str, Any]:
    from recsys.data.dataset import Dataset
    from recsys.pipeline.blending import recipes

    runs = [name.strip() for name in of.split(",")]
    found = recipes(runs, Dataset.open(session.home, dataset), session.home)
    return found if len(found) > 1 else found[0]


def _names(text: str | None) -> list[str] | None:
    if text is None:
        return None
    return [] if text == "none" else [name.strip().replace("-", "_") for name in text.split(",")]


def _unfinished(session: Session, name: str) -> Path:
    from recsys.errors import InputError
    from recsys.storage.home import SEAL

    folder = session.home.runs / name
    if (folder / SEAL).exists():
        raise InputError(
            f"run {name} is finished, so there is nothing to resume; "
            f"train another one like it with --config {folder}/config.yaml"
        )
    if not (folder / "config.yaml").exists():
        stopped = sorted(
            path.parent.name
            for path in session.home.runs.glob("*/config.yaml")
            if not (path.parent / SEAL).exists()
        )
        raise InputError(f"there is no stopped run {name!r}; there are: {', '.join(stopped) or 'none'}")
    _has_its_plugins(folder)
    return folder


def _has_its_plugins(folder: Path) -> None:
    """Refuse to resume a run without the foreign parts that it was started with."""
    from recsys import plugins
    from recsys.errors import InputError
    from recsys.storage.files import read_json
    from recsys.storage.run_folder import RunFolder

    record = RunFolder(folder).plugins
    for part, by in (read_json(record) if record.exists() else {}).items():
        family, name = part.split()
        if name not in plugins.names(family):
            raise InputError(
                f"run {folder.name} needs {part} of {by}, which is missing; "
                "install it, or give the file with --plugins"
            )
