import json

import pytest
from typer.testing import CliRunner, Result

from recsys.cli.main import app
from recsys.retrieval.index import tuning
from recsys.retrieval.recommender import Service
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from tests.factories import embeddings, run_folder, seen_rows

needs_annoy = pytest.mark.skipif(
    tuning.find_spec("annoy") is None, reason="annoy is not installed: it needs a C++ compiler"
)


@pytest.fixture
def run(home: Home) -> RunFolder:
    return run_folder(home, embeddings(700, 900, 8), seen_rows(700, 900))


def call(run: RunFolder, *words: str) -> Result:
    return CliRunner().invoke(app, ["index", *words, "--home", str(run.path.parent.parent), "--quiet"])


@needs_annoy
def test_build_writes_the_curve_and_verify_holds_it_to_the_promise(run: RunFolder) -> None:
    words = ("build", "--index", "annoy", "--target-recall", "0.8", "-k", "10")
    document = json.loads(call(run, *words, "--json").stdout)
    assert (document["run"], document["kind"], document["target"]) == ("run-1", "annoy", 0.8)
    assert document["recall@10"] >= 0.8
    assert set(document["curve"][0]) >= {"trees", "search_k", "recall", "p50_ms", "p95_ms"}
    assert Service.open(run.path).kind == "annoy"
    result = call(run, "verify", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["kept"] is True


@needs_annoy
def test_a_broken_promise_exits_1(run: RunFolder) -> None:
    call(run, "build", "--index", "annoy", "--target-recall", "0.8", "-k", "10")
    path = run.index / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["options"]["search_k"], manifest["target"] = 1, 0.999
    path.write_text(json.dumps(manifest))
    run.seal()
    result = call(run, "verify", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["kept"] is False
    assert "it promised 0.999; build it again with `recsys index build`" in result.stderr


def test_where_annoy_is_no_faster_it_is_ranked_exactly(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning, "_latencies", lambda *_: (1.0, 1.0))
    run = run_folder(home, embeddings(), seen_rows())
    result = call(run, "build")
    assert result.exit_code == 0, result.stderr
    assert "chosen: exact" in result.stdout
    assert Service.open(run.path).kind == "exact"
    assert call(run, "verify").exit_code == 0


@needs_annoy
def test_a_damaged_index_is_refused_and_can_be_built_again(run: RunFolder) -> None:
    call(run, "build", "--index", "annoy", "--target-recall", "0.5")
    path = run.index / "items.annoy"
    data = bytearray(path.read_bytes())
    data[9] ^= 1
    path.write_bytes(bytes(data))
    result = call(run, "verify")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "index/items.annoy was changed" in result.stderr
    assert call(run, "build", "--index", "annoy", "--target-recall", "0.5").exit_code == 0
    assert call(run, "verify").exit_code == 0


@needs_annoy
def test_a_foreign_index_is_refused_with_both_sides_named(run: RunFolder, home: Home) -> None:
    other = run_folder(home, embeddings(700, 800, 8), seen_rows(700, 800), name="run-2")
    for each in (run, other):
        call(each, "build", "--run", each.name, "--index", "annoy", "--target-recall", "0.5")
    for path in other.index.iterdir():
        (run.index / path.name).write_bytes(path.read_bytes())
    run.seal()
    result = call(run, "verify", "run-1")
    assert result.exit_code == 1
    assert "is of 800 items, the run has 900; build it with `recsys index build`" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["build", "--target-recall", "1.5"], "the target recall is 1.5"),
        (["build", "-k", "0"], "k is 0"),
        (["build", "nothing"], "there is no run 'nothing'"),
        (["build", "a", "--run", "b"], "two runs are given, 'a' and --run 'b'"),
        (["verify"], "there is no index in"),
    ],
)
def test_wrong_requests_exit_2(run: RunFolder, words: list[str], message: str) -> None:
    result = call(run, *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
