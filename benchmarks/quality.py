"""Recall@20 and NDCG@20 of named recipes on a fixed split, beside tuned baselines and what papers print.

    python -m benchmarks.quality SPLIT [RECIPE ...] [--seeds 3]

Epoch and settings are chosen on a tenth of train; then the recipe is fitted again on all of train and
scored once on the test file. Published figures were mostly chosen on the test file itself, so a recipe that
has one is fitted once more that way, for comparison only. Rows of other recipes are kept as they were
measured, so that one can be added to the table; with no recipe named, all are run.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from benchmarks.report import Result, measured_before
from benchmarks.splits import dataset
from recsys.data.tables import Interactions, Split
from recsys.errors import RecsysError
from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.evaluation import paired_difference
from recsys.evaluation.truth import Truth
from recsys.evaluation.validator import validator
from recsys.models.model import Validate
from recsys.models.tuning import grid_of, tune
from recsys.pipeline.build import build_model
from recsys.pipeline.config import ModelSection, RecipeConfig, TrainConfig, read_recipe
from recsys.pipeline.fit import fit, seen_rows, validation

RECIPES = Path(__file__).parents[1] / "pipelines" / "bench"
METRICS = ("recall@20", "ndcg@20")
COLUMNS = [
    "recipe", "Recall@20", "NDCG@20", "spread", "minus the best baseline (95 %)", "chosen", "seconds",
    "chosen on test", "published",
]  # fmt: skip
BASELINES: Mapping[str, list[dict[str, int]]] = {
    "popularity": [{}],
    "als": [{"dim": 64}, {"dim": 256}],
    "spectral": [{"dim": 64}, {"dim": 256}],
    "ease": [{}],
}
# Five inverses of a dense matrix of them are made.
EASE_ITEMS = 20_000


def score(
    section: ModelSection, config: TrainConfig, split: Split, validate: Validate | None, seed: int
) -> dict[str, Any]:
    """Fit by the rule and score once."""
    started = time.perf_counter()
    outcome = fit(build_model(section, seed), split, config.refit, validate=validate)
    seconds = time.perf_counter() - started
    scored = outcome.scored
    truth = Truth.of(split.test, scored.user_ids, scored.item_ids)
    seen = seen_rows(scored, pl.concat([split.train, split.valid]))
    found = evaluate(scored, truth, seen, metrics=METRICS)
    return {
        "values": found.values,
        "per_user": found.per_user,
        "seconds": seconds,
        "chosen": dict(outcome.chosen),
    }


def chosen_on_test(section: ModelSection, split: Split, seed: int) -> dict[str, float]:
    """What papers print: a fit to all of train whose epoch, and steps over the graph, the test file chose."""
    train = Interactions.of(pl.concat([split.train, split.valid]))
    judge = validator(split.test, train, "ndcg@20", max_users=None)
    # A plain number: papers take the best, whether or not it is best by chance.
    scorer = build_model(section, seed).fit(train, validate=lambda found: float(judge(found))).scorer
    truth = Truth.of(split.test, train.users, train.items)
    return dict(evaluate(scorer, truth, train.histories(), metrics=METRICS).values)


def baseline(name: str, options: dict[str, Any], split: Split, validate: Validate) -> dict[str, Any]:
    """A baseline, tuned on the held-out slice; its seconds count the tuning."""
    started = time.perf_counter()
    if grid_of(name):
        options = dict(tune(name, grid_of(name), Interactions.of(split.train), validate, options).options)
    section = ModelSection.model_validate({"name": name, **options})
    done = score(section, TrainConfig(), split, None, 0)
    chosen = {key: value for key, value in options.items() if key != "dim"}
    return done | {"seconds": time.perf_counter() - started, "chosen": chosen}


def measured_beside(split: Split, validate: Validate) -> dict[str, dict[str, Any]]:
    """Every baseline by what a table calls it; what cannot be fitted here is printed."""
    found = {}
    for name, each in BASELINES.items():
        if name == "ease" and split.train["item"].n_unique() > EASE_ITEMS:
            print(f"ease: an hour and more of inverting beyond {EASE_ITEMS:,} items; left out", flush=True)
            continue
        for given in each:
            label = name + ", tuned" * bool(grid_of(name)) + (f", d {given['dim']}" if given else "")
            try:
                found[label] = baseline(name, dict(given), split, validate)
            except RecsysError as error:
                print(f"{label}: {error}", flush=True)
    return found


def best_of(beside: Mapping[str, dict[str, Any]]) -> str:
    """The baseline that a table compares with: the best of them on the test set, by NDCG@20."""
    return max(beside, key=lambda name: beside[name]["values"]["ndcg@20"])


def row(
    name: str,
    runs: list[dict[str, Any]],
    beside: Mapping[str, dict[str, Any]],
    on_test: Mapping[str, float] | None = None,
    published: tuple[float, float] | None = None,
) -> list[Any]:
    """One line of the table: means over seeds; what the first run is compared with by the user."""
    means = [statistics.fmean(run["values"][metric] for run in runs) for metric in METRICS]
    spread = [
        statistics.stdev([run["values"][metric] for run in runs]) if len(runs) > 1 else None
        for metric in METRICS
    ]
    best = best_of(beside)
    difference = gap(runs[0], beside[best])
    return [
        name, round(means[0], 4), round(means[1], 4),
        " / ".join(f"{value:.4f}" for value in spread if value is not None) or None,
        difference if name in beside or difference is None else f"{difference}, {best}",
        ", ".join(_shown(runs[0]["chosen"])) or None,
        round(statistics.fmean(run["seconds"] for run in runs), 1),
        " / ".join(f"{on_test[metric]:.4f}" for metric in METRICS) if on_test else None,
        " / ".join(f"{value:.4f}" for value in published) if published else None,
    ]  # fmt: skip


def gap(run: dict[str, Any], other: dict[str, Any]) -> str | None:
    """The paired difference in NDCG@20 and its 95 % interval; None of a run and itself."""
    if run is other:
        return None
    found = paired_difference(run["per_user"], other["per_user"])["ndcg@20"]
    return f"{found['mean']:+.4f} ({found['low']:+.4f}, {found['high']:+.4f})"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("split")
    parser.add_argument("recipe", nargs="*")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    split = dataset(options.split).split()
    validate = validation(split)
    assert validate is not None
    wanted = options.recipe or [
        path.stem for path in sorted(RECIPES.glob("*.yaml")) if _is_for(path, options.split)
    ]
    beside, rows = measured_beside(split, validate), {}
    for label, done in beside.items():
        rows[label] = row(label, [done], beside)
        print(*rows[label], sep="  ", flush=True)
    for name in wanted:
        recipe: RecipeConfig = read_recipe(RECIPES / f"{name}.yaml", options.split)
        runs = [score(recipe.model, recipe, split, validate, seed) for seed in range(options.seeds)]
        published = recipe.published.get(options.split)
        on_test = chosen_on_test(recipe.model, split, 0) if published else None
        rows[name] = row(name, runs, beside, on_test, published)
        print(*rows[name], sep="  ", flush=True)
        _save(options.split, rows, whole=not options.recipe)


def _save(split: str, rows: dict[str, list[Any]], *, whole: bool) -> None:
    kept = {} if whole else {each[0]: each for each in measured_before(f"quality-{split}")}
    Result(
        f"quality-{split}", f"Quality on {split}",
        "Recall@20 and NDCG@20 over all items, train items left out; mean over seeds. Settings and epochs "
        "are chosen on a tenth of train, never on the test file, as published figures mostly are.",
        COLUMNS, list((kept | rows).values()),
        [
            "A row without a spread is of one seed. Seconds: all fits of one seed, on one or two busy "
            "threads; rows may be of different days and machines.",
            "A row without seconds joins fits that were kept from other rows and seeds.",
            "The best baseline is that of the table by NDCG@20 on the test file; differences are paired, per "
            "user, and of the first seed. One that says (means) is of the table, where the values of "
            "the users were not kept. EASE is left out beyond 20,000 items (gowalla: inverses of 19 GiB).",
            "Chosen on test: the recipe fitted to all of train with the epoch, and the steps over the graph, "
            "that the test file likes best, as most printed figures are; a comparison, not a claim.",
        ],
    ).save()  # fmt: skip


def _shown(chosen: Mapping[str, Any]) -> Iterator[str]:
    """What was chosen, that of parts too, but for the parts of a blend."""
    for key, value in chosen.items():
        if isinstance(value, Mapping):
            yield from _shown(value)
        elif key not in ("of", "name") and not isinstance(value, bool):
            yield f"{key} {value}"


def _is_for(path: Path, split: str) -> bool:
    from recsys.pipeline import yaml

    return split in yaml.load(path).get("on", {})


if __name__ == "__main__":
    main()
