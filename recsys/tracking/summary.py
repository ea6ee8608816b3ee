"""Settings and results of a run, flat: the same whether read from the run folder or from MLflow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recsys.storage.files import read_json
from recsys.storage.home import SEAL
from recsys.storage.run_folder import RunFolder

LOW: Final = "/low"
HIGH: Final = "/high"
# Beside the options of a baseline: the names of those chosen on the validation set.
TUNED: Final = "tuned"


@dataclass(frozen=True, slots=True)
class Summary:
    """One run.

    Args:
        run: Name of its folder.
        created: ISO 8601, UTC.
        status: ``finished`` or ``failed``.
        dataset: Name of the dataset.
        dataset_hash: Of its content.
        split_hash: Of its train, validation and test sets; runs are compared within one split only.
        options: Settings by dotted path: ``model.loss.margin``; what was chosen on the validation set:
            ``chosen.epochs``, a part as it was chosen; those of the tuned baselines, and why one
            failed, as ``baselines.als.failed``.
        figures: ``recall@20`` on the test set with ``recall@20/low`` and ``/high``, the same behind
            ``baseline/als/``; ``valid/ndcg@10``, ``seconds/fit``, ``index/p50_ms``, ``counts/users``
            and ``bytes``.
    """

    run: str
    created: str
    status: str
    dataset: str
    dataset_hash: str
    split_hash: str
    options: Mapping[str, str]
    figures: Mapping[str, float]

    @classmethod
    def of(cls, run: RunFolder) -> Summary:
        """Read a finished run's folder.

        Raises:
            RecsysError: If ``run.json`` is missing or broken.
        """
        manifest = run.manifest()
        dataset = manifest["dataset"]
        return cls(
            run.name,
            manifest["created"],
            manifest["status"],
            dataset["name"],
            dataset["hash"],
            dataset["split_hash"],
            dict(_options(manifest)),
            dict(_figures(manifest)) | {"bytes": _bytes(run.path)},
        )

    @property
    def model(self) -> str:
        """Name of the model."""
        return self.options.get("model", "")

    @property
    def loss(self) -> str | None:
        """Name of the loss; None for a model that has none."""
        return self.options.get("model.loss")

    @property
    def valid(self) -> float | None:
        """ndcg@10 on the validation set; None without one."""
        return self.figures.get("valid/ndcg@10")

    @property
    def baselines(self) -> list[str]:
        """Names of the baselines that the run was compared with, without failed ones."""
        names = (name.split("/")[1] for name in self.figures if name.startswith("baseline/"))
        return list(dict.fromkeys(names))

    def interval(self, name: str) -> tuple[float, float] | None:
        """The 95 % interval of a figure, if there is one."""
        low, high = self.figures.get(name + LOW), self.figures.get(name + HIGH)
        return None if low is None or high is None else (low, high)


def flat(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Settings by dotted path; a part is given by its name, and its options have the paths below.

    Example:
        >>> dict(flat({"name": "two_tower", "loss": {"name": "triplet", "margin": 0.2}, "dim": 64}, "model"))
        {'model': 'two_tower', 'model.loss': 'triplet', 'model.loss.margin': '0.2', 'model.dim': '64'}
    """
    if not isinstance(value, Mapping):
        yield path, value if isinstance(value, str) else json.dumps(value)
        return
    for key, each in value.items():
        yield from flat(each, path if key == "name" else f"{path}.{key}")


def epochs(run: RunFolder) -> Iterator[tuple[int, dict[str, float]]]:
    """Number from 1 and figures of each epoch; the last line of one that a resumed run reported again."""
    path = run.path / "epochs.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    last = {int(line["epoch"]): line for line in map(json.loads, lines) if line["epoch"] > 0}
    for epoch, line in sorted(last.items()):
        numbers = {name: float(value) for name, value in line.items() if isinstance(value, int | float)}
        yield epoch, {name: value for name, value in numbers.items() if name != "epoch"}


def _options(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    model = manifest["model"]
    chosen = model.get("chosen") or {}
    parts = {key: value for key, value in chosen.items() if isinstance(value, Mapping)}
    yield from flat({"name": model["name"], **model.get("options", {}), **parts}, "model")
    yield from flat({key: value for key, value in chosen.items() if key not in parts}, "chosen")
    for key in ("seed", "refit"):
        if key in manifest:
            yield key, str(manifest[key])
    index = manifest.get("index") or {}
    yield from flat({"name": index.get("kind", "exact"), **(index.get("options") or {})}, "index")
    for name, baseline in manifest.get("baselines", {}).items():
        yield from flat(baseline.get("options") or {}, f"baselines.{name}")
        if tuned := sorted(
            {key for point in baseline.get("tried") or () for key in point} - {"score", "failed"}
        ):
            yield f"baselines.{name}.{TUNED}", ", ".join(tuned)
        if "failed" in baseline:
            yield f"baselines.{name}.failed", str(baseline["failed"])


def _figures(manifest: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    yield from _judged(manifest, "")
    for name, baseline in manifest.get("baselines", {}).items():
        yield from _judged(baseline, f"baseline/{name}/")
        if baseline.get("seconds") is not None and "failed" not in baseline:
            yield f"baseline/{name}/seconds", float(baseline["seconds"])
    for group in ("valid", "seconds", "index", "counts"):
        for name, value in (manifest.get(group) or {}).items():
            if isinstance(value, int | float) and not isinstance(value, bool):
                yield f"{group}/{name}", float(value)


def _judged(scored: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    for name, value in scored.get("metrics", {}).items():
        if value is not None:
            yield prefix + name, float(value)
    for name, (low, high) in scored.get("intervals", {}).items():
        if low is not None and high is not None:
            yield prefix + name + LOW, float(low)
            yield prefix + name + HIGH, float(high)


def _bytes(folder: Path) -> float:
    """Bytes of the files that serving needs: the model and the index."""
    sealed: dict[str, dict[str, int]] = read_json(folder / SEAL)
    return float(sum(entry["size"] for name, entry in sealed.items() if not name.startswith("evaluation/")))
