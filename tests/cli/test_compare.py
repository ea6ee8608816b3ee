import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from recsys.cli.main import app
from recsys.storage.home import Home
from recsys.storage.run_folder import RunFolder
from recsys.tracking.mlflow_tracker import MlflowTracker
from tests.tracking.finished import finished


def call(home: Home, *words: str, width: int | None = None) -> Result:
    columns = {"COLUMNS": None if width is None else str(width)}
    return CliRunner().invoke(app, ["compare", "--home", str(home.path), *words], env=columns)


def dataset(home: Home, split: str = "5" * 64, name: str = "log") -> None:
    folder = home.datasets / name
    folder.mkdir(parents=True)
    manifest = {"schema": 1, "hash": "d" * 64, "split_hash": split}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    home.set_current("dataset", name)


@pytest.fixture
def two(tracked_home: Home) -> Home:
    dataset(tracked_home)
    finished(tracked_home, "low", quality=0.3, loss="bpr", created="2026-01-01T00:00:00+00:00")
    finished(tracked_home, "high", quality=0.5, created="2026-01-02T00:00:00+00:00")
    finished(tracked_home, "other", split="6" * 64, created="2025-01-01T00:00:00+00:00")
    return tracked_home


def test_the_default_is_all_runs_of_the_current_dataset(two: Home) -> None:
    document = json.loads(call(two, "--json").stdout)
    assert (document["dataset"], document["metric"]) == ("log", "ndcg@10")
    assert [row["run"] or row["baseline"] for row in document["rows"]] == ["high", "als", "low", "popularity"]
    assert document["rows"][2]["to_baseline"]["mean"] == pytest.approx(-0.1)
    assert document["rows"][2]["options"] == {"loss": "bpr"}


def test_people_get_a_table_with_intervals_and_what_differs(two: Home) -> None:
    shown = call(two).stdout
    assert "0.5000 ± 0.0500" in shown
    assert "als (baseline)" in shown
    assert "loss=bpr" in shown


def test_runs_are_named_and_current_and_champion_are_names(two: Home) -> None:
    two.set_current("run", "high")
    two.set_champions({"log": "low"})
    document = json.loads(call(two, "champion", "current", "high", "--metric", "recall@20", "--json").stdout)
    assert {row["run"] for row in document["rows"] if row["run"]} == {"low", "high"}
    assert document["metric"] == "recall@20"


@pytest.mark.parametrize("width", [80, 120, 200])
def test_no_figure_and_no_name_is_cut_whatever_the_width(two: Home, width: int) -> None:
    name = "two-tower-multi-similarity-20260101-111111-abcd"
    finished(two, name, quality=0.45, created="2026-01-03T00:00:00+00:00", options={"rate": 0.123456})
    shown = call(two, width=width).stdout
    assert "…" not in shown
    assert all(cell_len(line) <= width for line in shown.splitlines())
    assert "0.5000 ± 0.0500" in shown
    assert "0.4500 ± 0.0500" in shown
    assert all(piece in shown for piece in name.split("-"))
    assert all(title in shown for title in ("to the best", "to als", "rate=0.123456"))
    assert ("no room for: fit s, MB" in shown) == (width == 80)


def test_the_difference_is_to_the_best_baseline_by_name(two: Home) -> None:
    for name in ("low", "high"):
        run = RunFolder(two.runs / name)
        manifest = run.manifest()
        manifest["baselines"]["spectral"] = manifest["baselines"]["popularity"] | {
            "metrics": {"ndcg@10": 0.45, "recall@20": 0.2}
        }
        run.write_manifest({key: value for key, value in manifest.items() if key not in {"schema", "run"}})
        shutil.copy(run.evaluation / "als.parquet", run.evaluation / "spectral.parquet")
    document = json.loads(call(two, "--json").stdout)
    assert document["best_baseline"] == "spectral"
    high, spectral, als, *_ = document["rows"]
    assert (high["run"], spectral["baseline"], als["baseline"]) == ("high", "spectral", "als")
    assert spectral["to_baseline"] is None
    assert als["to_baseline"]["mean"] == 0
    assert "to spectral" in call(two).stdout
    assert json.loads(call(two, "--metric", "recall@20", "--json").stdout)["best_baseline"] == "als"


