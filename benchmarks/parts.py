"""Every part at its defaults, as ``recsys train`` runs it on ml-100k split at random, beside popularity.

    python -m benchmarks.parts [FAMILY[.PART] ...]

Parts are those that ``recsys parts`` lists; all else stays at its default too, with bpr at one temperature
for the loss, unless the part says that it needs another loss or distance. A part that was measured before is
kept, so that one can be measured again.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, Final

from benchmarks.report import Result, measured_before
from benchmarks.splits import realdata
from recsys import plugins
from recsys.data.dataset import Dataset
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl
from recsys.errors import InputError, RecsysError
from recsys.learning.reducers import REDUCERS
from recsys.models.initialization import STARTS
from recsys.pipeline.config import TrainConfig, parse
from recsys.pipeline.progress import Silent
from recsys.pipeline.train import train
from recsys.storage.home import Home
from recsys.tracking.untracked import Untracked

METRIC: Final = "ndcg@20"
COLUMNS: Final = ["family", "part", "NDCG@20", "minus popularity (95 %)", "above", "epochs", "seconds", "as"]
# The option of the two towers that a family is chosen by; what has no file of its own stands with its names.
OPTIONS: Final = {family: key for key, family in plugins.NESTED.items() if family != "models"}
# What other parts are tried with: a loss that leaves nothing to try, and no start joined to the finished
# vectors, so that runs differ in the part alone.
BESIDE: Final = {"name": "two_tower", "loss": {"name": "bpr", "temperature": 0.12}, "start_share": 0.0}
PLAIN: Final = {"reducers": ("reducer", tuple(REDUCERS)), "starts": ("start", STARTS)}


def requests() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Family, name and model section of every part."""
    for name in plugins.names("models"):
        yield "models", name, {"name": name}
    for family, key in OPTIONS.items():
        for name in plugins.names(family):
            yield family, name, compatible(key, name)
    for family, (key, names) in PLAIN.items():
        for name in names:
            yield family, name, {**BESIDE, key: name}


def compatible(key: str, name: str) -> dict[str, Any]:
    """The two towers with one part, and the first distance and loss that go with it, the defaults before all.

    Raises:
        InputError: If none do.
    """
    model = {**BESIDE, key: name}
    others = [each for each in ("distance", "loss") if each != key]
    for names in product(*((None, *plugins.names(plugins.NESTED[each])) for each in others)):
        spec = model | {each: other for each, other in zip(others, names, strict=True) if other}
        if not any(plugins.mismatches(spec).values()):
            return spec
    raise InputError(f"no loss and distance go with the {key} {name}")


def measure(dataset: Dataset, home: Home, family: str, name: str, model: Mapping[str, Any]) -> list[Any]:
    """One line of the table; a run that stops says why."""
    asked = {
        "model": model, "refit": "none", "baselines": ["popularity"], "metrics": [METRIC],
        "index": {"kind": "exact"},
    }  # fmt: skip
    others = [f"{key} {value}" for key, value in model.items() if value not in (name, *BESIDE.values())]
    beside = ", ".join(others) or None
    try:
        run = train(dataset, parse(TrainConfig, asked), home, tracker=Untracked(home), watch=Silent())
    except RecsysError as error:
        return [family, name, None, None, f"stopped: {error}", None, None, beside]
    found = run.manifest()
    gap = found["baselines"]["popularity"]["difference"][METRIC]
    return [
        family, name, round(found["metrics"][METRIC], 4),
        f"{gap['mean']:+.4f} ({gap['low']:+.4f}, {gap['high']:+.4f})",
        "yes" if gap["low"] > 0 else "no",
        found["model"]["chosen"].get("epochs"), round(found["seconds"]["fit"], 1), beside,
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", nargs="*")
    wanted, every = set(parser.parse_args().part), list(requests())
    known = {family for family, _, _ in every} | {f"{family}.{name}" for family, name, _ in every}
    if unknown := wanted - known:
        parser.error(f"no part {', '.join(sorted(unknown))}; there are: {', '.join(sorted(known))}")
    rows = {(row[0], row[1]): row for row in measured_before("parts")}
    with tempfile.TemporaryDirectory(prefix="recsys-parts-") as folder:
        home = Home(Path(folder))
        options = EtlOptions(
            logs=[str(realdata("ml-100k"))], format="movielens", split="random:0.2", name="ml-100k"
        )
        dataset = etl(options, home)
        for family, name, model in every:
            if not wanted or wanted & {family, f"{family}.{name}"}:
                rows[family, name] = measure(dataset, home, family, name, model)
                print(*rows[family, name], sep="  ", flush=True)
                _save(rows, [(family, name) for family, name, _ in every])


def _save(measured: Mapping[tuple[str, str], list[Any]], every: list[tuple[str, str]]) -> None:
    rows = [measured[part] for part in every if part in measured]
    below = [row[1] for row in rows if row[4] != "yes" and row[1] != "popularity"]
    missing = [f"{family}.{name}" for family, name in every if (family, name) not in measured]
    Result(
        "parts",
        "Every part",
        "ml-100k, all ratings, a fifth drawn at random and held out, a tenth of the rest to choose epoch and "
        "settings by; each part at its defaults, as `recsys train --refit none` runs it, one seed; all but "
        "the models without a share of the start in the score, all but those and the losses with bpr at a "
        "temperature of .12. "
        "Above: the paired difference to popularity leaves 0 out.",
        COLUMNS,
        rows,
        [
            f"Not above popularity, of those measured: {', '.join(below) or 'none'}.",
            *([f"Not measured yet: {', '.join(missing)}."] if missing else []),
        ],
    ).save()


if __name__ == "__main__":
    main()
