import subprocess
import sys
from pathlib import Path

import pytest

from recsys.errors import RecsysError
from recsys.storage.files import TEMPORARY, replacing, sweep, write_json, write_text


def left_over(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(TEMPORARY)]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    write_text(tmp_path / "a", "old")
    write_text(tmp_path / "a", "new")
    assert (tmp_path / "a").read_text() == "new"
    assert not left_over(tmp_path)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_fails_leaves_the_old_file(tmp_path: Path, error: type[BaseException]) -> None:
    write_text(tmp_path / "a", "old")

    def write() -> None:
        with replacing(tmp_path / "a") as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(error):
        write()
    assert (tmp_path / "a").read_text() == "old"
    assert not left_over(tmp_path)


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    for text in ("old", "new"):
        with replacing(tmp_path / "folder") as temporary:
            temporary.mkdir()
            (temporary / text).write_text(text)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["new"]
    assert not left_over(tmp_path)


def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    with (
        pytest.raises(RecsysError, match="No space left on device; free some space"),
        replacing(tmp_path / "a"),
    ):
        raise OSError(28, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_nan_is_not_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a", {"x": float("nan")})
    assert not list(tmp_path.iterdir())


def test_leftovers_of_killed_processes_are_swept(tmp_path: Path) -> None:
    (tmp_path / f"{TEMPORARY}x").mkdir()
    (tmp_path / f"{TEMPORARY}y").write_text("half")
    (tmp_path / "keep").write_text("whole")
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["keep"]


def dead_process() -> int:
    finished = subprocess.Popen([sys.executable, "-c", ""])
    finished.wait()
    return finished.pid


def test_work_of_a_living_process_is_not_swept(tmp_path: Path) -> None:
    with replacing(tmp_path / "a") as temporary:
        temporary.write_text("whole")
        (tmp_path / f"{TEMPORARY}b-{dead_process()}-0123abcd").write_text("half")
        sweep(tmp_path)
        assert left_over(tmp_path) == [temporary]
    assert (tmp_path / "a").read_text() == "whole"


def test_a_folder_killed_between_its_two_renames_is_put_back(tmp_path: Path) -> None:
    swapped_out = tmp_path / f"{TEMPORARY}data-{dead_process()}-0123abcd.old"
    swapped_out.mkdir()
    (swapped_out / "whole").touch()
    sweep(tmp_path)
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["whole"]
    swapped_out.mkdir()
    sweep(tmp_path)
    assert not left_over(tmp_path)
