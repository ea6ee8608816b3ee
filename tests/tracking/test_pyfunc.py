import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from recsys.home import Home
from recsys.retrieval.service import Service
from recsys.run_folder import RunFolder
from recsys.tracking.mlflow_tracker import ALIAS, MODEL, MlflowTracker
from tests.tracking.finished import finished


@pytest.fixture
def run(tracked_home: Home) -> RunFolder:
    return finished(tracked_home)


@pytest.fixture
def champion(run: RunFolder, tracked_home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    tracker = MlflowTracker(tracked_home)
    assert tracker.log(run) is not None
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracker.uri)
    monkeypatch.setattr(sys, "path", list(sys.path))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow import pyfunc

        yield pyfunc.load_model(f"models:/{MODEL}@{ALIAS}")


def expected(run: RunFolder, users: list[str], k: int) -> list[tuple[str | None, str, int, float]]:
    lists = Service.open(run.path).recommend(users, k, unknown="skip")
    return [(each.user, place.item, place.rank, place.score) for each in lists for place in each.items]


def test_the_champion_recommends_what_its_run_folder_does(champion: Any, run: RunFolder) -> None:
    answer = champion.predict(pd.DataFrame({"user": ["u3", "u0"]}), params={"k": 4})
    assert list(answer.columns) == ["user", "item", "rank", "score"]
    assert list(answer.itertuples(index=False, name=None)) == expected(run, ["u3", "u0"], 4)


def test_the_default_is_ten_items_and_popular_ones_for_a_stranger(champion: Any, run: RunFolder) -> None:
    answer = champion.predict(pd.DataFrame({"user": ["stranger", "u1"]}))
    assert answer.groupby("user").size().to_dict() == {"stranger": 10, "u1": 10}
    popular = [place.item for place in Service.open(run.path).popular(10)]
    assert answer.loc[answer["user"] == "stranger", "item"].tolist() == popular
    skipped = champion.predict(pd.DataFrame({"user": ["stranger", "u1"]}), params={"unknown": "skip"})
    assert set(skipped["user"]) == {"u1"}


def test_the_signature_names_the_columns_and_refuses_others(champion: Any) -> None:
    assert champion.metadata.signature.inputs.input_names() == ["user"]
    assert [each.name for each in champion.metadata.signature.params] == ["k", "unknown"]
    with pytest.raises(Exception, match="missing inputs"):
        champion.predict(pd.DataFrame({"customer": ["u1"]}))


@pytest.mark.slow
def test_the_model_carries_its_code_and_needs_no_installed_package(
    run: RunFolder, tracked_home: Home, tmp_path: Path
) -> None:
    tracker = MlflowTracker(tracked_home)
    tracker.log(run)
    script = (
        "import sys, pandas as pd\n"
        "sys.path = [each for each in sys.path if each != sys.argv[2]]\n"
        "from mlflow import pyfunc\n"
        "sys.modules.update(dict.fromkeys(['torch', 'polars', 'implicit']))\n"
        "model = pyfunc.load_model(sys.argv[1])\n"
        "import recsys\n"
        "assert 'artifacts' in recsys.__file__, recsys.__file__\n"
        "print(len(model.predict(pd.DataFrame({'user': ['u1']}))))\n"
    )
    folder = next((tracked_home.path / "mlflow" / "artifacts" / "log" / "models").iterdir()) / "artifacts"
    result = subprocess.run(
        [sys.executable, "-c", script, str(folder), str(Path(__file__).parents[2])],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip().endswith("10")
