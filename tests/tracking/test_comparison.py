from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from recsys.errors import InputError
from recsys.storage.home import Home
from recsys.tracking.comparison import compare
from recsys.tracking.summary import Summary
from tests.tracking.finished import finished


def on_disk(home: Home):  # type: ignore[no-untyped-def]
    return lambda run, file: pl.read_parquet(home.runs / run / "evaluation" / f"{file}.parquet")


def summary(home: Home, name: str, **options: object) -> Summary:
    return Summary.of(finished(home, name, **options))  # type: ignore[arg-type]


def test_rows_are_sorted_and_each_baseline_stands_once(home: Home) -> None:
    runs = [summary(home, "low", quality=0.3, loss="bpr"), summary(home, "high", quality=0.5)]
    found = compare(runs, "ndcg@10", on_disk(home))
    assert [row.name for row in found.rows] == ["high", "als (baseline)", "low", "popularity (baseline)"]
    assert [row.value for row in found.rows] == [0.5, 0.4, 0.3, 0.1]
    assert found.rows[0].interval == (0.45, 0.55)


def test_differences_are_paired_over_users(home: Home) -> None:
    runs = [summary(home, "low", quality=0.3), summary(home, "high", quality=0.5)]
    found = {row.name: row for row in compare(runs, "ndcg@10", on_disk(home)).rows}
    assert found["high"].to_best is None
    assert found["als (baseline)"].to_baseline is None
    to_best, to_als = found["low"].to_best, found["low"].to_baseline
    assert to_best is not None
    assert to_als is not None
    # the users' noise is the same in every row, so the paired differences have next to no spread
    assert to_best["mean"] == pytest.approx(-0.2)
    assert to_best["high"] - to_best["low"] < 0.01
    assert to_als["mean"] == pytest.approx(-0.1)


def test_only_what_differs_is_shown(home: Home) -> None:
    runs = [summary(home, "a", loss="bpr"), summary(home, "b", loss="triplet")]
    rows = {row.name: row for row in compare(runs, "ndcg@10", on_disk(home)).rows}
    assert rows["a"].options == {"loss": "bpr"}
    assert rows["b"].options == {"loss": "triplet"}
    assert rows["als (baseline)"].options == {"dim": "4", "alpha": "20.0"}
    assert rows["popularity (baseline)"].options == {}


def test_runs_of_different_splits_are_refused_by_name(home: Home) -> None:
    runs = [summary(home, "a"), summary(home, "b", split="6" * 64), summary(home, "c", dataset="other")]
    with pytest.raises(InputError, match=r"cannot be compared \(a: log, .*; b: log, .*split 66666666"):
        compare(runs, "ndcg@10", on_disk(home))
    renamed = compare([runs[0], runs[2]], "ndcg@10", on_disk(home))  # the same rows under another name
    assert len(renamed.rows) == 4


def test_an_unknown_metric_lists_those_there_are(home: Home) -> None:
    with pytest.raises(InputError, match="'mrr@5'; there are: ndcg@10, recall@20"):
        compare([summary(home, "a")], "mrr@5", on_disk(home))


def test_a_run_without_the_metric_is_left_out_and_said_so(home: Home) -> None:
    whole, part = summary(home, "whole"), summary(home, "part")
    part = replace(part, figures={key: value for key, value in part.figures.items() if "ndcg" not in key})
    found = compare([whole, part], "ndcg@10", on_disk(home))
    assert "part" not in [row.name for row in found.rows]
    assert found.notes == ["part has no ndcg@10 and is left out"]


def test_missing_values_a_user_leave_the_differences_empty_and_are_named(home: Home) -> None:
    found = compare([summary(home, "a")], "ndcg@10", lambda *_: None)
    assert all(row.to_best is None and row.to_baseline is None for row in found.rows)
    assert "a: its values per user are missing, so it has no paired difference" in found.notes


def test_runs_scored_on_different_users_are_not_paired(home: Home) -> None:
    finished(home, "a", quality=0.5)
    fewer = finished(home, "b", quality=0.6)
    table = pl.read_parquet(fewer.evaluation / "per_user.parquet").head(5)
    table.write_parquet(fewer.evaluation / "per_user.parquet")
    runs = [Summary.of(finished_run) for finished_run in (fewer,)] + [summary_of(home, "a")]
    found = compare(runs, "ndcg@10", on_disk(home))
    assert found.rows[1].to_best is None
    assert "a and b were scored on different users" in found.notes


def summary_of(home: Home, name: str) -> Summary:
    from recsys.storage.run_folder import RunFolder

    return Summary.of(RunFolder(home.runs / name))


def test_a_metric_of_all_lists_has_no_paired_difference(home: Home) -> None:
    run = summary(home, "a")
    run = replace(run, figures={**run.figures, "coverage@20": 0.7})
    found = compare([run], "coverage@20", on_disk(home))
    assert [row.value for row in found.rows] == [0.7]
    assert found.rows[0].to_best is None
    assert found.notes == []


def test_the_document_is_json_and_has_no_nan(home: Home) -> None:
    import json

    document = compare([summary(home, "a"), summary(home, "b")], "recall@20", on_disk(home)).document()
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert np.isfinite(document["rows"][0]["value"])
