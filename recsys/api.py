"""The Python interface: the same stages as the command line, with frames in and frames out.

Ids may be text, numbers, bytes or the scalars of numpy and pandas, one or several; in results they are text,
as in the log. What the command line refuses is an ``InputError`` here, with the same message.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys import plugins as parts
from recsys.data.dataset import Dataset
from recsys.data.etl.options import EtlOptions
from recsys.errors import InputError
from recsys.ids import id_text, id_texts
from recsys.pipeline import config as configs
from recsys.pipeline.progress import Silent
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from recsys.retrieval.export import Purpose
    from recsys.retrieval.filters import NamedIds, Rules
    from recsys.retrieval.recommender import Service, Unknown
    from recsys.tracking.tracker import Tracker

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
        return etl_frame(_table(self.source), EtlOptions.of({"logs": ["frame"], **options}), self.home)


def read(
    source: str | Path | Sequence[str | Path] | Frame,
    *,
    home: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
) -> Log:
    """Name a raw log: a path, several, or a frame of polars, pandas, or any library that speaks Arrow.

    Args:
        source: Files, globs, folders, or a frame.
        home: Where datasets and runs live; ``RECSYS_HOME``, else ``./data``.
        options: Any option of ``recsys etl`` by its name, as ``{"positive_from": 4}``.

    Example:
        >>> import polars as pl, tempfile
        >>> log = pl.DataFrame({"user": [1, 1, 2, 2, 3, 3], "item": [7, 8, 7, 9, 8, 9]})
        >>> with tempfile.TemporaryDirectory() as home:
        ...     data = read(log, home=home).split("random:0.4", valid=0)
        ...     data.name, data.split().train.height, data.split().train["user"].dtype
        ('frame', 4, String)
    """
    return Log(source, options or {}, _home(home))


def open(run: str = "current", *, dataset: str | None = None, home: str | Path | None = None) -> Run:
    """Open a run that exists.

    Args:
        run: Its name, or ``current`` or ``champion``.
        dataset: Whose current run or champion is meant; the current one.
        home: Where datasets and runs live; ``RECSYS_HOME``, else ``./data``.

    Raises:
        InputError: If there is no such run.
    """
    return Run(RunFolder(_home(home).folder("run", run, dataset)))


@dataclass(frozen=True)
class Run:
    """A finished run that answers queries.

    The first query checks its files and maps them, once for all later ones. They are unmapped when the object
    is collected, so there is nothing to close. A run folder replaced since then is read by a new ``open``.
    """

    folder: RunFolder

    @property
    def name(self) -> str:
        """Its id, as ``recsys runs`` lists it."""
        return self.folder.name

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from recsys import notebook

        return notebook.run(self.folder.manifest())

    @property
    def metrics(self) -> dict[str, float]:
        """Metric -> value on the test set."""
        metrics: dict[str, float] = self.folder.manifest()["metrics"]
        return metrics

    def recommend(
        self,
        user: object = None,
        *,
        history: object = None,
        k: int = 10,
        with_seen: bool = False,
        unknown: Unknown = "error",
        exclude: object = None,
        only: object = None,
    ) -> pl.DataFrame:
        """Lists for users by id, or for someone never seen by what they chose.

        Args:
            user: An id, or a list, array or column of ids.
            history: Item ids, the oldest first; a text is one id.
            k: Length of a list.
            with_seen: Whether items that are known of the user may be listed.
            unknown: What a user the run does not know gets: ``error``, ``popular`` items, or ``skip``: no
                list. A null is not a user: an error, or else skipped.
            exclude: Ids of items to leave out.
            only: Ids of items to keep to.

        Returns:
            Columns user (null for a history), rank, item, title (null where there is none), score.

        Raises:
            InputError: If neither or both of ``user`` and ``history`` are given, an id is unknown or none, or
                no item of ``history`` or of ``only`` is known.
        """
        import polars as pl

        if (user is None) == (history is None):
            raise InputError("recommend takes either a user id (or several) or history=[item ids]")
        rules = self._rules(exclude, only)
        if history is None:
            lists = self._service.recommend(
                id_texts(user), k, with_seen=with_seen, unknown=unknown, rules=rules
            )
        else:
            items = id_texts(history)
            one, missing = self._service.recommend_history(items, k, with_seen=with_seen, rules=rules)
            lists = [one]
            if missing:
                _warn(
                    f"{len(missing)} of {len(items)} items of the history are unknown: "
                    f"{', '.join(missing[:5])}"
                )
        rows = [
            (each.user, listed.rank, listed.item, listed.title, listed.score)
            for each in lists
            for listed in each.items
        ]
        schema = {"user": pl.String, "rank": pl.Int64, "item": pl.String, "title": pl.String}
        return pl.DataFrame(rows, schema={**schema, "score": pl.Float64}, orient="row")

    def similar(self, *, item: object = None, user: object = None, k: int = 10) -> pl.DataFrame:
        """The items (or users) nearest to one.

        Returns:
            Columns rank, item, title, score; or rank, user, score.

        Raises:
            InputError: If the id is unknown, or not one of the two is given.
        """
        import polars as pl

        names = ("rank", "item", "title", "score") if user is None else ("rank", "user", "score")
        kinds = {"rank": pl.Int64, "score": pl.Float64}
        found = self._service.similar(item=item, user=user, k=k)
        rows = [tuple(getattr(each, name) for name in names) for each in found]
        return pl.DataFrame(rows, {name: kinds.get(name, pl.String) for name in names}, orient="row")

    def export(
        self,
        path: str | Path,
        *,
        k: int = 50,
        users: object = None,
        part_rows: int | None = None,
        index: str = "auto",
        purpose: Purpose = "serving",
    ) -> dict[str, Any]:
        """Write the k best items of every user: columns user, item, rank, score; as ``recsys export``.

        Args:
            path: A .parquet, .csv or .jsonl file; with ``part_rows`` a folder. What is there is replaced. A
                path, or a URL that fsspec knows.
            k: Length of a list.
            users: Ids, in the order to write them; all users of the run otherwise. Unknown ones are counted.
            part_rows: Most rows of a part.
            index: A kind of index, or ``auto``: the faster one, as measured when it was built.
            purpose: ``serving`` leaves out all that is known of a user, ``evaluation`` only the train
                and validation sets.

        Returns:
            The manifest that is written beside the file.

        Raises:
            InputError: As ``recsys.retrieval.export.export``.
        """
        from recsys.retrieval.export import export

        wanted = None if users is None else id_texts(users)
        return export(
            self.folder.path, path,
            k=k, users=wanted, part_rows=part_rows, index=index, purpose=purpose,
        )  # fmt: skip

    def evaluate(self, by: str | None = None) -> pl.DataFrame:
        """The metrics of the run and of its baselines on the test set.

        Args:
            by: ``activity``: over quarters of the users by how many items each chose in training.

        Returns:
            model, metric, value, low, high; with ``by`` also group and users (how many).

        Raises:
            InputError: If there are no such groups.
        """
        import polars as pl

        if by is not None:
            from recsys.evaluation.groups import by_group

            return by_group(self.folder, by)
        manifest = self.folder.manifest()
        models = {manifest["model"]["name"]: manifest, **manifest["baselines"]}
        rows = [
            (model, metric, value, *values["intervals"][metric])
            for model, values in models.items()
            for metric, value in values["metrics"].items()
        ]
        schema = {"model": pl.String, "metric": pl.String}
        figures = dict.fromkeys(("value", "low", "high"), pl.Float64)
        return pl.DataFrame(rows, schema={**schema, **figures}, orient="row")

    @cached_property
    def _service(self) -> Service:
        from recsys.retrieval.recommender import Service

        return Service.open(self.folder.path)

    def _rules(self, exclude: object, only: object) -> Rules:
        from recsys.retrieval.filters import rules_of

        return rules_of(self._service.model.item_ids, _given("exclude", exclude), _given("only", only), _warn)


def train(
    data: Dataset,
    *,
    model: str = "two_tower",
    loss: str | None = None,
    distance: str | None = None,
    options: Mapping[str, Any] | None = None,
    track: str | Tracker = "mlflow",
    plugins: Sequence[str | Path] = (),
) -> Run:
    """Fit, score beside tuned baselines, index and record, as ``recsys train`` does; the run becomes current.

    Args:
        data: From ``read(...).split(...)``.
        model: See ``recsys parts models``.
        loss: See ``recsys parts losses``.
        distance: See ``recsys parts distances``.
        options: Anything else by its path, as ``{"model.dim": 32, "baselines": ["popularity"]}``.
        track: Where the run is recorded beside its folder: ``mlflow``, ``none``, or a tracker of your own.
        plugins: Python files with parts of your own; from now on they are known in this process.
    """
    for path in plugins:
        parts.use(Path(path))
    named = {"model.loss": loss, "model.distance": distance}
    overrides = {key: value for key, value in named.items() if value is not None} | dict(options or {})
    config = configs.parse(configs.TrainConfig, configs.override({"model": {"name": model}}, overrides))
    from recsys.pipeline.train import train as fit
    from recsys.tracking.by_name import tracker

    home = Home(data.folder.parent.parent)
    recorded = tracker(track, home, _warn) if isinstance(track, str) else track
    return Run(fit(data, config, home, tracker=recorded, watch=Silent()))


def _home(path: str | Path | None) -> Home:
    return Home.default() if path is None else Home(Path(path))


def _table(source: object) -> pl.DataFrame | pl.LazyFrame:
    """A frame that etl reads."""
    import pandas as pd
    import polars as pl

    if isinstance(source, pl.DataFrame | pl.LazyFrame):
        return source
    if isinstance(source, pd.DataFrame):
        return _from_pandas(source)
    if hasattr(source, "__arrow_c_stream__"):
        return pl.DataFrame(source)
    raise InputError(
        f"read takes a path, a list of paths or a frame, not a {type(source).__name__}; "
        "make a polars or pandas frame of it"
    )


def _from_pandas(frame: pd.DataFrame) -> pl.DataFrame:
    """The same columns; one of mixed types, as of ids that are partly numbers, becomes text."""
    import polars as pl

    columns: dict[str, pl.Series] = {}
    for name, column in frame.items():
        if str(name) in columns:
            raise InputError(f"the frame has two columns {str(name)!r}; rename one of them")
        try:
            columns[str(name)] = pl.from_pandas(column)
        except (ValueError, TypeError):  # of pyarrow, which takes a column of one type only
            try:
                columns[str(name)] = pl.Series([id_text(value) for value in column], dtype=pl.String)
            except InputError as error:
                raise InputError(f"column {str(name)!r} of the frame: {error}") from error
    return pl.DataFrame(columns)


def _given(name: str, ids: object) -> NamedIds | None:
    from recsys.retrieval.filters import NamedIds

    return None if ids is None else NamedIds(name, id_texts(ids))


def _warn(text: str) -> None:
    warnings.warn(text, stacklevel=4)
