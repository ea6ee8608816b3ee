import hashlib
import io
import stat
import threading
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from recsys.data.download import about, download, fetch, names, public_log, unpack
from recsys.errors import InputError, RecsysError


@dataclass
class Mirror:
    """A local server: what it has, where it hangs up, and what it was asked for."""

    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: int | None = None
    ranges: bool = True
    address: str = ""
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@pytest.fixture
def mirror() -> Iterator[Mirror]:
    state = Mirror()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name, wanted = self.path.lstrip("/"), self.headers.get("Range")
            state.asked.append((name, wanted))
            if name not in state.files:
                self.send_error(404)
                return
            body, begin = state.files[name], 0
            if wanted and state.ranges:
                begin = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if begin >= len(body):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(len(body) - begin))
            self.end_headers()
            self.wfile.write(body[begin : state.cut_after])
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield state
        server.shutdown()
        thread.join()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def movielens(mirror: Mirror, content: bytes = b"1\t2\t3\t4\n") -> None:
    archive = zipped(
        {"ml-100k/": b"", "ml-100k/u.data": content, "ml-100k/u.item": b"x", "ml-100k/ua.base": b"y"}
    )
    mirror.files["ml-100k.zip"] = archive
    digest = hashlib.md5(archive, usedforsecurity=False).hexdigest()
    mirror.files["ml-100k.zip.md5"] = f"MD5 (ml-100k.zip) = {digest}\n".encode()


def test_a_log_is_fetched_checked_and_unpacked(mirror: Mirror, tmp_path: Path) -> None:
    movielens(mirror)
    told: list[int] = []
    fetched = download("ml-100k", tmp_path, base=mirror.address, advance=told.append)
    assert (fetched.folder, fetched.files) == (tmp_path / "ml-100k", ["u.data", "u.item"])
    assert fetched.checked == ["ml-100k.zip"]
    assert (fetched.folder / "u.data").read_bytes() == b"1\t2\t3\t4\n"
    assert sum(told) == len(mirror.files["ml-100k.zip"])
    assert [path.name for path in tmp_path.iterdir()] == ["ml-100k"]


def test_what_is_there_is_kept_and_nothing_is_asked_for(mirror: Mirror, tmp_path: Path) -> None:
    movielens(mirror)
    download("ml-100k", tmp_path, base=mirror.address)
    mirror.asked.clear()
    again = download("ml-100k", tmp_path, base=mirror.address)
    assert (again.kept, again.files, mirror.asked) == (True, ["u.data", "u.item"], [])


def test_a_cut_connection_is_said_and_gone_on_with(mirror: Mirror, tmp_path: Path) -> None:
    movielens(mirror, bytes(range(256)) * 400)
    size, mirror.cut_after = len(mirror.files["ml-100k.zip"]), 300
    with pytest.raises(RecsysError, match=f"ended after 300 of {size:,} bytes; run the same command again"):
        download("ml-100k", tmp_path, base=mirror.address)
    assert not (tmp_path / "ml-100k").exists()
    mirror.cut_after = None
    fetched = download("ml-100k", tmp_path, base=mirror.address)
    assert ("ml-100k.zip", "bytes=300-") in mirror.asked
    assert (fetched.folder / "u.data").read_bytes() == bytes(range(256)) * 400


def test_a_server_that_cannot_resume_sends_all_of_it_again(mirror: Mirror, tmp_path: Path) -> None:
    mirror.files["log.csv"], mirror.cut_after = b"0123456789", 4
    with pytest.raises(RecsysError, match="ended after 4 of 10 bytes"):
        fetch(f"{mirror.address}/log.csv", tmp_path / "log.csv")
    mirror.cut_after, mirror.ranges = None, False
    fetch(f"{mirror.address}/log.csv", tmp_path / "log.csv")
    assert (tmp_path / "log.csv").read_bytes() == b"0123456789"


def test_a_file_that_shrank_since_is_fetched_anew(mirror: Mirror, tmp_path: Path) -> None:
    mirror.files["log.csv"] = b"new"
    (tmp_path / "log.csv.part").write_bytes(b"older and longer")
    with pytest.raises(RecsysError, match="changed since the last attempt"):
        fetch(f"{mirror.address}/log.csv", tmp_path / "log.csv")
    fetch(f"{mirror.address}/log.csv", tmp_path / "log.csv")
    assert (tmp_path / "log.csv").read_bytes() == b"new"


