"""Fixtures that every test may use."""

import os
from pathlib import Path

import pytest

from recsys.home import Home

os.environ.setdefault("OMP_NUM_THREADS", "2")


@pytest.fixture(scope="session")
def realdata() -> Path:
    """Folder of the real logs; the test is skipped where they are not there."""
    folder = Path(os.environ.get("RECSYS_REALDATA") or Path(__file__).parents[2] / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real logs at {folder}; set RECSYS_REALDATA to run this test")
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """An empty home."""
    return Home(tmp_path / "home")
