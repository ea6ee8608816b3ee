import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from recsys.cli.main import app
from recsys.cli.reports import doctor
from recsys.cli.reports.doctor import Finding
from recsys.storage.home import Home


def call(home: Home, *words: str) -> Result:
    return CliRunner().invoke(app, ["doctor", "--home", str(home.path), *words])


def dead(code: int, error: str = "") -> "subprocess.Popen[str]":
    """A probe that ended with ``code``; below 0 it was killed by that signal."""
    end = f"import os, sys; sys.stderr.write({error!r}); sys.stderr.flush(); "
    end += f"os.kill(os.getpid(), {-code})" if code < 0 else f"sys.exit({code})"
    probe = subprocess.Popen(
        [sys.executable, "-c", end], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    return probe


def test_everything_is_looked_at_and_nothing_is_made(home: Home) -> None:
    result = call(home, "--json")
    document = json.loads(result.stdout)
    names = [each["name"] for each in document["checks"]]
    assert names == [
        "python", "packages", "home", "disk", "mlflow store", "blas", "annoy", "gpu", "precision",
    ]  # fmt: skip
    assert all(each["todo"] for each in document["checks"] if each["status"] != "ok")
    assert document["ok"]
    assert result.exit_code == 0
    assert not home.path.exists()


def test_people_get_a_line_each(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    findings = [Finding("annoy", "warn", "not installed", "build it"), Finding("disk", "ok", "9 GB free")]
    monkeypatch.setattr(doctor, "checkup", lambda _: findings)
    lines = call(home).stdout.splitlines()
    assert [line.split() for line in lines] == [
        ["warn", "annoy", "not", "installed"], ["build", "it"], ["ok", "disk", "9", "GB", "free"],
    ]  # fmt: skip


def test_what_is_broken_makes_the_exit_code_1(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "checkup", lambda _: [Finding("packages", "fail", "missing: x", "run pip")])
    result = call(home, "--json")
    assert result.exit_code == 1
    assert not json.loads(result.stdout)["ok"]


def test_a_check_that_fails_is_a_warning() -> None:
    def broken() -> list[Finding]:
        raise PermissionError("no")

    assert doctor._safely("disk", broken) == [
        Finding("disk", "warn", "could not be checked: PermissionError: no")
    ]


def without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    real = metadata.version

    def version(name: str) -> str:
        if name in missing:
            raise metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(metadata, "version", version)


def test_missing_annoy_says_whether_there_is_a_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "annoy")
    monkeypatch.setattr("shutil.which", lambda _: None)
    found = doctor._annoy(dead(1))
    assert (found.status, found.found) == ("warn", "not installed, and there is no C++ compiler")
    assert "apt install g++" in found.todo
    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    assert doctor._annoy(dead(1)).found == "not installed (c++ is there)"


@pytest.mark.parametrize(
    ("code", "error", "found"),
    [(-4, "", "was built for another processor"), (1, "a\nImportError: libstdc++", "ImportError: libstdc++")],
)
def test_annoy_that_does_not_work_is_to_be_built_again(code: int, error: str, found: str) -> None:
    finding = doctor._annoy(dead(code, error))
    assert finding.status == "warn"
    assert finding.found == f"installed but does not work: {found}"
    assert "build it again" in finding.todo


def test_missing_and_other_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "implicit", "scipy")
    (found,) = doctor._packages({})
    assert (found.status, found.found) == ("fail", "missing: implicit, scipy")
    monkeypatch.undo()
    (found,) = doctor._packages({"numpy": "0.1"})
    assert found.status == "warn"
    assert found.found == f"numpy {metadata.version('numpy')}, tested 0.1"


def test_torch_that_does_not_work_is_a_failure() -> None:
    (found,) = doctor._torch(dead(1, "ModuleNotFoundError: No module named 'torch'"))
    assert (found.status, found.found) == (
        "fail",
        "does not work: ModuleNotFoundError: No module named 'torch'",
    )


CUDA: dict[str, Any] = {
    "version": "2.13.0", "built_for": "13.0", "threads": 8, "device": "NVIDIA H100", "memory": 80_000_000_000,
    "cuda_bf16": True, "cpu": "AVX2", "cpu_bf16": False,
}  # fmt: skip


def test_the_gpu_is_named_or_it_is_said_why_it_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    assert doctor._gpu(CUDA) == Finding("gpu", "ok", "NVIDIA H100, 80 GB, torch 2.13.0")
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/nvidia-smi")
    unused = doctor._gpu({**CUDA, "device": None, "built_for": None})
    assert (unused.status, "built without CUDA" in unused.found) == ("warn", True)
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert doctor._gpu({**CUDA, "device": None}).status == "ok"


def test_a_full_disk_and_a_server_that_is_down_are_warnings(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 1 << 20}))
    assert doctor._disk(home).status == "warn"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:1")
    found = doctor._mlflow(home)
    assert found.status == "warn"
    assert "recsys runs --sync" in found.todo


def test_pins_are_read_from_constraints(tmp_path: Path) -> None:
    (tmp_path / "constraints.txt").write_text("Ruff_x==0.1  # why\n# a comment == text\ntorch==2.13.0\n")
    assert doctor._pinned(tmp_path / "constraints.txt") == {"ruff-x": "0.1", "torch": "2.13.0"}
    assert doctor._pinned(tmp_path / "none.txt") == {}


def test_a_probe_that_hangs_is_ended() -> None:
    (found,) = doctor._torch(doctor._probe("import time; time.sleep(60)"), 0.1)
    assert found.status == "fail"
    assert "no answer within 0.1 s" in found.found
