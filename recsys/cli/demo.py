"""``recsys demo``: every step once, on a synthetic log with known preferences."""

import typer
from rich.console import Console

from recsys.cli.session import Session, command


def register(app: typer.Typer) -> None:
    """Add the command."""
    command(app)(demo)


def demo(session: Session) -> None:
    """Take a small realistic log through etl, three losses, ALS, index, recommend, export and compare."""
    from recsys.pipeline.config import read_pipeline
    from recsys.pipeline.resources import shipped

    config = read_pipeline(shipped("demo"))
    from recsys.cli import compare, recommend
    from recsys.cli.reports.train import Watch, render
    from recsys.pipeline.results import result
    from recsys.pipeline.stages import run_pipeline
    from recsys.retrieval.recommender import Service
    from recsys.tracking.by_name import tracker

    recorded = tracker("mlflow", session.home, session.warn)
    with Watch(session) as watch:
        runs = run_pipeline(config, session.home, tracker=recorded, watch=watch)
    best = max(runs, key=lambda run: run.manifest()["valid"].get("ndcg@10", 0.0))
    session.home.set_current("run", best.name)
    user = Service.open(best.path).model.user_ids[0]
    if session.json:
        session.show({"runs": [result(each) for each in runs]}, lambda console: None)
        return
    render(session.people, best)
    _title(session.people, f"recsys recommend --user {user}")
    recommend.recommend(session, user=[user])
    _title(session.people, "recsys compare")
    compare.compare(session)


def _title(console: Console, text: str) -> None:
    console.print(f"\n[bold]$ {text}[/bold]")
