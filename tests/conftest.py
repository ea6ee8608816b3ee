"""Fixtures that every test may use."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

from recsys.storage.home import Home
from recsys.threads import wait_briefly

# Two cores: two threads, or one in each of two processes (make test).
os.environ.setdefault("OMP_NUM_THREADS", "1" if "PYTEST_XDIST_WORKER" in os.environ else "2")

wait_briefly()

# Tables are as wide as they are without a terminal, whoever runs the tests.
os.environ.pop("COLUMNS", None)

# Times on a shared machine say nothing; in CI the same examples are tried each time.
settings.register_profile("recsys", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.register_profile("quick", settings.get_profile("recsys"), max_examples=10)
settings.load_profile("recsys")

# Files that fit many models or start many processes, five seconds or more each: `make quick` leaves them out.
SLOW = (
    "benchmarks/test_growth.py",
    "benchmarks/test_quality.py",
    "benchmarks/test_training.py",
    "cli/test_compare.py",
    "cli/test_doctor.py",
    "cli/test_index.py",
    "cli/test_progress.py",
    "cli/test_runs.py",
    "cli/test_train.py",
    "cli/test_train_baselines.py",
    "contracts/test_losses.py",
    "contracts/test_models.py",
    "data/test_etl_dialects.py",
    "data/test_etl_edges.py",
    "data/test_etl_formats.py",
    "data/test_etl_killed.py",
    "data/test_etl_meaning.py",
    "docs/test_notebook.py",
    "learning/test_checkpoint.py",
    "learning/towers/test_heads.py",
    "models/test_initialization.py",
    "models/test_anchored.py",
    "models/test_two_tower.py",
    "pipeline/test_unseen_users.py",
    "pipelines/test_smoke.py",
    "retrieval/test_index_tuning.py",
    "retrieval/test_export_killed.py",
    "test_id_doors.py",
    "test_api.py",
    "tracking/test_live.py",
    "tracking/test_mlflow_tracker.py",
    "tracking/test_pyfunc.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test of a slow file."""
    slow = {Path(__file__).parent / name for name in SLOW}
    for item in items:
        if item.path in slow:
            item.add_marker(pytest.mark.slow)


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


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh MLflow database; copying it spares each test the seconds that making one takes."""
    from recsys.tracking.mlflow_tracker import MlflowTracker

    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlflow.db")
        MlflowTracker(Home(folder)).open()
    return folder / "mlflow.db"


@pytest.fixture
def tracked_home(home: Home, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """An empty home with an empty MLflow store of its own."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (home.path / "mlflow").mkdir(parents=True)
    shutil.copy(empty_store, home.path / "mlflow" / "mlflow.db")
    return home
