"""Finished runs as ``recsys train`` leaves them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from tests import factories


def finished(
    home: Home,
    name: str = "run-1",
    *,
    created: str = "2026-01-02T03:04:05+00:00",
    loss: str = "triplet",
    options: Mapping[str, Any] | None = None,
    split: str = "5" * 64,
    dataset: str = "log",
    valid: float | None = 0.25,
    quality: float = 0.5,
    status: str = "finished",
) -> RunFolder:
    """A run whose per-user ndcg@10 is about ``quality``, beside ALS at 0.4 and popularity at 0.1."""
    source = {"name": dataset, "hash": "d" * 64, "split_hash": split}
    run = factories.run_folder(home, factories.embeddings(), factories.seen_rows(), name=name, dataset=source)
    run.evaluation.mkdir()
    scores = {"per_user": quality, "als": 0.4, "popularity": 0.1}
    for file, each in scores.items():
        _per_user(each).write_parquet(run.evaluation / f"{file}.parquet")
    lines = [{"epoch": epoch, "loss": 0.7, "ndcg@10": epoch / 10} for epoch in (1, 2)]
    lines.insert(0, {"epoch": 1, "loss": 0.9, "ndcg@10": 0.0})  # told before the run was resumed
    (run.path / "epochs.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (run.path / "config.yaml").write_text("model: two_tower\n")
    run.write_manifest(
        {
            "created": created,
            "status": status,
            "dataset": source,
            "model": {
                "name": "two_tower",
                "options": {"dim": 4, "loss": {"name": loss, "margin": 0.2}, **(options or {})},
                "chosen": {"epochs": 2},
            },
            "seed": 0,
            "refit": "valid",
            **_judged(quality),
            "valid": {} if valid is None else {"ndcg@10": valid},
            "baselines": {
                "als": {
                    **_judged(0.4),
                    "seconds": 0.3,
                    "options": {"name": "als", "dim": 4, "alpha": 20.0, "iterations": 12},
                    "tried": [{"alpha": 5.0, "score": 0.1}, {"alpha": 20.0, "score": 0.2}],
                },
                "popularity": {**_judged(0.1), "options": {}},
            },
            "index": {"kind": "exact", "options": {}, "recall@20": 1.0, "p50_ms": 0.1, "p95_ms": 0.2},
            "counts": {"users": 12, "items": 30},
            "seconds": {"fit": 1.5, "evaluate": 0.5},
            "versions": {"python": "3.11"},
            "git": "abc123",
        }
    )
    run.seal()
    return run


def _per_user(quality: float) -> pl.DataFrame:
    noise = np.random.default_rng(7).normal(0, 0.05, 12)
    values = np.clip(quality + noise, 0, 1)
    return pl.DataFrame({"user": [f"u{user}" for user in range(12)], "ndcg@10": values, "recall@20": values})


def _judged(quality: float) -> dict[str, Any]:
    names = ("ndcg@10", "recall@20")
    return {
        "metrics": dict.fromkeys(names, quality),
        "intervals": {name: [quality - 0.05, quality + 0.05] for name in names},
    }
