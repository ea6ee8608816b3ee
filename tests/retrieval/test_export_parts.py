"""Parts of an export written in any order, by other processes, to any place that fsspec knows."""

import json
import pickle
import uuid
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import fsspec
import polars as pl
import pytest

from recsys.errors import InputError, RecsysError
from recsys.retrieval.export import Plan, commit, export, plan, write_part
from recsys.storage.run_folder import RunFolder
from tests.factories import embeddings, run_folder, seen_rows


@pytest.fixture
def run(home: Any) -> RunFolder:
    return run_folder(home, embeddings(users=20, items=30), seen_rows(users=20, items=30))


@pytest.fixture
def url() -> str:
    """A folder of its own in the memory of this process."""
    return f"memory://{uuid.uuid4().hex}"


def files(url: str) -> dict[str, bytes]:
    store = fsspec.filesystem("memory")
    root = url.removeprefix("memory:/")
    return {path.removeprefix(root + "/"): store.cat_file(path) for path in store.find(root)}


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_parts_in_any_order_and_process_are_the_export(run: RunFolder, tmp_path: Path, form: str) -> None:
    whole = export(run.path, tmp_path / f"whole.{form}", k=4, part_rows=20)
    made = plan(run.path, tmp_path / f"parts.{form}", k=4, part_rows=20)
    assert made.parts == 4
    elsewhere: Plan = pickle.loads(pickle.dumps(made))  # as an engine would send it
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        sent = [pool.submit(write_part, elsewhere, number) for number in (3, 1)]
        found = [each.result(timeout=60) for each in sent]
    assert not (tmp_path / f"parts.{form}").exists()
    found += [write_part(made, number) for number in (0, 2, 3)]  # 3 again, as if it had been lost
    assert commit(made, found)["files"] == whole["files"]
    for each in whole["files"]:
        name = each["file"]
        assert (tmp_path / f"parts.{form}" / name).read_bytes() == (
            tmp_path / f"whole.{form}" / name
        ).read_bytes()


def test_a_missing_part_is_not_committed(run: RunFolder, tmp_path: Path) -> None:
    made = plan(run.path, tmp_path / "lists", k=4, part_rows=20)
    with pytest.raises(RecsysError, match=r"1 of 4 parts .* are written; write the others first"):
        commit(made, [write_part(made, 0)])
    assert not (tmp_path / "lists").exists()


def test_a_url_holds_the_same_lists_and_its_manifest_comes_last(
    run: RunFolder, tmp_path: Path, url: str
) -> None:
    here = export(run.path, tmp_path / "lists", k=4, part_rows=20)
    made = plan(run.path, f"{url}/lists", k=4, part_rows=20)
    found = [write_part(made, number) for number in range(4)]
    assert "lists.manifest.json" not in files(url)
    there = commit(made, found)
    assert json.loads(files(url)["lists.manifest.json"]) == there
    assert [each["sha256"] for each in there["files"]] == [each["sha256"] for each in here["files"]]
    assert {f"lists/{each['file']}" for each in there["files"]} == files(url).keys() - {"lists.manifest.json"}


def test_another_export_to_the_url_takes_its_place(run: RunFolder, url: str) -> None:
    export(run.path, f"{url}/lists", k=4, part_rows=20)
    before = files(url)
    made = plan(run.path, f"{url}/lists", k=2, part_rows=20)
    found = [write_part(made, number) for number in range(made.parts)]
    assert files(url).items() >= before.items()  # readers of the old manifest find its files
    manifest = commit(made, found)
    assert {f"lists/{each['file']}" for each in manifest["files"]} == files(url).keys() - {
        "lists.manifest.json"
    }


def test_a_stopped_export_to_a_url_writes_the_missing_parts_only(
    run: RunFolder, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(run.path, f"{url}/lists", k=4, part_rows=20)
    write_part(made, 0)
    store, put = fsspec.filesystem("memory"), []
    monkeypatch.setattr(type(store), "put_file", _noting(type(store).put_file, put))
    export(run.path, f"{url}/lists", k=4, part_rows=20)
    assert len(put) == 3


def _noting(function: Any, put: list[str]) -> Any:
    def noting(self: Any, local: str, path: str, **options: Any) -> Any:
        put.append(path)
        return function(self, local, path, **options)

    return noting


def test_one_file_at_a_url(run: RunFolder, tmp_path: Path, url: str) -> None:
    export(run.path, tmp_path / "lists.csv", k=4)
    for k in (3, 4):
        manifest = export(run.path, f"{url}/lists.csv", k=k)
    (one,) = manifest["files"]
    assert files(url).keys() == {one["file"], "lists.csv.manifest.json"}
    assert files(url)[one["file"]] == (tmp_path / "lists.csv").read_bytes()


def test_a_file_url_is_a_path(run: RunFolder, tmp_path: Path) -> None:
    export(run.path, f"file://{tmp_path}/lists.parquet", k=4)
    assert pl.read_parquet(tmp_path / "lists.parquet").height == 80
    assert (tmp_path / "lists.parquet.manifest.json").exists()


def test_what_no_export_made_is_left_alone(run: RunFolder, url: str) -> None:
    fsspec.filesystem("memory").pipe_file(f"{url}/lists/mine.txt", b"keep")
    with pytest.raises(InputError, match="is a folder that no export made"):
        export(run.path, f"{url}/lists", k=4, part_rows=20)
    assert files(url) == {"lists/mine.txt": b"keep"}


def test_an_unknown_url_is_one_line(run: RunFolder) -> None:
    with pytest.raises(InputError, match=r"nowhere://lists\.csv cannot be written"):
        export(run.path, "nowhere://lists.csv", k=4)
