from pathlib import Path

from tests.conftest import SLOW


def test_slow_files_are_there() -> None:
    assert [name for name in SLOW if not (Path(__file__).parent / name).exists()] == []
