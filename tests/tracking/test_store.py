from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from recsys.storage.home import Home
from recsys.tracking import store


def test_the_default_home_has_its_store_beside_it_and_another_home_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    beside = f"sqlite:///{tmp_path}/mlflow/mlflow.db"
    assert store.tracking_uri(Home(Path("data"))) == beside
    assert store.tracking_uri(Home(tmp_path / "data")) == beside
    assert store.tracking_uri(Home(tmp_path / "x")) == f"sqlite:///{tmp_path}/x/mlflow/mlflow.db"
    assert store.artifact_location(beside, "log") == f"file://{tmp_path}/mlflow/artifacts/log"


def test_the_environment_names_another_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking:5000")
    assert store.tracking_uri(Home(Path("data"))) == "http://tracking:5000"
    assert store.artifact_location("http://tracking:5000", "log") is None
    assert store.database("http://tracking:5000") is None


@pytest.mark.parametrize(("status", "wrong"), [(200, None), (404, None), (401, None), (503, "503")])
def test_a_server_counts_as_there_when_it_answers(status: int, wrong: str | None) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.handle_request, daemon=True).start()
        found = store.fault(f"http://127.0.0.1:{server.server_port}")
    assert (found is None) if wrong is None else (found is not None and wrong in found)


def test_a_server_that_is_not_there_is_named_a_fault() -> None:
    assert "refused" in (store.fault("http://127.0.0.1:1") or "")


def test_a_database_in_a_place_that_cannot_be_written_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uri = f"sqlite:///{tmp_path}/deep/er/mlflow.db"
    assert store.fault(uri) is None
    monkeypatch.setattr("os.access", lambda *_: False)
    assert str(tmp_path) in (store.fault(uri) or "")
