import json
import sys
from pathlib import Path

import polars as pl
import pytest

from benchmarks import quality, report
from recsys.data.tables import Interactions, Split
from recsys.evaluation.validator import validator
from recsys.pipeline import yaml
from recsys.pipeline.build import build_model
from recsys.pipeline.config import ModelSection, read_recipe
from tests import factories

SECTION = ModelSection.model_validate(
    {
        "name": "two_tower", "tower": "lookup", "start": "normal", "hops": 1, "dim": 8, "epochs": 6,
        "batch": 64, "candidates": 16, "rate": 0.1, "loss": {"name": "bpr", "temperature": 0.12},
    }
)  # fmt: skip


def planted() -> Split:
    """The checkerboard with an item of each user to choose by, and two to judge by."""
    train, hidden = factories.checkerboard(48, 24, held_out=3)
    valid = hidden.unique("user", keep="first", maintain_order=True)
    return Split(train, valid, hidden.join(valid, ["user", "item"], "anti"))


@pytest.mark.parametrize("path", sorted(quality.RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_recipe_makes_a_model_on_every_split_that_it_names(path: Path) -> None:
    names = yaml.load(path)["on"]
    assert names
    for split in names:
        recipe = read_recipe(path, split)
        assert recipe.name == path.stem
        build_model(recipe.model, 0)


def test_what_the_test_file_chose_is_found_again_on_the_planted_log() -> None:
    split = planted()
    found = quality.chosen_on_test(SECTION, split, seed=0)
    # Both held-out items stand first, as only they are left of their colour.
    assert found == {"recall@20": 1.0, "ndcg@20": pytest.approx(1.0)}


def test_it_is_chosen_by_the_test_file_and_fitted_to_all_of_train(monkeypatch: pytest.MonkeyPatch) -> None:
    split = planted()
    judged: list[tuple[pl.DataFrame, int]] = []

    def watched(held, train, *given, **named):
        judged.append((held, len(train)))
        return validator(held, train, *given, **named)

    monkeypatch.setattr(quality, "validator", watched)
    quality.chosen_on_test(SECTION, split, seed=0)
    ((held, rows),) = judged
    assert held.equals(split.test)
    assert rows == len(split.train) + len(split.valid)


def test_a_table_is_made_and_a_row_added_to_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    recipes = tmp_path / "recipes"
    recipes.mkdir()
    for name, printed in (("one", "published: {tiny: [0.5, 0.25]}"), ("two", "")):
        text = f"name: {name}\nsource: ours\nmodel: {json.dumps(SECTION.model_dump(exclude_none=True))}\n"
        (recipes / f"{name}.yaml").write_text(f"{text}on: {{tiny: {{}}}}\n{printed}\n")

    class Given:
        @staticmethod
        def split() -> Split:
            return planted()

    monkeypatch.setattr(quality, "dataset", lambda _: Given)
    monkeypatch.setattr(quality, "RECIPES", recipes)
    monkeypatch.setattr(quality, "BASELINES", {"popularity": [{}], "spectral": [{"dim": 4}]})
    monkeypatch.setattr(report, "RESULTS", tmp_path)
    for words in (["tiny", "one"], ["tiny", "two"]):
        monkeypatch.setattr(sys, "argv", ["quality", *words, "--seeds", "2"])
        quality.main()
    table = json.loads((tmp_path / "quality-tiny.json").read_text())
    rows = {row[0]: dict(zip(table["columns"], row, strict=True)) for row in table["rows"]}
    assert list(rows) == ["popularity", "spectral, tuned, d 4", "one", "two"]
    assert rows["one"]["published"] == "0.5000 / 0.2500"
    assert rows["one"]["chosen on test"] == "1.0000 / 1.0000"
    assert rows["two"]["chosen on test"] is None
    column = "minus the best baseline (95 %)"
    best = max(("popularity", "spectral, tuned, d 4"), key=lambda name: rows[name]["NDCG@20"])
    (other,) = {"popularity", "spectral, tuned, d 4"} - {best}
    assert rows["one"][column].endswith(f", {best}")
    assert rows[best][column] is None
    assert rows[other][column].startswith("-")


def test_every_baseline_that_can_be_fitted_is_measured(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    split = planted()
    validate = validator(split.valid, Interactions.of(split.train))
    monkeypatch.setattr(quality, "BASELINES", {"als": [{"dim": 2}], "spectral": [{"dim": 4}], "ease": [{}]})
    found = quality.measured_beside(split, validate)
    assert list(found) == ["als, tuned, d 2", "spectral, tuned, d 4", "ease, tuned"]
    best = quality.best_of(found)
    assert found[best]["values"]["ndcg@20"] == max(each["values"]["ndcg@20"] for each in found.values())
    monkeypatch.setattr(quality, "EASE_ITEMS", 1)
    assert list(quality.measured_beside(split, validate)) == ["als, tuned, d 2", "spectral, tuned, d 4"]
    assert "ease: an hour" in capsys.readouterr().out
