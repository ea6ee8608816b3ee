import pytest

from recsys.errors import InputError
from recsys.retrieval.filters import NamedIds, look_up, rules_of
from recsys.storage.string_column import TextColumn

CATALOGUE = TextColumn.of(["a", "b", "7"])


def test_codes_are_sorted_and_unknown_ids_kept_in_order() -> None:
    found = look_up(["b", "x", "a", "b", "y", "x"], CATALOGUE)
    assert found.codes.tolist() == [0, 1]
    assert found.unknown == ["x", "y"]


def test_ids_of_any_type_are_looked_up_and_missing_ones_passed_over() -> None:
    found = look_up([7, 7.0, "7.0", b"a", None, float("nan"), " "], CATALOGUE)
    assert (found.codes.tolist(), found.unknown) == ([0, 2], [])


def test_a_rule_that_is_not_given_is_none_and_unknown_ids_are_counted() -> None:
    warnings: list[str] = []
    rules = rules_of(CATALOGUE, NamedIds("exclude", ["b", "x"]), None, warnings.append)
    assert rules.only is None
    assert rules.exclude is not None
    assert rules.exclude.tolist() == [1]
    assert warnings == ["1 of 2 ids in exclude are not in the catalogue: x"]
    with pytest.raises(InputError, match="no id in only is in the catalogue"):
        rules_of(CATALOGUE, None, NamedIds("only", ["x"]), warnings.append)
