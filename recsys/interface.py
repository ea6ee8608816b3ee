"""The Python interface: the same stages as the command line, with frames in and frames out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.data.dataset import Dataset
from recsys.data.etl.options import EtlOptions
from recsys.errors import InputError
from recsys.home import Home
from recsys.pipeline import config as configs
from recsys.pipeline.progress import Silent
from recsys.run_folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from recsys.retrieval.service import Recommendation, Service

    Frame = pl.DataFrame | pl.LazyFrame | pd.DataFrame


@dataclass(frozen=True)
class Log:
    """A raw log that was named but not read yet; ``split`` reads it."""

    source: str | Path | Sequence[str | Path] | Frame
    options: Mapping[str, Any]
    home: Home

    def split(self, rule: str | None = None, *, valid: float = 0.1) -> Dataset:
        """Clean, split and store the log as a dataset of ``home``.

        Args:
            rule: ``time:0.2``, ``last:1``, ``random:0.2`` or ``users:0.1``; default: time where there is one.
            valid: Share of train held out for choices.

        Raises:
            InputError: If the log or an option is wrong; the message says what to do.
        """
        from recsys.data.etl.run import etl, etl_frame

        options = {**self.options, "split": rule, "valid": valid}
        if isinstance(self.source, str | Path):
            return etl(EtlOptions.of({**options, "logs": [str(self.source)]}), self.home)
        if isinstance(self.source, Sequence):
            return etl(EtlOptions.of({**options, "logs": [str(path) for path in self.source]}), self.home)
        return etl_frame(self.source, EtlOptions.of({"logs": ["frame"], **options}), self.home)


def read(
    source: str | Path | Sequence[str | Path] | Frame,
    *,
    home: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> Log:
    """Name a raw log: a path, several, or a polars or pandas frame.

    Args:
        source: Files, globs, folders, or a frame.
        home: Where datasets and runs live; ``RECSYS_HOME``, else ``./data``.
        options: Any option of ``recsys etl`` by its name, as ``{"positive_from": 4}``.
    """
    return Log(source, options or {}, Home(Path(home)) if home else Home.default())


@dataclass(frozen=True)
class Run:
    """A finished run that can be asked."""

    folder: RunFolder

    @property
    def name(self) -> str:
        """Its id, as ``recsys runs`` lists it."""
        return self.folder.name

    @property
    def metrics(self) -> dict[str, float]:
        """Metric -> value on the test part."""
        metrics: dict[str, float] = self.folder.manifest()["metrics"]
        return metrics

    def recommend(
        self,
        user: str | Sequence[str] | None = None,
        *,
        history: Sequence[str] | None = None,
        k: int = 10,
        with_seen: bool = False,
    ) -> pl.DataFrame:
        """Lists for users by id, or for someone never seen by what they chose.

        Returns:
            Columns user, rank, item, title (null where there is none), score.

        Raises:
            InputError: If neither or both are given, or an id is unknown.
        """
        if (user is None) == (history is None):
            raise InputError("recommend takes either a user id (or several) or history=[item ids]")
        if history is not None:
            found, _ = self._service.recommend_history(list(history), k, with_seen=with_seen)
            return _frame([found])
        users = [user] if isinstance(user, str) else list(user or [])
        return _frame(self._service.recommend(users, k, with_seen=with_seen))

    def similar(self, *, item: str | None = None, user: str | None = None, k: int = 10) -> pl.DataFrame:
        """The items (or users) nearest to one; columns rank, item or user, title, score."""
        import polars as pl

        return pl.DataFrame([asdict(each) for each in self._service.similar(item=item, user=user, k=k)])

    def evaluate(self) -> pl.DataFrame:
        """The metrics of the run and of its baselines on the test part: model, metric, value, low, high."""
        import polars as pl

        manifest = self.folder.manifest()
        models = {manifest["model"]["name"]: manifest, **manifest["baselines"]}
        rows = [
            {
                "model": model,
                "metric": metric,
                "value": value,
                "low": values["intervals"][metric][0],
                "high": values["intervals"][metric][1],
            }
            for model, values in models.items()
            for metric, value in values["metrics"].items()
        ]
        return pl.DataFrame(rows)

    @property
    def _service(self) -> Service:
        from recsys.retrieval.service import Service

        return Service.open(self.folder.path)


def train(
    data: Dataset,
    *,
    model: str = "two_tower",
    loss: str | None = None,
    distance: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Run:
    """Fit, score beside tuned baselines, index and log, as ``recsys train``; the run becomes the current one.

    Args:
        data: From ``read(...).split(...)``.
        model: See ``recsys parts models``.
        loss: See ``recsys parts losses``.
        distance: See ``recsys parts distances``.
        options: Anything else by its path, as ``{"model.dim": 32, "baselines": ["popularity"]}``.
    """
    named = {"model.loss": loss, "model.distance": distance}
    overrides = {key: value for key, value in named.items() if value is not None} | dict(options or {})
    config = configs.parse(configs.TrainConfig, configs.override({"model": {"name": model}}, overrides))
    from recsys.pipeline.train import train as fit
    from recsys.tracking.mlflow_tracker import MlflowTracker

    home = Home(data.folder.parent.parent)
    return Run(fit(data, config, home, tracker=MlflowTracker(home), watch=Silent()))


def _frame(found: list[Recommendation]) -> pl.DataFrame:
    import polars as pl

    schema = {"user": pl.String, "rank": pl.Int64, "item": pl.String, "title": pl.String, "score": pl.Float64}
    rows = [
        {
            "user": each.user,
            "rank": listed.rank,
            "item": listed.item,
            "title": listed.title,
            "score": listed.score,
        }
        for each in found
        for listed in each.items
    ]
    return pl.DataFrame(rows, schema=schema)
