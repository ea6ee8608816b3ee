"""Records runs in MLflow and reads them back; with ``bundle`` and ``pyfunc`` all that imports mlflow.

The run folder decides. What cannot be logged now is logged later by ``recsys runs --sync``.
"""

from __future__ import annotations

import json
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from recsys.errors import RecsysError
from recsys.storage.files import read_json, write_json
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from recsys.tracking import store
from recsys.tracking.background import Background, Epoch
from recsys.tracking.bundle import save_pyfunc
from recsys.tracking.champion import best, update_champions
from recsys.tracking.ledger import Ledger
from recsys.tracking.names import from_mlflow, registered, to_mlflow
from recsys.tracking.quiet import quiet
from recsys.tracking.summary import Summary, epochs
from recsys.tracking.tracker import ActiveRun
from recsys.tracking.untracked import Untracked

if TYPE_CHECKING:
    import mlflow

ALIAS: Final = "champion"
EXPERIMENTS: Final = "recsys/"
TAG: Final = "recsys."
LOGGED: Final = "mlflow.json"
# Runs of ours that were logged to the end.
WHOLE: Final = f"attributes.status = 'FINISHED' and tags.`{TAG}run` LIKE '%'"
METRICS_AT_ONCE: Final = 1000
PARAMS_AT_ONCE: Final = 100


