import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from recsys.storage.home import Home
from recsys.tracking import store
from recsys.tracking.mlflow_tracker import MlflowTracker
from recsys.tracking.summary import Summary
from tests.tracking.finished import finished


@pytest.fixture
def server(tmp_path: Path, empty_store: Path) -> Iterator[str]:
    """MLflow's own server on a free port of this machine."""
    shutil.copy(empty_store, tmp_path / "server.db")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1",
        "--backend-store-uri", f"sqlite:///{tmp_path}/server.db",
        "--artifacts-destination", str(tmp_path / "artifacts"),
    ]  # fmt: skip
    with (tmp_path / "server.log").open("w") as log:
        process = subprocess.Popen(words, stdout=log, stderr=log, cwd=tmp_path)
        address = f"http://127.0.0.1:{port}"
        try:
            started = time.monotonic()
            while store.fault(address):
                assert process.poll() is None, (tmp_path / "server.log").read_text()
                assert time.monotonic() - started < 120, "the server did not start"
                time.sleep(0.2)
            yield address
        finally:
            process.terminate()
            process.wait(30)


@pytest.mark.slow
def test_a_server_takes_runs_and_gives_them_back(
    server: str, home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    run = finished(home)
    tracker = MlflowTracker(home)
    receipt = tracker.log(run)
    assert receipt is not None
    assert receipt["tracking_uri"] == server
    assert tracker.runs() == [Summary.of(run)]
    fetched = tracker.fetch("run-1", tmp_path / "fetched")
    assert (fetched / "als.parquet").read_bytes() == (run.evaluation / "als.parquet").read_bytes()
    assert not (home.path / "mlflow").exists()
