import os
import shutil

import pytest

from recsys.errors import RecsysError
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder


@pytest.fixture
def run(home: Home) -> RunFolder:
    folder = RunFolder(home.runs / "run")
    folder.model.mkdir(parents=True)
    (folder.model / "vectors").write_bytes(bytes(1000))
    folder.checkpoints.mkdir()
    (folder.checkpoints / "state").write_bytes(b"state")
    folder.write_manifest({"status": "finished"})
    folder.seal()
    return folder


def change_a_byte(run: RunFolder) -> None:
    with (run.model / "vectors").open("r+b") as file:
        file.seek(500)
        file.write(b"x")


def test_an_untouched_run_is_whole(run: RunFolder) -> None:
    run.verify()
    run.verify(deep=True)


def test_a_changed_byte_is_found(run: RunFolder) -> None:
    change_a_byte(run)
    with pytest.raises(RecsysError, match=r"model/vectors was changed: sha256 \w{12}, sealed as \w{12}"):
        run.verify()


def test_a_changed_byte_under_the_old_time_is_found_by_a_deep_look(run: RunFolder) -> None:
    stat = (run.model / "vectors").stat()
    change_a_byte(run)
    os.utime(run.model / "vectors", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    with pytest.raises(RecsysError, match="was changed"):
        run.verify(deep=True)


def test_a_missing_file_is_found(run: RunFolder) -> None:
    (run.model / "vectors").unlink()
    with pytest.raises(RecsysError, match="model/vectors is missing"):
        run.verify()


def test_a_copy_is_whole(run: RunFolder, home: Home) -> None:
    shutil.copytree(run.path, home.runs / "copy", copy_function=shutil.copyfile)
    RunFolder(home.runs / "copy").verify()


def test_checkpoints_are_not_sealed(run: RunFolder) -> None:
    shutil.rmtree(run.checkpoints)
    run.verify(deep=True)
