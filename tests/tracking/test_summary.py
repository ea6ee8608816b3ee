import json

import pytest

from recsys.errors import RecsysError
from recsys.storage.home import Home
from recsys.tracking.champion import best, summaries, update_champions
from recsys.tracking.summary import Summary, epochs, flat
from tests.tracking.finished import finished


def test_a_run_is_flat_options_and_figures(home: Home) -> None:
    run = Summary.of(finished(home, quality=0.5))
    assert (run.model, run.loss, run.dataset) == ("two_tower", "triplet", "log")
    assert run.options["model.loss.margin"] == "0.2"
    assert run.options["chosen.epochs"] == "2"
    assert run.options["baselines.als.alpha"] == "20.0"
    assert run.figures["recall@20"] == 0.5
    assert run.interval("recall@20") == (0.45, 0.55)
    assert run.figures["baseline/als/ndcg@10"] == 0.4
    assert run.figures["baseline/als/seconds"] == 0.3
    assert run.figures["seconds/fit"] == 1.5
    assert run.valid == 0.25
    assert run.baselines == ["als", "popularity"]
    assert run.figures["bytes"] > 1000
    assert run.interval("novelty@20") is None


def test_a_figure_that_is_undefined_is_left_out(home: Home) -> None:
    run = finished(home)
    manifest = run.manifest()
    manifest["metrics"]["mrr@20"] = None
    manifest["intervals"]["ndcg@10"] = [None, None]
    run.write_manifest({key: value for key, value in manifest.items() if key not in {"schema", "run"}})
    read = Summary.of(run)
    assert "mrr@20" not in read.figures
    assert read.interval("ndcg@10") is None


def test_lists_and_nothing_are_told_apart_from_text() -> None:
    assert dict(flat({"a": [1, 2], "b": None, "c": "1", "d": {"name": "x", "e": True}}, "p")) == {
        "p.a": "[1, 2]",
        "p.b": "null",
        "p.c": "1",
        "p.d": "x",
        "p.d.e": "true",
    }


def run(name: str, created: str, split: str, valid: float | None, status: str = "finished") -> Summary:
    figures = {} if valid is None else {"valid/ndcg@10": valid}
    return Summary(name, created, status, "log", "d", split, {}, figures)


def test_the_champion_is_sought_on_the_split_of_the_newest_run() -> None:
    old, new, newest = run("a", "1", "x", 0.9), run("b", "2", "y", 0.3), run("c", "3", "y", 0.2)
    assert best([old, new, newest]) == new
    assert best([newest, old]) == newest
    assert best([old, run("d", "4", "z", None)]) is None
    assert best([old, run("d", "4", "x", 1.0, "failed")]) == old
    assert best([run("late", "2", "x", 0.9), old]) == old
    assert best([]) is None


def test_a_broken_run_folder_stops_nobody(home: Home) -> None:
    finished(home, "good")
    broken = finished(home, "broken")
    (broken.path / "run.json").write_text("{")
    assert [each.run for each in summaries(home)] == ["good"]
    assert update_champions(home)["log"].run == "good"
    assert json.loads((home.path / "champion.json").read_text()) == {"runs": {"log": "good"}}
    with pytest.raises(RecsysError, match="not valid JSON"):
        Summary.of(broken)


def test_each_dataset_has_a_champion_of_its_own(home: Home) -> None:
    finished(home, "a", dataset="one", valid=0.9)
    finished(home, "b", dataset="two", valid=0.1, created="2026-01-05T00:00:00+00:00")
    finished(home, "c", dataset="two", valid=0.2)
    assert {dataset: run.run for dataset, run in update_champions(home).items()} == {"one": "a", "two": "c"}
    assert (home.champion("one"), home.champion("two"), home.champion("three")) == ("a", "c", None)
    # a newer log under the same name, without a validation set: the champion of the older one resigns
    finished(home, "d", dataset="two", split="6" * 64, valid=None, created="2026-01-06T00:00:00+00:00")
    assert set(update_champions(home)) == {"one"}
    assert home.champion("two") is None


def test_a_baseline_that_failed_has_a_reason_and_no_figures(home: Home) -> None:
    run = finished(home)
    manifest = run.manifest()
    manifest["baselines"]["ease"] = {
        "failed": "too large", "options": {}, "tried": [], "seconds": 2.0, "metrics": {}, "intervals": {},
    }  # fmt: skip
    run.write_manifest({key: value for key, value in manifest.items() if key not in {"schema", "run"}})
    read = Summary.of(run)
    assert read.options["baselines.ease.failed"] == "too large"
    assert read.baselines == ["als", "popularity"]


def test_what_an_epoch_tells_in_words_is_no_figure(home: Home) -> None:
    run = finished(home)
    (run.path / "epochs.jsonl").write_text('{"epoch": 1, "similarity": "cosine", "score": null, "n": 3}\n')
    assert list(epochs(run)) == [(1, {"n": 3.0})]
