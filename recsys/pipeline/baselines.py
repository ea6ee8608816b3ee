"""Baselines that each run is compared with: tuned on the validation set, cached with the dataset."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recsys import plugins
from recsys.data.dataset import Dataset
from recsys.data.tables import Interactions, Split
from recsys.errors import RecsysError
from recsys.evaluation.folded import CannotFoldInError
from recsys.evaluation.record import Verdict
from recsys.models.model import Validate
from recsys.models.tuning import fits, grid_of, tune
from recsys.pipeline.build import build_model
from recsys.pipeline.config import ModelSection, TrainConfig, described
from recsys.pipeline.fit import Refit, fit
from recsys.pipeline.progress import Watcher
from recsys.pipeline.scoring import scored
from recsys.storage.files import read_json, replacing, write_json
from recsys.version import __version__


@dataclass(frozen=True, slots=True)
class Baseline:
    """Settings and results of a baseline.

    Args:
        options: Its options, tuned ones included.
        tried: Each point of the grid with its ndcg@10 on the validation set; empty if nothing was tuned.
        seconds: Of tuning and fitting.
        verdict: On the test set; None if it could not be fitted.
        failed: Why it could not be fitted; None if it was.
    """

    options: Mapping[str, Any]
    tried: list[dict[str, Any]]
    seconds: float
    verdict: Verdict | None
    failed: str | None = None


def baseline(
    name: str,
    dim: int | None,
    dataset: Dataset,
    split: Split,
    config: TrainConfig,
    validate: Validate | None,
    watch: Watcher,
) -> Baseline:
    """Tune on the validation set, refit by the rule of the run and score on test; or read the cached result.

    A baseline that cannot be fitted (vectors that are not finite, a matrix too large for the memory) does not
    end the run: it is returned with the reason, and the next run tries it again.

    ``dim`` is that of the run's model, so that vectors of one length are compared; None: the baseline's own.
    """
    refit: Refit = "none" if config.refit == "none" else "valid"
    section = _section(name, dim, config.seed)
    key = {
        "model": described(section, config.seed),
        "split": dataset.split_hash,
        "refit": refit,
        "seed": config.seed,
    }
    key |= {"side": dataset.side_hash} if dataset.side_hash else {}
    key |= {"warm_up": config.warm_up} if config.warm_up else {}
    text = json.dumps(key | {"metrics": config.metrics, "version": __version__}, sort_keys=True)
    folder = dataset.folder / "baselines" / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    started = time.perf_counter()
    try:
        if not folder.exists():
            _make(folder, section, dataset, split, config, refit, validate, watch)
    except CannotFoldInError:
        raise
    except RecsysError as error:
        watch.warn(f"baseline {name} failed and is left out of the comparison: {error}")
        options = described(section, config.seed)
        return Baseline(options, [], time.perf_counter() - started, None, str(error))
    stored = read_json(folder / "baseline.json")
    verdict = Verdict.read(stored, folder / "per_user.parquet")
    return Baseline(stored["options"], stored["tried"], stored["seconds"], verdict)


def _make(
    folder: Path,
    section: ModelSection,
    dataset: Dataset,
    split: Split,
    config: TrainConfig,
    refit: Refit,
    validate: Validate | None,
    watch: Watcher,
) -> None:
    started = time.perf_counter()
    options, tried, judge = section.options, [], validate
    if validate and grid_of(section.name):
        train = Interactions.of(split.train)
        points = fits(section.name, train)
        watch.stage(
            f"baseline {section.name} is tuned on the validation set: {points} setting{'s' * (points > 1)}"
        )

        def report(number: int, figures: Mapping[str, float]) -> None:
            watch.epoch(f"{section.name} setting", number, points, figures)

        tuned = tune(
            section.name,
            grid_of(section.name),
            train,
            validate,
            options,
            features=dataset.features(),
            report=report,
        )
        options, tried, judge = dict(tuned.options), tuned.tried, None
    settled = ModelSection.model_validate({"name": section.name, **options})
    outcome = fit(
        build_model(settled, config.seed), split, refit, validate=judge, features=dataset.features()
    )
    verdict = scored(outcome.scored, split, config.metrics, config.warm_up, config.seed, watch)
    with replacing(folder) as temporary:
        verdict.write(temporary / "per_user.parquet")
        write_json(
            temporary / "baseline.json",
            {
                "options": described(settled, config.seed) | dict(outcome.chosen),
                "tried": tried,
                "seconds": time.perf_counter() - started,
            }
            | verdict.document(),
        )


def _section(name: str, dim: int | None, seed: int) -> ModelSection:
    takes = {option.name for option in plugins.part("models", name).options}
    asked = {"seed": seed} | ({} if dim is None else {"dim": dim})
    given = {key: value for key, value in asked.items() if key in takes}
    return ModelSection.model_validate({"name": name, **given})
