import json
from pathlib import Path

from typer.testing import CliRunner, Result

from recsys.cli.main import app
from recsys.data.etl.options import EtlOptions
from recsys.data.etl.run import etl
from recsys.data.synthetic import planted
from recsys.storage.home import Home


def call(home: Home, *words: str) -> Result:
    return CliRunner().invoke(app, ["datasets", "--home", str(home.path), *words])


def test_datasets_are_listed_and_the_current_one_is_marked(home: Home, tmp_path: Path) -> None:
    log, _ = planted(users=30, items=20, rows=400)
    for name in ("one", "two"):
        log.write_csv(tmp_path / f"{name}.csv")
        etl(EtlOptions(logs=[str(tmp_path / f"{name}.csv")]), home)
    home.set_current("dataset", "one")
    one, two = json.loads(call(home, "--json").stdout)["datasets"]
    assert (one["name"], one["current"], two["current"]) == ("one", True, False)
    assert one["rows"] == sum(one["parts"].values())
    assert (one["users"], one["split"]) == (log["user"].n_unique(), "time:0.2")
    shown = call(home).stdout
    assert "*  one" in shown
    assert "two" in shown


def test_without_a_dataset_it_says_how_to_make_one(home: Home) -> None:
    assert json.loads(call(home, "--json").stdout) == {"datasets": []}
    assert "recsys etl" in call(home).stdout


def test_a_broken_dataset_is_named_and_left_out(home: Home) -> None:
    folder = home.datasets / "broken"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{")
    result = call(home, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {"datasets": []}
    assert result.stderr.startswith("warning: dataset broken is left out")