def test_a_dataset_is_chosen_by_name(two: Home) -> None:
    dataset(two, "7" * 64, name="second")
    finished(two, "elsewhere", dataset="second", split="7" * 64)
    assert two.current("dataset") == "second"
    chosen = json.loads(call(two, "--dataset", "log", "--json").stdout)
    assert [row["run"] for row in chosen["rows"] if row["run"]] == ["high", "low"]
    assert [row["run"] for row in json.loads(call(two, "--json").stdout)["rows"] if row["run"]] == [
        "elsewhere"
    ]
    marked = json.loads(call(two, "--dataset", "log", "current", "--json").stdout)
    assert [row["run"] for row in marked["rows"] if row["run"]] == ["other"]
    result = call(two, "--dataset", "log", "elsewhere")
    assert result.exit_code == 2
    assert "run elsewhere is of dataset second, not of log" in result.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["high", "other"], "runs of different data or splits cannot be compared"),
        (["none"], "there is no finished run 'none'; there are: high, low, other"),
        (["--metric", "magic"], "no run has the metric 'magic'; there are: ndcg@10, recall@20"),
    ],
)
def test_wrong_requests_are_one_line_and_exit_2(two: Home, words: list[str], message: str) -> None:
    result = call(two, *words)
    assert result.exit_code == 2
    assert message in result.stderr
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1


def test_a_dataset_without_runs_and_no_dataset_say_what_to_do(home: Home) -> None:
    result = call(home)
    assert result.exit_code == 2
    assert "recsys etl" in result.stderr
    dataset(home)
    result = call(home)
    assert result.exit_code == 2
    assert "recsys train" in result.stderr


def test_a_run_whose_folder_is_gone_is_compared_from_mlflow(two: Home) -> None:
    tracker = MlflowTracker(two)
    assert set(tracker.sync()) == {"low", "high", "other"}
    with_folders = json.loads(call(two, "--json").stdout)
    shutil.rmtree(two.runs)
    assert json.loads(call(two, "--json").stdout) == with_folders


def test_a_run_that_others_logged_is_found_by_name(
    two: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", MlflowTracker(two).uri)
    other = Home(tmp_path / "other")
    assert MlflowTracker(other).log(finished(other, "theirs", quality=0.45))
    document = json.loads(call(two, "high", "theirs", "--json").stdout)
    assert [row["run"] for row in document["rows"] if row["run"]] == ["high", "theirs"]
    assert document["rows"][1]["to_best"]["mean"] == pytest.approx(-0.05, abs=0.01)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.addresses += [value or "" for name, value in attributes if name in {"src", "href"}]
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_whole_and_loads_nothing(two: Home, tmp_path: Path) -> None:
    path = tmp_path / "out" / "compare.html"
    assert call(two, "--html", str(path)).exit_code == 0
    tags = Tags()
    tags.feed(path.read_text(encoding="utf-8"))
    assert tags.open == []
    assert tags.addresses == []
    assert "script" not in tags.seen
    assert tags.seen.count("tr") == 5
    assert tags.seen.count("svg") == 4
    assert "0.5000" in tags.text
    assert "loss=bpr" in tags.text
    assert "to als" in tags.text
    assert "Als is the best baseline" in tags.text


def test_names_cannot_break_the_page(tracked_home: Home, tmp_path: Path) -> None:
    dataset(tracked_home)
    finished(tracked_home, "run-1", loss="<script>alert(1)</script>")
    finished(tracked_home, "run-2", loss="bpr")
    path = tmp_path / "compare.html"
    assert call(tracked_home, "--html", str(path)).exit_code == 0
    assert "<script>" not in path.read_text(encoding="utf-8")
