"""One run: fit, score, compare with baselines, index, seal, track. All results are in the run folder."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from recsys import plugins
from recsys.columns import ITEM, TITLE
from recsys.data.dataset import Dataset
from recsys.data.tables import Split
from recsys.embeddings import Embeddings
from recsys.errors import InputError, StoppedError
from recsys.evaluation.folded import CannotFoldInError
from recsys.evaluation.main_metric import best, main_metric
from recsys.evaluation.record import Verdict
from recsys.models.item_scores import ItemWeights
from recsys.models.model import Identified, Model, Validate
from recsys.pipeline import yaml
from recsys.pipeline.baselines import Baseline, baseline
from recsys.pipeline.build import build_model
from recsys.pipeline.config import TrainConfig, document
from recsys.pipeline.epochs import Epochs
from recsys.pipeline.fit import Outcome, fit, seen_rows, validation
from recsys.pipeline.progress import Watcher
from recsys.pipeline.scoring import scored
from recsys.pipeline.versions import git_revision, versions
from recsys.retrieval.index.store import EXACT, save_index
from recsys.retrieval.index.tuning import choose
from recsys.retrieval.seen import Seen
from recsys.retrieval.serving_files import write_seen, write_titles
from recsys.seeds import derive
from recsys.storage.files import read_json, remove, write_json, write_text
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from recsys.tracking.tracker import ActiveRun, Tracker
from recsys.version import __version__


@dataclass(slots=True)
class _StageTimer:
    """Reports the stage that begins, and measures how long it takes."""

    watch: Watcher
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str, text: str) -> Iterator[None]:
        self.watch.stage(text)
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 3)


def run_key(dataset: Dataset, config: TrainConfig) -> str:
    """What makes two runs the same: the split, the side data, the configuration, and the version."""
    of_data = dataset.split_hash + dataset.side_hash
    others = _others(config)
    text = json.dumps([of_data, document(config), __version__, *([others] if others else [])], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def train(
    dataset: Dataset,
    config: TrainConfig,
    home: Home,
    *,
    tracker: Tracker,
    watch: Watcher,
    resume: str | None = None,
) -> RunFolder:
    """Fit and measure one run, and make it the current one.

    Args:
        dataset: What to train and test on.
        config: Settings of the run.
        home: Where the run folder goes.
        tracker: Where it is recorded.
        watch: Receives the progress.
        resume: Name of a stopped run of the same configuration, to be continued.

    Raises:
        InputError: If the dataset and the configuration do not go together.
        RecsysError: If fitting fails; the run folder keeps its checkpoints.
    """
    model = build_model(config.model, config.seed)
    split = dataset.split()
    validate = validation(split)
    if validate is None:
        watch.warn(
            "there is no validation set: nothing is stopped early or tuned; "
            "make one with recsys etl --valid 0.1"
        )
    run = RunFolder(home.runs / (resume or _name(config)))
    settings = {"dataset": dataset.name, **document(config)}
    if resume:
        _same_plugins(run, config)
    elif others := _others(config):
        write_json(run.plugins, others)
    write_text(run.path / "config.yaml", yaml.dumps(settings))
    watch.stage(f"run {run.name}")
    active = tracker.begin(run.name, dataset.name, settings)
    try:
        _make(run, model, dataset, split, config, validate, watch, active)
    except KeyboardInterrupt:
        active.end("KILLED")
        raise StoppedError(f"stopped; continue with: recsys train --resume {run.name}") from None
    except BaseException:
        active.end("FAILED")
        raise
    home.set_current("run", run.name)
    active.end()
    tracker.log(run)
    return run


def _make(
    run: RunFolder,
    model: Model,
    dataset: Dataset,
    split: Split,
    config: TrainConfig,
    validate: Validate | None,
    watch: Watcher,
    active: ActiveRun,
) -> None:
    """Fill the run folder. Its manifest, without which it is no run, is written last, before the seal."""
    clock = _StageTimer(watch)
    if (text := _expected(config)) is not None:
        watch.stage(text)
    with clock.stage("fit", f"fitting {_title(config)} to {split.train.height:,} interactions"):
        report = Epochs(run.path / "epochs.jsonl", "epoch", getattr(model, "epochs", None), watch, active)
        outcome = fit(
            model, split, config.refit,
            validate=validate, features=dataset.features(), report=report, checkpoints=run.checkpoints,
            again=lambda step, figures: watch.epoch("refit, epoch", step, None, figures),
        )  # fmt: skip
        served = _servable(outcome.served, config)
    with clock.stage("evaluate", f"ranking all {len(outcome.scored.item_ids):,} items for every test user"):
        verdict = scored(outcome.scored, split, config.metrics, config.warm_up, config.seed, watch)
    baselines, unfit = {}, {}
    for name in config.baselines:
        with clock.stage(f"baseline {name}", f"baseline {name}"):
            try:
                baselines[name] = baseline(
                    name, getattr(model, "dim", None), dataset, split, config, validate, watch
                )
            except CannotFoldInError as error:
                unfit[name] = str(error)
    goal = f"recall@{config.index.k} of {config.index.target_recall:g}"
    with clock.stage("index", f"choosing an index with a measured {goal}"):
        index = _serve(run, dataset, split, outcome, served, config)

    verdict.write(run.evaluation / "per_user.parquet")
    for name, each in baselines.items():
        if each.verdict:
            each.verdict.write(run.evaluation / f"{name}.parquet")
    beside = {name: _baseline(verdict, each, config.seed) for name, each in baselines.items()}
    judge = main_metric(config.metrics)
    remove(run.checkpoints)
    run.write_manifest(
        {
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "status": "finished",
            "key": run_key(dataset, config),
            "dataset": {"name": dataset.name, "hash": dataset.hash, "split_hash": dataset.split_hash},
            "model": {"name": config.model.name, "options": _options(config), "chosen": dict(outcome.chosen)},
            "seed": config.seed,
            "refit": config.refit,
            **verdict.document(),
            "valid": {} if outcome.valid is None else {"ndcg@10": outcome.valid},
            "baselines": beside,
            "main_metric": judge,
            "best_baseline": best({name: each["metrics"] for name, each in beside.items()}, judge),
            **({"cannot_fold_in": unfit} if unfit else {}),
            "index": index,
            "seconds": clock.seconds,
            "versions": versions() | _others(config, index["kind"]),
            "git": git_revision(Path.cwd()),
        }
    )
    run.seal()


def _servable(model: Identified, config: TrainConfig) -> Embeddings:
    """The vectors that are saved and served.

    Raises:
        InputError: If the model has none, or cannot be ranked by the index given.
    """
    if isinstance(model, Embeddings):
        return model
    if not isinstance(model, ItemWeights):
        raise InputError(
            f"{config.model.name} is not made of vectors, so it cannot be served; compare with it: "
            f"recsys train --baselines {config.model.name.replace('_', '-')}"
        )
    if config.index.kind not in ("auto", EXACT):
        raise InputError(
            f"{config.model.name} is a sum over the history, which only the exact index ranks; "
            "take --index exact or auto"
        )
    return model.embeddings()


def _serve(
    run: RunFolder,
    dataset: Dataset,
    split: Split,
    outcome: Outcome,
    served: Embeddings,
    config: TrainConfig,
) -> dict[str, Any]:
    """Write the files that serving needs; returns the measured recall and speed of the index."""
    seen = Seen.of(*(seen_rows(served, rows) for rows in (outcome.learned, split.test, split.known)))
    served.save(run.model)
    write_seen(run.seen, seen)
    items = dataset.items()
    if items is not None and TITLE in items.columns:
        known = pl.DataFrame({ITEM: served.item_ids.ids})
        write_titles(run.titles, known.join(items, on=ITEM, how="left", maintain_order="left")[TITLE])
    kind = config.index.kind if isinstance(outcome.served, Embeddings) else EXACT
    chosen = choose(
        served.items, served.users, seen.rows, served.distance,
        target=config.index.target_recall, k=config.index.k, kind=kind,
        seed=derive(config.seed, "index"),
    )  # fmt: skip
    save_index(run.index, chosen.kind, chosen.index, served.items, chosen.promise)
    return chosen.summary


def _baseline(verdict: Verdict, each: Baseline, seed: int) -> dict[str, Any]:
    made = {"options": dict(each.options), "tried": each.tried, "seconds": each.seconds}
    if each.verdict is None:
        return {**made, "failed": each.failed, "metrics": {}, "intervals": {}, "difference": {}}
    stored = each.verdict.document()
    return {
        **made,
        "metrics": stored["metrics"],
        "intervals": stored["intervals"],
        "difference": verdict.difference(each.verdict, seed),
        **each.verdict.beside,
    }


def _same_plugins(run: RunFolder, config: TrainConfig) -> None:
    """Refuse to go on with parts other than those that a run was started with.

    Raises:
        InputError: If a package has another version, or a file was changed.
    """
    started: dict[str, str] = read_json(run.plugins) if run.plugins.exists() else {}
    now = _others(config)
    for part in sorted(started.keys() | now.keys()):
        if started.get(part) != now.get(part):
            raise InputError(
                f"run {run.name} was started with {part} of {started.get(part, 'recsys itself')}, "
                f"now it is of {now.get(part, 'recsys itself')}; "
                "bring back what it was started with, or start a new run"
            )


def _others(config: TrainConfig, index: str | None = None) -> dict[str, str]:
    """Parts that others offer, and who does; ``index`` is the kind that was chosen."""
    kind, offered = index or config.index.kind, plugins.foreign("indexes")
    found = plugins.given_by_others(document(config)["model"], config.metrics)
    return found | ({f"indexes {kind}": offered[kind]} if kind in offered else {})


def _options(config: TrainConfig) -> dict[str, Any]:
    return {key: value for key, value in document(config)["model"].items() if key != "name"}


def _title(config: TrainConfig) -> str:
    loss = document(config)["model"].get("loss")
    return f"{config.model.name} {loss['name']}" if isinstance(loss, dict) else config.model.name


def _expected(config: TrainConfig) -> str | None:
    """A note on the cost of a slow distance; None for others."""
    distance = document(config)["model"].get("distance")
    if distance is None:
        return None
    cost = plugins.part("distances", distance["name"]).constants.get("cost")
    return cost and (
        f"note: a step in {distance['name']} takes about {cost:g} times as long as in cosine on a CPU; "
        "the time left is shown after the first epoch"
    )


def _name(config: TrainConfig) -> str:
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    return f"{_title(config).replace(' ', '-').replace('_', '-')}-{now}-{secrets.token_hex(2)}"