def test_a_wrong_hash_names_both_and_leaves_nothing(mirror: Mirror, tmp_path: Path) -> None:
    movielens(mirror)
    right = mirror.files["ml-100k.zip.md5"]
    mirror.files["ml-100k.zip.md5"] = b"0" * 32 + b"  ml-100k.zip\n"
    with pytest.raises(RecsysError, match=r"its owner publishes 0{32}; the file was removed"):
        download("ml-100k", tmp_path, base=mirror.address)
    assert not (tmp_path / "ml-100k").exists()
    mirror.files["ml-100k.zip.md5"] = right
    assert download("ml-100k", tmp_path, base=mirror.address).checked == ["ml-100k.zip"]


def test_a_hash_file_without_a_hash_is_refused(mirror: Mirror, tmp_path: Path) -> None:
    movielens(mirror)
    mirror.files["ml-100k.zip.md5"] = b"<html>not found</html>"
    with pytest.raises(RecsysError, match="holds no MD5"):
        download("ml-100k", tmp_path, base=mirror.address)


def test_a_missing_file_and_a_server_that_is_down_say_what_to_do(mirror: Mirror, tmp_path: Path) -> None:
    with pytest.raises(RecsysError, match=r"answers 404 .*--base-url"):
        download("ml-1m", tmp_path, base=mirror.address)
    with pytest.raises(RecsysError, match=r"cannot be reached .*refused.*--base-url"):
        download("ml-1m", tmp_path, base="http://127.0.0.1:1")
    with pytest.raises(InputError, match="not a web address"):
        download("ml-1m", tmp_path, base="file:///etc")


def test_several_files_become_one_folder(mirror: Mirror, tmp_path: Path) -> None:
    mirror.files |= {"train.txt": b"0 1 2\n", "test.txt": b"0 3\n"}
    fetched = download("gowalla", tmp_path, base=mirror.address + "/")
    assert (fetched.files, fetched.checked) == (["test.txt", "train.txt"], [])
    del mirror.files["test.txt"]
    with pytest.raises(RecsysError, match="404"):
        download("yelp2018", tmp_path, base=mirror.address)
    mirror.files["test.txt"] = b"0 3\n"
    download("yelp2018", tmp_path, base=mirror.address)
    assert sum(name == "train.txt" for name, _ in mirror.asked) == 2  # once for each log


def linked(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        member = zipfile.ZipInfo(name)
        member.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(member, "/etc/passwd")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: zipped({"a/../../evil": b"x"}), "outside its folder"),
        (lambda: zipped({"/evil": b"x"}), "outside its folder"),
        (lambda: zipped({"C:evil": b"x"}), "outside its folder"),
        (lambda: zipped({"..\\evil": b"x"}), "outside its folder"),
        (lambda: linked("evil"), "holds a link"),
        (lambda: zipped({"a/evil": b"x", "b/evil": b"y"}), "two files named 'evil'"),
        (lambda: zipped({"bomb": bytes(1 << 22)}), "would unpack to 4,194,304 bytes, more than 1,048,576"),
        (lambda: b"PK but no zip", "not a whole zip file"),
        (lambda: zipped({"log": b"x" * 1000})[:-30], "not a whole zip file"),
    ],
)
def test_an_unsafe_or_broken_archive_unpacks_nothing(
    make: Callable[[], bytes], message: str, tmp_path: Path
) -> None:
    archive, folder = tmp_path / "log.zip", tmp_path / "out"
    archive.write_bytes(make())
    folder.mkdir()
    with pytest.raises(RecsysError, match=message):
        unpack(archive, folder, largest=1 << 20)
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "evil").exists()


def test_an_archive_that_lies_about_a_size_is_stopped(tmp_path: Path) -> None:
    content = zipped({"log": b"x" * 100_000})
    lying = content.replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    assert lying != content
    (tmp_path / "log.zip").write_bytes(lying)
    (tmp_path / "out").mkdir()
    with pytest.raises(RecsysError):
        unpack(tmp_path / "log.zip", tmp_path / "out")
    written = tmp_path / "out" / "log"
    assert not written.exists() or written.stat().st_size <= 10


def test_every_known_log_has_an_address_a_licence_and_a_next_step() -> None:
    for name in names():
        known = public_log(name)
        assert about(name)[-1] not in ".,:"
        assert known.files
        assert known.licence
        assert known.page.startswith("https://")
        assert all(remote.url.startswith("https://") for remote in known.files)
        assert f"{{raw}}/{name}/" in known.etl
        assert len({remote.file for remote in known.files}) == len(known.files)


def test_an_unknown_log_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no public log 'ml-5'.*ml-100k, ml-1m"):
        public_log("ml-5")
