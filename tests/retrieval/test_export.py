import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from recsys.errors import InputError, RecsysError, StoppedError
from recsys.retrieval import export as module
from recsys.retrieval.export import commit, export, plan, write_part
from recsys.retrieval.index.store import save_index
from recsys.retrieval.index.tuning import Chosen, Measured
from recsys.retrieval.recommender import Service
from recsys.storage.files import sha256
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from tests.factories import embeddings, run_folder, seen_rows

# Exports in a process of its own; the word "ranked" is printed after each part.
SCRIPT = """
import sys
from pathlib import Path
from recsys.errors import RecsysError
from recsys.retrieval import export as module

def advance(count):
    print("ranked", flush=True)
    sys.stdin.readline()

try:
    module.export(Path(sys.argv[1]), Path(sys.argv[2]), k=5, part_rows=10, index="exact", advance=advance)
except RecsysError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


@pytest.fixture
def run(home: Home) -> RunFolder:
    return run_folder(home, embeddings(), seen_rows())


def frame(path: Path) -> pl.DataFrame:
    read = {".parquet": pl.read_parquet, ".csv": pl.read_csv, ".jsonl": pl.read_ndjson}[path.suffix]
    return read(path)


def lists(run: RunFolder, k: int) -> list[tuple[str, str, int]]:
    """What ``recommend`` gives, one user at a time."""
    service = Service.open(run.path)
    return [
        (user, item.item, item.rank)
        for user in (f"u{code}" for code in range(12))
        for item in service.recommend([user], k)[0].items
    ]


@pytest.mark.parametrize("name", ["lists.parquet", "lists.csv", "lists.jsonl"])
def test_every_user_has_the_list_that_recommend_gives(run: RunFolder, tmp_path: Path, name: str) -> None:
    manifest = export(run.path, tmp_path / name, k=7)
    table = frame(tmp_path / name)
    assert table.columns == ["user", "item", "rank", "score"]
    assert list(table.select("user", "item", "rank").iter_rows()) == lists(run, 7)
    assert (table["score"].diff().filter(table["rank"].diff() == 1) <= 0).all()
    assert manifest["rows"] == table.height == 84
    assert sorted(os.listdir(tmp_path)) == ["home", name, f"{name}.manifest.json"]


def test_the_manifest_names_what_was_written(run: RunFolder, tmp_path: Path) -> None:
    export(run.path, tmp_path / "lists.csv", k=7)
    manifest = json.loads((tmp_path / "lists.csv.manifest.json").read_text())
    assert (manifest["run"], manifest["k"], manifest["index"]["kind"]) == ("run-1", 7, "exact")
    assert manifest["dataset"]["name"] == "log"
    assert manifest["files"] == [
        {
            "file": "lists.csv",
            "bytes": (tmp_path / "lists.csv").stat().st_size,
            "sha256": sha256(tmp_path / "lists.csv"),
        }
    ]
    assert manifest["served"]["model/vectors.safetensors"] == sha256(run.model / "vectors.safetensors")


def test_blocks_do_not_show(run: RunFolder, tmp_path: Path) -> None:
    export(run.path, tmp_path / "a.csv", k=7)
    made = plan(run.path, tmp_path / "b.csv", k=7)
    commit(made, [write_part(made, 0, users_at_once=5)])
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_parts_hold_at_most_so_many_rows_and_all_of_them(run: RunFolder, tmp_path: Path) -> None:
    manifest = export(run.path, tmp_path / "lists", k=7, part_rows=30)
    parts = sorted((tmp_path / "lists").iterdir())
    assert [path.name for path in parts] == ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]
    assert [pl.read_parquet(path).height for path in parts] == [28, 28, 28]
    assert [file["file"] for file in manifest["files"]] == [path.name for path in parts]
    whole = pl.read_parquet(tmp_path / "lists" / "*.parquet")
    assert list(whole.select("user", "item", "rank").iter_rows()) == lists(run, 7)
    export(run.path, tmp_path / "lists", k=7, part_rows=42)
    assert len(list((tmp_path / "lists").iterdir())) == 2
    assert sorted(os.listdir(tmp_path)) == ["home", "lists", "lists.manifest.json"]


def test_only_the_users_asked_for_in_their_order(run: RunFolder, tmp_path: Path) -> None:
    manifest = export(run.path, tmp_path / "lists.csv", k=2, users=["u7", "nobody", "u3", "u7"])
    assert frame(tmp_path / "lists.csv")["user"].to_list() == ["u7", "u7", "u3", "u3"]
    assert (manifest["users"], manifest["unknown_users"]) == (2, 1)
    with pytest.raises(InputError, match="none of the 2 users is known to run run-1, such as 'x'"):
        export(run.path, tmp_path / "none.csv", users=["x", "y"])


def test_a_k_beyond_the_catalogue_gives_what_there_is(run: RunFolder, tmp_path: Path) -> None:
    manifest = export(run.path, tmp_path / "lists.parquet", k=10**9)
    per_user = frame(tmp_path / "lists.parquet").group_by("user").len().sort("user")
    assert sorted(per_user["len"].to_list()) == [25] * 11 + [30]
    assert (manifest["k"], manifest["rows"]) == (30, 11 * 25 + 30)


def test_auto_takes_what_ranks_many_users_faster(run: RunFolder, tmp_path: Path) -> None:
    pytest.importorskip("annoy", reason="annoy is not installed: it needs a C++ compiler")
    from recsys.retrieval.index.annoy import Annoy

    model = embeddings()
    for annoy_ms, wanted in ((0.1, "annoy"), (0.9, "exact")):
        mine, exact = (
            Measured({"trees": 2, "search_k": 20}, 0.97, 0.0, 1.0, 1.0, batch) for batch in (annoy_ms, 0.5)
        )
        index = Annoy("cosine", 2).build(model.items)
        save_index(
            run.index,
            "annoy",
            index,
            model.items,
            Chosen("annoy", index, 20, 0.95, mine, exact, (mine,), "").promise,
        )
        run.seal()
        manifest = export(run.path, tmp_path / "lists.csv", k=3)
        assert manifest["index"]["kind"] == wanted
        assert manifest["index"].get("recall@20") == (0.97 if wanted == "annoy" else None)
        assert export(run.path, tmp_path / "lists.csv", k=3, index="annoy")["index"]["kind"] == "annoy"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("lists.xlsx", {}, "cannot tell the format of 'lists.xlsx'; end it in .parquet, .csv or .jsonl"),
        ("lists", {}, "cannot tell the format of 'lists'"),
        ("lists.csv", {"k": 0}, "k is 0; a list has at least 1 item"),
        ("lists", {"part_rows": 0}, "--part-rows is 0"),
        ("lists.csv", {"users": []}, "there is no user to export"),
        ("home", {"part_rows": 5}, "is a folder that no export made"),
    ],
)
def test_wrong_requests_write_nothing(
    run: RunFolder, tmp_path: Path, name: str, options: dict[str, int], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        export(run.path, tmp_path / name, **options)  # type: ignore[arg-type]
    assert os.listdir(tmp_path) == ["home"]


def test_a_place_that_cannot_be_written_is_told(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecsysError, match="cannot write"):
        export(run.path, tmp_path / "file" / "lists.csv")


def start(run: RunFolder, out: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(run.path), str(out)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def go_on(process: subprocess.Popen[str], parts: int) -> None:
    """Let it rank ``parts`` parts of two users, and wait until the next one is ranked but not written."""
    assert process.stdin is not None
    assert process.stdout is not None
    for _ in range(parts):
        assert process.stdout.readline() == "ranked\n"
        process.stdin.write("\n")
        process.stdin.flush()
    assert process.stdout.readline() == "ranked\n"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_export_leaves_what_was_there_and_goes_on(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: signal.Signals
) -> None:
    out = tmp_path / "lists"
    export(run.path, out, k=3, part_rows=100)
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    process = start(run, out)
    go_on(process, parts=3)
    process.send_signal(how)
    _, message = process.communicate(timeout=30)
    assert process.returncode != 0
    if how == signal.SIGINT:
        assert message == (
            "StoppedError: stopped; 3 of 6 parts are kept; the same command continues from there\n"
        )
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    work = tmp_path / ".lists.export" / "parts"
    kept = {path.name: path.stat().st_mtime_ns for path in work.glob("part-*")}
    assert sorted(kept) == ["part-00000.parquet", "part-00001.parquet", "part-00002.parquet"]

    ranked = []
    monkeypatch.setattr(
        module,
        "ranked",
        lambda service, seen, users, *rest, make=module.ranked: (
            ranked.append(users) or make(service, seen, users, *rest)
        ),
    )
    export(run.path, out, k=5, part_rows=10, index="exact")
    assert [users.tolist() for users in ranked] == [[6, 7], [8, 9], [10, 11]]
    assert all((out / name).stat().st_mtime_ns == moment for name, moment in kept.items())
    whole = pl.read_parquet(out / "*.parquet")
    assert list(whole.select("user", "item", "rank").iter_rows()) == lists(run, 5)
    assert sorted(os.listdir(tmp_path)) == ["home", "lists", "lists.manifest.json"]


def test_another_export_does_not_take_up_the_parts_of_a_stopped_one(run: RunFolder, tmp_path: Path) -> None:
    process = start(run, tmp_path / "lists")
    go_on(process, parts=2)
    process.kill()
    process.communicate(timeout=30)
    export(run.path, tmp_path / "lists", k=4, part_rows=10)
    whole = pl.read_parquet(tmp_path / "lists" / "*.parquet")
    assert list(whole.select("user", "item", "rank").iter_rows()) == lists(run, 4)


def test_ctrl_c_in_this_process_is_a_stop_too(run: RunFolder, tmp_path: Path) -> None:
    def stop(count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(StoppedError, match="stopped; 0 of 1 parts are kept"):
        export(run.path, tmp_path / "lists.csv", advance=stop)
    assert not (tmp_path / "lists.csv").exists()
    export(run.path, tmp_path / "lists.csv", k=7)
    assert list(frame(tmp_path / "lists.csv").select("user", "item", "rank").iter_rows()) == lists(run, 7)


@pytest.mark.parametrize("name", ["lists.parquet", "lists.csv", "lists.jsonl"])
def test_a_full_disk_leaves_nothing_half_written(run: RunFolder, tmp_path: Path, name: str) -> None:
    """The limit on the size of a file stands in for the end of the disk."""
    script = (
        "import resource, sys; from pathlib import Path;"
        "from recsys.errors import RecsysError; from recsys.retrieval.export import export\n"
        "import pyarrow.parquet, polars\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (1500, {resource.RLIM_INFINITY}))\n"
        "try:\n    export(Path(sys.argv[1]), Path(sys.argv[2]), k=25)\n"
        "except RecsysError as error:\n    sys.exit(f'{type(error).__name__}: {error}')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(run.path), str(tmp_path / name)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.startswith("RecsysError: cannot write ")
    assert "File too large; free some space or choose another place" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / name).exists()
    assert not list((tmp_path / f".{name}.export" / "parts").iterdir())


def test_a_damaged_run_is_not_exported(run: RunFolder, tmp_path: Path) -> None:
    path = run.model / "vectors.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    with pytest.raises(RecsysError, match="was changed"):
        export(run.path, tmp_path / "lists.csv")
    assert os.listdir(tmp_path) == ["home"]