@dataclass(frozen=True)
class MlflowTracker:
    """The MLflow store that belongs to a home.

    Args:
        home: Where the run folders are.
        warn: Called with what could not be logged, and how to log it later.
    """

    home: Home
    warn: Callable[[str], None] = warnings.warn

    @property
    def uri(self) -> str:
        """``MLFLOW_TRACKING_URI``, or the default of the home."""
        return store.tracking_uri(self.home)

    @property
    def ledger(self) -> Ledger:
        """The runs that the store is known to hold."""
        return Ledger(self.home, self.uri)

    def open(self) -> None:
        """Create the store if there is none yet, and check that it can be read.

        Raises:
            RecsysError: If it cannot.
        """
        with self._store():
            self._client.search_experiments(max_results=1)

    def log(self, run: RunFolder) -> dict[str, str] | None:
        """Log a finished run, and name the champion.

        Returns:
            run_id, tracking_uri, experiment, as written to ``mlflow.json``; None if MLflow could not take it:
            then there is a warning, and the run folder has everything.
        """
        update_champions(self.home)
        try:
            return self._mirror(run)
        except RecsysError as error:
            self.warn(
                f"run {run.name} is whole in {run.path}, but was not logged to MLflow: {error}; "
                "log it later with `recsys runs --sync`"
            )
            return None

    def sync(self, progress: Callable[[str], None] = lambda _: None) -> list[str]:
        """Log every finished run that this store does not have yet, the oldest first.

        Returns:
            Names of the runs that were logged.

        Raises:
            RecsysError: If MLflow cannot be reached, or refuses a run.
        """
        done = []
        for run in self.unlogged():
            progress(f"logging {run.name}")
            self._mirror(run)
            done.append(run.name)
        update_champions(self.home)
        return done

    def begin(self, run: str, dataset: str, settings: Mapping[str, Any]) -> ActiveRun:
        """Begin the record of a run, or continue that of a stopped one; see ``Tracker``.

        Where MLflow cannot be reached nothing is recorded until ``log``, which warns.
        """
        try:
            with self._store():
                experiment = self._experiment(dataset)
                tags = {TAG + "run": run, TAG + "dataset": dataset, TAG + "settings": json.dumps(settings)}
                run_id = self._unfinished(experiment, run)
                if run_id is None:
                    run_id = self._client.create_run(experiment, tags=tags, run_name=run).info.run_id
                else:
                    self._client.update_run(run_id, status="RUNNING")
                return Background(
                    partial(self._send, run_id), partial(self._terminate, run_id), self._steps(run_id)
                )
        except RecsysError:
            return Untracked(self.home)

    def unlogged(self) -> list[RunFolder]:
        """Finished runs whose ``mlflow.json`` is missing or names another store, the oldest first."""
        runs = [RunFolder(self.home.runs / name) for name in self.home.names("run")]
        missing = [run for run in runs if logged(run).get("tracking_uri") != self.uri]
        return sorted(missing, key=lambda run: str(run.manifest()["created"]))

    def runs(self) -> list[Summary]:
        """Every run in the store, the newest first; they are noted in the ledger.

        Raises:
            RecsysError: If MLflow cannot be reached.
        """
        file = store.database(self.uri)
        if file is not None and not file.exists():
            return []
        with self._store():
            experiments = self._client.search_experiments(filter_string=f"name LIKE '{EXPERIMENTS}%'")
            found = self._search([each.experiment_id for each in experiments], WHOLE)
            runs = sorted((_summary(run) for run in found), key=lambda run: run.created, reverse=True)
        self.ledger.replace(runs)
        return runs

    def fetch(self, run: str, folder: Path) -> Path:
        """Download the per-user values of a run that has no folder here.

        Raises:
            RecsysError: If MLflow cannot be reached, or does not have them.
        """
        with self._store():
            experiments = self._client.search_experiments(filter_string=f"name LIKE '{EXPERIMENTS}%'")
            ids = [each.experiment_id for each in experiments]
            found = self._search(ids, f"tags.`{TAG}run` = '{run}'")
            if not found:
                raise RecsysError(f"MLflow at {self.uri} has no run {run!r}; see `recsys runs`")
            folder.mkdir(parents=True, exist_ok=True)
            return Path(self._client.download_artifacts(found[0].info.run_id, "evaluation", str(folder)))

    @cached_property
    def _client(self) -> mlflow.MlflowClient:
        from mlflow import MlflowClient

        file = store.database(self.uri)
        if file is not None:
            file.resolve().parent.mkdir(parents=True, exist_ok=True)
        return MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)

    @contextmanager
    def _store(self) -> Iterator[None]:
        """Without output, with short timeouts, and with each failure as one line."""
        fault = store.fault(self.uri)
        if fault:
            raise RecsysError(f"{self.uri} cannot be used: {fault}")
        with quiet():
            from mlflow import exceptions
            from sqlalchemy.exc import SQLAlchemyError

            try:
                yield
            except (exceptions.MlflowException, SQLAlchemyError, OSError) as error:
                first = (str(error).strip() or type(error).__name__).splitlines()[0]
                raise RecsysError(f"{self.uri}: {first}") from error

    def _mirror(self, run: RunFolder) -> dict[str, str]:
        """Log a run, and record in its folder that it is logged."""
        summary = Summary.of(run)
        with self._store():
            receipt = self._log(run, summary)
        write_json(run.path / LOGGED, receipt)
        self.ledger.add(summary)
        return receipt

    def _log(self, run: RunFolder, summary: Summary) -> dict[str, str]:
        experiment = self._experiment(summary.dataset)
        run_id = self._finished(experiment, summary)
        if run_id is None:
            run_id = self._whole(experiment, summary, run)
        self._alias_champion(experiment, summary.dataset)
        return {"run_id": run_id, "tracking_uri": self.uri, "experiment": EXPERIMENTS + summary.dataset}

    def _experiment(self, dataset: str) -> str:
        found = self._client.get_experiment_by_name(EXPERIMENTS + dataset)
        if found is not None:
            return str(found.experiment_id)
        place = store.artifact_location(self.uri, dataset)
        return str(self._client.create_experiment(EXPERIMENTS + dataset, artifact_location=place))

    def _finished(self, experiment: str, summary: Summary) -> str | None:
        """The id of this run if the store has it; what a stopped attempt left there is removed."""
        same = f"tags.`{TAG}run` = '{summary.run}' and tags.`{TAG}created` = '{summary.created}'"
        for found in self._search([experiment], same):
            if found.info.status == "FINISHED":
                return str(found.info.run_id)
            self._client.delete_run(found.info.run_id)
        return None

    def _unfinished(self, experiment: str, run: str) -> str | None:
        """The id of a run that was begun and has epochs only."""
        found = self._search([experiment], f"tags.`{TAG}run` = '{run}'")
        ids = [str(each.info.run_id) for each in found if TAG + "created" not in each.data.tags]
        return next(iter(ids), None)

    def _steps(self, run_id: str) -> set[int]:
        """Numbers of the epochs that a run has."""
        recorded = self._client.get_run(run_id).data.metrics
        keys = [key for key in recorded if from_mlflow(key).startswith("epoch/")]
        return {each.step for key in keys for each in self._client.get_metric_history(run_id, key)}

    def _send(self, run_id: str, waiting: Sequence[Epoch]) -> None:
        for chunk in _chunks(_metrics(waiting, int(time.time() * 1000)), METRICS_AT_ONCE):
            self._client.log_batch(run_id, metrics=chunk)

    def _terminate(self, run_id: str, status: str) -> None:
        with suppress(RecsysError), self._store():
            self._client.set_terminated(run_id, status)

    def _whole(self, experiment: str, summary: Summary, run: RunFolder) -> str:
        """Write a finished run, into the one with its epochs if there is one; returns its id."""
        manifest = run.manifest()
        started = int(datetime.fromisoformat(summary.created).timestamp() * 1000)
        run_id, tags = self._unfinished(experiment, summary.run), _tags(summary, manifest)
        if run_id is None:
            made = self._client.create_run(experiment, start_time=started, tags=tags, run_name=summary.run)
            run_id = str(made.info.run_id)
        else:
            for key, value in tags.items():
                self._client.set_tag(run_id, key, value)
        try:
            self._write(run_id, summary, run, started)
            self._write_model(experiment, run_id, summary, run, manifest)
            self._client.set_terminated(run_id, "FINISHED")
        except BaseException:
            self._client.set_terminated(run_id, "FAILED")
            raise
        return run_id

    def _write(self, run_id: str, summary: Summary, run: RunFolder, now: int) -> None:
        from mlflow import entities

        params = [entities.Param(name, value) for name, value in summary.options.items()]
        metrics = [entities.Metric(to_mlflow(key), value, now, 0) for key, value in summary.figures.items()]
        recorded = self._steps(run_id)
        metrics += _metrics((each for each in epochs(run) if each[0] not in recorded), now)
        for chunk in _chunks(params, PARAMS_AT_ONCE):
            self._client.log_batch(run_id, params=chunk)
        for chunk in _chunks(metrics, METRICS_AT_ONCE):
            self._client.log_batch(run_id, metrics=chunk)
        source = json.dumps({"hash": summary.dataset_hash, "split_hash": summary.split_hash})
        dataset = entities.Dataset(summary.dataset, summary.split_hash[:36], "local", source)
        self._client.log_inputs(run_id, [entities.DatasetInput(dataset)])
        for name in ("run.json", "config.yaml", "epochs.jsonl"):
            if (run.path / name).exists():
                self._client.log_artifact(run_id, str(run.path / name))
        if run.evaluation.is_dir():
            self._client.log_artifacts(run_id, str(run.evaluation), "evaluation")

    def _write_model(
        self, experiment: str, run_id: str, summary: Summary, run: RunFolder, manifest: Mapping[str, Any]
    ) -> None:
        from mlflow import entities
        from mlflow.models import Model

        model = self._client.create_logged_model(
            experiment, name="recommender", source_run_id=run_id, tags=_tags(summary, manifest)
        )
        self._client.log_outputs(run_id, [entities.LoggedModelOutput(model.model_id, step=0)])
        with tempfile.TemporaryDirectory() as folder:
            described = Model(model_uuid=model.model_id, run_id=run_id, model_id=model.model_id)
            save_pyfunc(run, Path(folder) / "model", described)
            self._client.log_model_artifacts(model.model_id, str(Path(folder) / "model"))
        self._client.finalize_logged_model(model.model_id, "READY")
        self._register(summary, run_id, model)

    def _register(self, summary: Summary, run_id: str, model: mlflow.entities.LoggedModel) -> Any:
        """Make the run a version of its dataset's registered model."""
        name = registered(summary.dataset)
        if not self._client.search_registered_models(f"name = '{name}'"):
            text = f"Users in, recommendations out, from {summary.dataset}. {ALIAS}: the best on valid."
            self._client.create_registered_model(name, description=text)
        return self._client.create_model_version(
            name, model.artifact_location, run_id, tags={TAG + "run": summary.run}, model_id=model.model_id
        )

    def _alias_champion(self, experiment: str, dataset: str) -> None:
        """Give the dataset's alias to its best run, on the split of its newest run."""
        found = self._search([experiment], WHOLE)
        ids = {run.data.tags[TAG + "run"]: run.info.run_id for run in found}
        winner, name = best(_summary(run) for run in found), registered(dataset)
        if winner is None:
            for each in self._client.search_registered_models(f"name = '{name}'"):
                if ALIAS in each.aliases:
                    self._client.delete_registered_model_alias(name, ALIAS)
            return
        run_id = ids[winner.run]
        versions = list(self._client.search_model_versions(f"name = '{name}' and run_id = '{run_id}'"))
        if not versions:  # logged before 0.2, when all datasets shared one registered model
            models = self._client.search_logged_models([experiment], f"source_run_id = '{run_id}'")
            versions = [self._register(winner, run_id, model) for model in models[:1]]
        for each in versions:
            self._client.set_registered_model_alias(name, ALIAS, each.version)

    def _search(self, experiments: Sequence[str], wanted: str) -> list[Any]:
        found, token = [], None
        while True:
            page = self._client.search_runs(list(experiments), wanted, page_token=token)
            found += list(page)
            token = page.token
            if not token:
                return found


