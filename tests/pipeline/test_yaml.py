import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recsys.errors import InputError
from recsys.pipeline import yaml

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 1e-3), ("no", "no"), ("off", "off"), ("true", True), (".5", 0.5), ("-2", -2), ("1.", 1.0),
     ("0.2", 0.2), ("1E5", 1e5), ("2011-12-09", "2011-12-09"), ("time:0.2", "time:0.2"), ("null", None),
     ("u42", "u42"), ("e5", "e5"), ("0042", "0042"), ("1:30", "1:30"), ("12", 12)],
)  # fmt: skip
def test_values_mean_what_people_mean(text: str, value: object) -> None:
    assert yaml.loads(text) == value
    assert type(yaml.loads(text)) is type(value)


@given(plain)
@example({"0E0": None, "1e5": "0042"})
def test_what_is_written_is_read_back(value: object) -> None:
    assert yaml.loads(yaml.dumps(value)) == value


def test_a_fault_names_the_line() -> None:
    with pytest.raises(InputError, match="line 2"):
        yaml.loads("a: 1\nb: [1, 2\n", "x.yaml")
