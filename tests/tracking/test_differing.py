import json

from recsys import plugins
from recsys.pipeline.config import TrainConfig, document, parse
from recsys.tracking.differing import Recipe, differing
from recsys.tracking.summary import flat


def recipe(model: str, **given: object) -> Recipe:
    """A run as its manifest tells it: every default written out."""
    spec = {"name": model, **given}
    written = document(parse(TrainConfig, {"model": spec}))["model"]
    settings = {key.removeprefix("model."): value for key, value in flat(written, "model") if key != "model"}
    return Recipe(model, {key: value for key, value in settings.items() if key != "seed"})


def test_a_default_is_no_difference_between_two_kinds_of_model() -> None:
    models = [name for name in plugins.names("models") if name not in ("blend", "joining")]
    everything = [recipe(name) for name in models if not plugins.check("models", name, {})]
    assert len(everything) >= 5
    assert sum(len(each.settings) for each in everything) > 40
    assert differing(everything) == [{} for _ in everything]


def test_what_was_given_is_named_across_kinds_and_the_default_beside_it_within_one() -> None:
    rows = [recipe("als", alpha=5.0), recipe("two_tower", dim=32, loss={"name": "bpr"}), recipe("als")]
    als, tower, other = differing(rows)
    assert als == {"alpha": "5.0"}
    assert other == {"alpha": rows[2].settings["alpha"]}
    assert tower == {"dim": "32"} | ({"loss": "bpr"} if recipe("two_tower").settings["loss"] != "bpr" else {})


def test_options_of_two_losses_of_one_name_are_two_things() -> None:
    first = recipe("two_tower", loss={"name": "triplet"})
    second = recipe("two_tower", loss={"name": "contrastive"})
    assert [set(each) for each in differing([first, second])] == [{"loss"}, {"loss"}]
    third = recipe("two_tower", loss={"name": "triplet", "margin": 0.77})
    named = differing([first, second, third])
    assert named[2] == {"loss": "triplet", "loss.margin": "0.77"}
    assert named[0]["loss.margin"] == first.settings["loss.margin"]
    assert set(named[1]) == {"loss"}


def test_an_option_that_a_part_takes_from_its_model_is_named_once() -> None:
    rows = differing([recipe("two_tower", candidates=77), recipe("als")])
    assert rows == [{"candidates": "77"}, {}]


def test_what_was_chosen_is_named_though_it_is_the_default() -> None:
    tuned = Recipe("als", recipe("als").settings, frozenset({"alpha"}), baseline=True)
    popular = Recipe("popularity", {}, baseline=True)
    assert differing([tuned, popular]) == [{"alpha": tuned.settings["alpha"]}, {}]


def test_a_part_that_is_not_installed_here_is_named_whole() -> None:
    settings = {"loss": "someone_elses", "loss.heat": json.dumps(3)}
    assert differing([Recipe("two_tower", settings), recipe("als")])[0] == settings
