from pathlib import Path

import pytest

from recsys import plugins
from recsys.errors import InputError
from recsys.models.tuned import Tuned
from recsys.pipeline import yaml
from recsys.pipeline.build import build_model
from recsys.pipeline.config import (
    PipelineConfig,
    TrainConfig,
    document,
    override,
    parse,
    read_pipeline,
    read_recipe,
    settings,
)

PIPELINES = Path(__file__).parents[2] / "pipelines"


def test_three_faults_are_all_reported(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(
        "name: wrong\ndata: {logs: [log.csv], positve_from: 4}\n"
        "model: {loss: {name: triplet, margn: 0.1}}\nseed: -1\n"
    )
    with pytest.raises(InputError) as raised:
        read_pipeline(file)
    text = str(raised.value)
    assert "3 faults" in text
    assert "data.positve_from" in text
    assert "model.loss: triplet has no option 'margn'; it takes: margin" in text
    assert "seed: input should be greater than or equal to 0, not -1" in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model.loss": "tripplet"}, "unknown loss 'tripplet'.*did you mean triplet"),
        ({"model.distance": "hamming"}, "unknown distance 'hamming'; there are: .*cosine"),
        ({"model.name": "deep"}, "unknown model 'deep'"),
        ({"model.dimension": 3}, "two_tower has no option 'dimension'; it takes: "),
        ({"model.dim": "many"}, "two_tower.dim takes int, not 'many'"),
        ({"model.loss.margin": "wide"}, "triplet.margin takes float \\| None, not 'wide'"),
        (
            {"model.miner": "distance_weighted", "model.distance": "euclidean"},
            "model.miner: distance_weighted draws .* which euclidean is not; it takes: cosine",
        ),
        (
            {"model.loss": "arcface", "model.distance": "dot"},
            "model.loss: arcface needs a bounded score, which dot is not; it takes: cosine",
        ),
        ({"baselines": ["als", "alz"]}, "baselines: unknown model 'alz'"),
        ({"metrics": ["ndcg@ten"]}, "ndcg@20"),
        ({"refit": "some"}, "refit: input should be 'none', 'valid' or 'all', not 'some'"),
        ({"index.target_recall": 1.5}, "index.target_recall"),
        ({"modle": "als"}, "modle: there is no such option"),
    ],
)
def test_a_fault_says_what_and_what_is_allowed(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse(TrainConfig, override({"model": {"name": "two_tower", "loss": "triplet"}}, changes))


def test_every_default_is_written_out() -> None:
    written = document(parse(TrainConfig, {"model": {"name": "two_tower", "loss": {"name": "triplet"}}}))
    assert written["model"]["loss"] == {"name": "triplet", "margin": None, "soft": False, "swap": False}
    assert written["model"]["dim"] == 64
    assert written["model"]["sampler"]["candidates"] == written["model"]["candidates"]
    assert parse(TrainConfig, written) == parse(TrainConfig, document(parse(TrainConfig, written)))


def test_settings_are_typed_by_yaml() -> None:
    assert settings(["model.rate=1e-3", "model.miner=no", "a=b=c"]) == {
        "model.rate": 1e-3,
        "model.miner": "no",
        "a": "b=c",
    }


def test_a_setting_without_a_value_is_refused() -> None:
    with pytest.raises(InputError, match="path=value"):
        settings(["model.rate"])


def test_losses_make_one_run_each() -> None:
    config = parse(PipelineConfig, {"name": "x", "data": {"logs": ["a"]}, "losses": ["bpr", "triplet"]})
    assert [document(each)["model"]["loss"]["name"] for each in config.train_configs()] == ["bpr", "triplet"]


@pytest.mark.parametrize("file", sorted(PIPELINES.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_pipelines_are_right(file: Path) -> None:
    assert read_pipeline(file).train_configs()


@pytest.mark.parametrize("file", sorted(PIPELINES.glob("bench/*.yaml")), ids=lambda path: path.stem)
def test_shipped_recipes_are_right(file: Path) -> None:
    splits = yaml.load(file)["on"]
    assert splits
    assert {read_recipe(file, split).name for split in splits} == {file.stem}


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_pipeline(tmp_path / "none.yaml")


def test_the_seed_of_a_run_is_its_models() -> None:
    assert document(parse(TrainConfig, {"seed": 3}))["model"]["seed"] == 3


def test_equal_parts_of_a_blend_have_seeds_of_their_own() -> None:
    given = {"model": {"name": "blend", "of": ["als", "spectral", "als"]}, "seed": 3}
    parts = document(parse(TrainConfig, given))["model"]["of"]
    assert [part["seed"] for part in parts] == [6, 3, 7]


def test_what_is_to_be_tuned_is_left_as_it_is_given() -> None:
    """With its defaults written out, every option of it would stand, and nothing be tuned."""
    tuned = parse(TrainConfig, {"model": {"name": "tuned", "of": "item-knn"}})
    assert document(tuned)["model"] == {"name": "tuned", "of": {"name": "item_knn"}, "seed": 0}
    given = {"name": "als", "alpha": 20.0}
    blend = parse(
        TrainConfig, {"model": {"name": "blend", "of": ["spectral", {"name": "tuned", "of": given}]}}
    )
    assert document(blend)["model"]["of"][1] == {"name": "tuned", "of": given, "seed": 0}
    assert build_model(tuned.model, 3) == Tuned({"name": "item_knn"}, seed=3)


def test_an_option_that_a_part_shares_with_its_model_means_the_same() -> None:
    """The part takes the model's value, so the two must be of one kind."""
    of_model = {option.name: option for option in plugins.part("models", "two_tower").options}
    for family in {*plugins.NESTED.values()} - {"models"}:
        for name in plugins.names(family):
            for option in plugins.part(family, name).options:
                if option.name in of_model:
                    assert option.annotation == of_model[option.name].annotation, (family, name, option.name)
