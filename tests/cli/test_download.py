import functools
import hashlib
import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from recsys.cli.main import app
from recsys.storage.home import Home


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "mirror"
    folder.mkdir()
    with zipfile.ZipFile(folder / "ml-latest-small.zip", "w") as archive:
        archive.writestr("ml-latest-small/ratings.csv", "userId,movieId,rating,timestamp\n1,2,4.0,100\n")
    digest = hashlib.md5((folder / "ml-latest-small.zip").read_bytes(), usedforsecurity=False).hexdigest()
    (folder / "ml-latest-small.zip.md5").write_text(f"{digest}  ml-latest-small.zip\n")
    handler = functools.partial(Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def call(home: Home, *words: str) -> Result:
    return CliRunner().invoke(app, ["download", "--home", str(home.path), *words])


def test_the_licence_comes_first_and_the_next_step_last(home: Home, mirror: str) -> None:
    result = call(home, "ml-latest-small", "--base-url", mirror)
    assert result.exit_code == 0, result.output
    assert "licence: for research; no commercial use" in result.stderr
    assert "checked against the owner's MD5: ml-latest-small.zip" in result.stdout
    assert f"recsys etl {home.raw}/ml-latest-small/ratings.csv" in result.stdout
    assert (home.raw / "ml-latest-small" / "ratings.csv").exists()


def test_json_is_one_document_and_the_mirror_can_be_set_in_the_environment(
    home: Home, mirror: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECSYS_MIRROR", mirror)
    document = json.loads(call(home, "ml-latest-small", "--json").stdout)
    assert (document["files"], document["checked"]) == (["ratings.csv"], ["ml-latest-small.zip"])
    assert not document["kept"]
    assert json.loads(call(home, "ml-latest-small", "--json").stdout)["kept"]


def test_without_a_name_the_logs_are_listed(home: Home) -> None:
    listed = json.loads(call(home, "--json").stdout)
    assert set(listed) == {
        "ml-100k", "ml-1m", "ml-32m", "ml-latest-small", "movietweetings", "online-retail", "goodbooks-10k",
        "gowalla", "yelp2018",
    }  # fmt: skip
    assert "CC BY 4.0" in call(home).stdout


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["ml-5"], 2, "there is no public log 'ml-5'"),
        (["gowalla", "--base-url", "http://127.0.0.1:1"], 1, "cannot be reached"),
        (["gowalla", "--base-url", "ftp://x"], 2, "not a web address"),
    ],
)
def test_failures_end_without_a_traceback(home: Home, words: list[str], code: int, message: str) -> None:
    result = call(home, *words)
    assert result.exit_code == code
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(home.raw.glob("[!.]*"))
