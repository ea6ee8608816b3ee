import json

import pytest
from typer.testing import CliRunner, Result

from recsys import plugins
from recsys.cli.main import app


def call(*words: str) -> Result:
    return CliRunner().invoke(app, ["parts", *words])


def test_every_part_of_every_family_is_listed_with_one_line() -> None:
    document = json.loads(call("--json").stdout)
    for family in plugins.FAMILIES:
        assert list(document[family]) == list(plugins.names(family))
        assert all(summary and "\n" not in summary for summary in document[family].values())


def test_what_is_no_part_is_listed_too() -> None:
    options = json.loads(call("--json").stdout)["options of two_tower"]
    assert {"start", "hops", "center", "uniformity", "l2", "ball", "reducer"} <= set(options)
    assert not set(options) & set(plugins.NESTED)
    known = {option.name for option in plugins.part("models", "two_tower").options}
    assert set(options) | set(plugins.NESTED) >= known, "an option without a word on it"
    assert "pca" in options["start"]
    assert "graph" in options["hops"]


def test_one_family() -> None:
    assert list(json.loads(call("miners", "--json").stdout)) == ["miners"]


def test_one_part_with_formula_source_options_and_what_is_tried() -> None:
    result = call("losses", "triplet")
    assert result.exit_code == 0
    assert "max(0, margin + neg - pos)" in result.stdout
    assert "FaceNet" in result.stdout
    assert (
        "margin: float | None = None, tried on the validation set: 0.8, 0.6, 0.4, 0.25, 0.15" in result.stdout
    )
    document = json.loads(call("losses", "triplet", "--json").stdout)
    assert [each["name"] for each in document["options"]] == ["margin", "soft", "swap"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["cakes"], "unknown family of parts 'cakes'; there are: models, losses"),
        (["losses", "triplett"], "did you mean triplet?"),
    ],
)
def test_what_is_unknown_is_refused_with_what_there_is(words: list[str], said: str) -> None:
    result = call(*words)
    assert result.exit_code == 2
    assert said in result.output
