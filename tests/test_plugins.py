import importlib

import pytest

from recsys import plugins
from recsys.errors import InputError

EVERY = [(family, name) for family in plugins.FAMILIES for name in plugins.names(family)]


@pytest.mark.parametrize(("family", "name"), EVERY)
def test_the_source_and_the_class_agree(family: str, name: str) -> None:
    described = plugins.part(family, name)
    module = importlib.import_module(f"recsys.{plugins.FAMILIES[family].replace('/', '.')}.{name}")
    found = getattr(module, described.source.class_name)
    fields = {
        key: field
        for key, field in getattr(found, "__dataclass_fields__", {}).items()
        if not key.startswith("_")
    }
    public = [key for key, field in fields.items() if field._field_type.name != "_FIELD_CLASSVAR"]
    assert [option.name for option in described.options] == public
    assert described.summary.endswith(".")


def test_unknown_parts_list_the_known() -> None:
    with pytest.raises(InputError, match=r"unknown loss 'tripplet'; there are: .*; did you mean triplet?"):
        plugins.part("losses", "tripplet")


def test_unknown_families_list_the_known() -> None:
    with pytest.raises(InputError, match="unknown family of parts 'cakes'; there are: models, losses"):
        plugins.names("cakes")


def test_a_refused_value_names_the_part() -> None:
    with pytest.raises(InputError, match="loss triplet: "):
        plugins.make("losses", "triplet", {"margin": -1.0})


def test_a_name_may_be_written_with_hyphens() -> None:
    assert plugins.part("models", "two-tower").name == "two_tower"