def _metrics(epochs: Iterable[Epoch], now: int) -> list[mlflow.entities.Metric]:
    from mlflow import entities

    return [
        entities.Metric(to_mlflow(f"epoch/{key}"), value, now, epoch)
        for epoch, figures in epochs
        for key, value in figures.items()
        if isinstance(value, int | float)
    ]


def logged(run: RunFolder) -> dict[str, str]:
    """Where a run was logged to; empty where it was not."""
    path = run.path / LOGGED
    return dict(read_json(path)) if path.exists() else {}


def _tags(summary: Summary, manifest: Mapping[str, Any]) -> dict[str, str]:
    own = {
        key: str(getattr(summary, key))
        for key in ("run", "created", "status", "dataset", "dataset_hash", "split_hash")
    }
    tags = {TAG + key: value for key, value in own.items()}
    return tags | ({"mlflow.source.git.commit": str(manifest["git"])} if manifest.get("git") else {})


def _summary(run: mlflow.entities.Run) -> Summary:
    tags = {key.removeprefix(TAG): value for key, value in run.data.tags.items()}
    figures = {from_mlflow(key): value for key, value in run.data.metrics.items()}
    return Summary(
        tags["run"],
        tags["created"],
        tags["status"],
        tags["dataset"],
        tags["dataset_hash"],
        tags["split_hash"],
        dict(run.data.params),
        {name: value for name, value in figures.items() if not name.startswith("epoch/")},
    )


def _chunks(values: list[Any], size: int) -> Iterator[list[Any]]:
    return (values[start : start + size] for start in range(0, len(values), size))
