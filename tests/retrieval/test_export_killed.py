"""An export that is killed, or fails, at any event of the file system: lists appear whole or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from recsys.storage.home import Home
from tests.factories import embeddings, run_folder, seen_rows

# Processes are forked from one that has imported all and started no thread. Events are those by which Python
# announces what it is about to do to a file; the n-th is the last thing that the process does, or fails.
SCRIPT = """
import hashlib, json, os, shutil, sys
from pathlib import Path
import polars, pyarrow.parquet
from recsys.errors import RecsysError
from recsys.retrieval.export import export

run, folder = (Path(word) for word in sys.argv[1:3])
name, replaces, how = sys.argv[3], sys.argv[4] == "old", sys.argv[5]
out, beside = folder / name, folder / (name + ".manifest.json")
parts = None if out.suffix else 20

def forked(job, *given):
    child = os.fork()
    if not child:
        try:
            os._exit(job(*given))
        except BaseException:
            import traceback
            traceback.print_exc()
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def plain(k):
    export(run, out, k=k, part_rows=parts)
    return 0

def stopped(last):
    left = last
    def hook(event, given):
        nonlocal left
        writes = event in ("os.rename", "os.remove", "os.mkdir", "os.rmdir")
        writes |= event == "open" and isinstance(given[2], int) and given[2] & (os.O_WRONLY | os.O_RDWR) != 0
        if not writes or str(folder) not in str(given[0]):
            return
        left -= 1
        if left == 0 and how == "kill":
            os._exit(9)
        if left == 0:
            raise OSError(5, "Input/output error")
    sys.addaudithook(hook)
    try:
        export(run, out, k=5, part_rows=parts)
    except RecsysError as error:
        assert "Input/output error" in str(error), error
    return 0 if left > 0 else 9

def hashes():
    files = sorted(out.iterdir()) if out.is_dir() else [out] if out.exists() else []
    return [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]

def promised():
    return [each["sha256"] for each in json.loads(beside.read_text())["files"]] if beside.exists() else None

def clean(old):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    assert not old or forked(plain, 3) == 0

whole = []
for k in (3, 5, 4):
    clean(False)
    assert forked(plain, k) == 0
    whole.append(hashes())
old, new, other = whole
for event in range(1, 1000):
    clean(replaces)
    code = forked(stopped, event)
    assert hashes() in ([], old, new), event
    assert promised() in (None, hashes()), event
    if code == 0:
        assert hashes() == new == promised()
        break
    assert code == 9, event
    again, wanted = (5, new) if event % 2 else (4, other)
    assert forked(plain, again) == 0, event
    assert hashes() == promised() == wanted, event
    assert sorted(os.listdir(folder)) == sorted([name, beside.name]), event
print(event - 1)
"""


@pytest.mark.parametrize(
    ("name", "before", "how"),
    [
        ("lists.csv", "old", "kill"),
        ("lists", "old", "kill"),
        *(
            pytest.param(name, before, how, marks=pytest.mark.slow)
            for name in ("lists.csv", "lists")
            for before, how in (("nothing", "kill"), ("nothing", "fail"), ("old", "fail"))
        ),
    ],
)
def test_lists_are_whole_or_absent_and_the_next_export_succeeds(
    home: Home, tmp_path: Path, name: str, before: str, how: str
) -> None:
    run = run_folder(home, embeddings(), seen_rows())
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(run.path), str(tmp_path / "out"), name, before, how],
        capture_output=True, text=True, check=False, timeout=120,
        env=os.environ | {"POLARS_MAX_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 12, "a file system that announces nothing would prove nothing"
