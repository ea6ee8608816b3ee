"""The most-popular list on fixed splits: the numbers that tell a right loader and evaluator."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.evaluation.evaluate import evaluate
from recsys.evaluation.truth import Truth
from recsys.models.popularity import Popularity
from recsys.models.spectral import Spectral
from recsys.retrieval.ranking import rank
from tests.splits import read_split

FINGERPRINTS = {
    "gowalla": (0.04163, 0.03169),
    "movielens1m_m1": (0.11608, 0.11760),
    "ir-amazon2014-electronic": (0.04856, 0.02999),
    "ir-amazon2014-health": (0.10080, 0.07750),
}


@pytest.mark.realdata
@pytest.mark.slow
@pytest.mark.parametrize("name", FINGERPRINTS)
def test_popularity_has_the_known_fingerprint(realdata: Path, name: str) -> None:
    train, test = read_split(realdata / name)
    truth = Truth.of(test, train.users, train.items)
    found = evaluate(
        Popularity().fit(train).scorer, truth, train.histories(), metrics=("recall@20", "ndcg@20")
    )
    assert tuple(found.values.values()) == pytest.approx(FINGERPRINTS[name], abs=6e-6)


@pytest.mark.realdata
@pytest.mark.parametrize("name", ["ir-amazon2014-health", "ir-amazon2014-electronic"])
def test_an_independent_scorer_of_exported_lists_agrees(realdata: Path, name: str, tmp_path: Path) -> None:
    tool = realdata.parent / "tools" / "score_lists.py"
    if not tool.is_file():
        pytest.skip(f"no {tool}")
    train, test = read_split(realdata / name)
    truth, seen = Truth.of(test, train.users, train.items), train.histories()
    model = Spectral(dim=16).fit(train).scorer
    codes, _ = rank(model, truth.users, 20, seen)
    users, ranks = np.nonzero(codes >= 0)
    pl.DataFrame({
        "user": truth.user_ids.gather(users),
        "item": train.items.decode(codes[users, ranks]),
        "rank": ranks + 1,
    }).write_parquet(tmp_path / "lists.parquet")  # fmt: skip
    train_path, test_path = realdata / name / "train.tsv", realdata / name / "test.tsv"
    done = subprocess.run(
        [sys.executable, tool, tmp_path / "lists.parquet", test_path, "--train", train_path],
        capture_output=True,
        text=True,
        check=True,
    )
    _, users_scored, _, recall, _, ndcg = done.stdout.split()
    found = evaluate(model, truth, seen, metrics=("recall@20", "ndcg@20"))
    assert found.counts["users"] == int(users_scored)
    assert found.values["recall@20"] == pytest.approx(float(recall), abs=1e-6)
    assert found.values["ndcg@20"] == pytest.approx(float(ndcg), abs=1e-6)
