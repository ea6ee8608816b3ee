import subprocess
import sys
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
    part_faults,
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


def test_every_refused_value_is_reported_at_once(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text(
        "name: wrong\ndata: {logs: [log.csv]}\n"
        "model: {dim: -3, rate: 0.0, loss: {name: triplet, margin: -0.1},\n"
        "        sampler: {name: uniform, candidates: 0}}\n"
        "metrics: [recall@0, ndcg@10]\n"
    )
    with pytest.raises(InputError) as raised:
        read_pipeline(file)
    assert str(raised.value).splitlines() == [
        "5 faults in the configuration:",
        "  model: two_tower: dim is -3; it must be at least 1",
        "  model: two_tower: rate is 0.0; it must be positive",
        "  model.loss: triplet: margin is -0.1; it must be positive, or 0 with a soft margin",
        "  model.sampler: uniform: candidates is 0; it must be at least 1",
        "  metrics: recall: k is 0; at least the first rank counts",
    ]


def test_values_are_judged_without_torch_where_no_part_of_it_has_one() -> None:
    code = (
        "import sys; from recsys.pipeline.config import TrainConfig, parse\n"
        "try: parse(TrainConfig, {'model': {'dim': -3, 'loss': 'triplet'}})\n"
        "except Exception as error: print(error)\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "two_tower: dim is -3" in done.stdout
    assert done.stdout.splitlines()[-1] == "False"


@pytest.mark.parametrize("family", sorted({*plugins.NESTED.values(), "models", "metrics"}))
def test_no_part_refuses_its_own_defaults(family: str) -> None:
    """So a part whose options are not given need not be made to be judged."""
    for name in plugins.names(family):
        plugins.make(family, name)


@pytest.mark.parametrize(
    ("model", "faults"),
    [
        (
            {"name": "blend", "of": ["two_tower", {"name": "als", "dim": -3, "alpha": 0.0}]},
            ["model.of: als: dim is -3", "model.of: als: alpha is 0.0"],
        ),
        ({"name": "blend", "of": ["als", "ease"]}, ["model: blend: ease is not made of vectors"]),
        (
            {"name": "blend", "of": [{"name": "two_tower", "distance": "manhattan"}, "als"]},
            ["model: blend: two_tower: the score of a model of distance manhattan"],
        ),
        ({"name": "blend", "of": [{"name": "ease", "dim": 8}, "als"], "weights": [1.0, 0.5]}, []),
        (
            {"name": "blend", "weights": [1.0, 0.5, 0.5]},
            ["model: blend: weights are [1.0, 0.5, 0.5]; give 2"],
        ),
        ({"name": "tuned", "of": {"name": "als", "alpha": -1.0}}, ["model.of: als: alpha is -1.0"]),
        ({"loss": {"name": "triplet", "soft": True, "margin": 0.0}}, []),
        ({"name": "ease", "weighting": "sqrt"}, ["model: ease: weighting is 'sqrt'; it can be none, raw"]),
    ],
)
def test_a_model_of_models_is_judged_before_any_fit(model: dict[str, object], faults: list[str]) -> None:
    found = part_faults({"model": model})
    assert len(found) == len(faults), found
    for told, fault in zip(found, faults, strict=True):
        assert told.startswith(fault)


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
        ({"index.kind": "fast"}, "index.kind: input should be one of auto, annoy, exact, not 'fast'"),
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
