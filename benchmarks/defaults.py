"""Whether one default holds everywhere: ``recsys train`` as it comes, on logs beside the fixed splits.

    python -m benchmarks.defaults [LOG ...]

Each log goes through the ETL and is split; the default, the triplet loss and the blend are fitted with no
option given, by the rule of ``recsys train`` (choices on the validation set, a refit on train and valid), and
scored once on the test set, beside baselines that are tuned by the same rule. Other logs are kept as they
were measured.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from benchmarks.quality import best_of, gap, measured_beside, score
from benchmarks.report import Result, measured_before
from benchmarks.splits import realdata
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl
from recsys.data.tables import Split
from recsys.pipeline import yaml
from recsys.pipeline.config import ModelSection, TrainConfig
from recsys.pipeline.fit import validation
from recsys.storage.home import Home

PIPELINES: Final = Path(__file__).parents[1] / "pipelines"


def _shipped(name: str) -> dict[str, Any]:
    """What the pipeline of that name says of its log, which is a folder of that name."""
    data: dict[str, Any] = yaml.load(PIPELINES / f"{name}.yaml")["data"]
    return data | {"logs": [name]}


LOGS: Final[Mapping[str, dict[str, Any]]] = {
    "ml-100k": _shipped("ml-100k"),
    "movietweetings": _shipped("movietweetings"),
    "movietweetings-random": _shipped("movietweetings") | {
        "min_user": 1, "min_item": 1, "split": "random:0.2",
    },
    "online-retail": _shipped("online-retail"),
    "ml-1m-temporal": {
        "logs": ["ir-movielens-1m-temporal/train.tsv"], "test": "ir-movielens-1m-temporal/test.tsv",
    },
    "goodbooks": {"logs": ["goodbooks-10k/ratings.csv"], "positive_from": 4, "split": "random:0.2"},
}  # fmt: skip
MODELS: Final[Mapping[str, dict[str, Any]]] = {
    "default": {"name": "two_tower"},
    "triplet": {"name": "two_tower", "loss": "triplet"},
    "blend": {"name": "blend"},
}
COLUMNS: Final = [
    "log", "train rows", "popularity", "ALS, tuned", "best baseline", "", "default",
    "minus the best baseline (95 %)", "triplet", "of the default", "blend", "minus the best baseline (95 %)",
    "seconds",
]  # fmt: skip


def split_of(log: str, home: Home) -> Split:
    """The log, through the ETL into ``home``, and split."""
    given = LOGS[log]
    files: dict[str, Any] = {"logs": [str(realdata(each)) for each in given["logs"]]}
    if "test" in given:
        files["test"] = str(realdata(given["test"]))
    return etl(EtlOptions(**(given | files | {"name": log})), home).split()


def measure(log: str, split: Split, models: Mapping[str, dict[str, Any]] = MODELS) -> list[Any]:
    """One line of the table."""
    validate = validation(split)
    assert validate is not None
    beside = measured_beside(split, validate)
    best = best_of(beside)
    done = {
        name: score(ModelSection.model_validate(options), TrainConfig(), split, validate, 0)
        for name, options in models.items()
    }
    ndcg = {name: run["values"]["ndcg@20"] for name, run in done.items()}
    return [
        log, len(split.train) + len(split.valid),
        *(round(beside[name]["values"]["ndcg@20"], 4) for name in ("popularity", "als, tuned, d 64", best)),
        best, round(ndcg["default"], 4), gap(done["default"], beside[best]),
        round(ndcg["triplet"], 4), f"{ndcg['triplet'] / ndcg['default']:.0%}",
        round(ndcg["blend"], 4), gap(done["blend"], beside[best]), round(done["default"]["seconds"], 1),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", nargs="*")
    wanted = parser.parse_args().log or list(LOGS)
    if unknown := set(wanted) - set(LOGS):
        parser.error(f"no log {', '.join(sorted(unknown))}; there are: {', '.join(LOGS)}")
    rows = {row[0]: row for row in measured_before("defaults")}
    with tempfile.TemporaryDirectory(prefix="recsys-defaults-") as folder:
        for log in wanted:
            rows[log] = measure(log, split_of(log, Home(Path(folder))))
            print(*rows[log], sep="  ", flush=True)
            _save(rows)


def _save(rows: Mapping[str, list[Any]]) -> None:
    missing = [log for log in LOGS if log not in rows]
    Result(
        "defaults", "One default",
        "NDCG@20 on the test set of what `recsys train`, `recsys train --loss triplet` and "
        "`recsys train --model blend` make with no further option, one seed, beside baselines tuned by the "
        "same rule: ALS at d 64 and 256, spectral at d 64 and 256, EASE; differences to the best of them on "
        "the test set are paired, user by user. movietweetings-random and goodbooks are split at "
        "random, the others in time. The defaults were chosen on the validation sets of the demo, "
        "ml-100k and movietweetings in time and the four splits above; not on the other logs, but for the "
        "share of the start, which was set later, by the validation sets of all but goodbooks.",
        COLUMNS, [rows[log] for log in LOGS if log in rows],
        [
            "A difference that says (means) is of the table's values: the run was measured beside ALS alone, "
            "and its values per user were not kept.",
            "Seconds: the default with its choices and its refit, on one or two busy threads.",
            *([f"Not measured yet: {', '.join(missing)}."] if missing else []),
        ],
    ).save()  # fmt: skip


if __name__ == "__main__":
    main()
