import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import InputError
from recsys.ids import IdMap

texts = st.lists(st.text(min_size=1), min_size=1)


@given(texts)
def test_codes_are_a_bijection(raw: list[str]) -> None:
    ids = IdMap.of(pl.Series("user", raw))
    codes = ids.encode(pl.Series("user", raw))
    assert ids.decode(codes).to_list() == raw
    assert sorted(set(codes.to_list())) == list(range(len(ids)))


@given(texts, st.randoms(use_true_random=False))
def test_codes_do_not_depend_on_the_order_of_rows(raw: list[str], random: object) -> None:
    shuffled = list(raw)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert IdMap.of(pl.Series(raw)).ids.equals(IdMap.of(pl.Series(shuffled)).ids)


def test_whole_numbers_are_in_the_order_of_numbers() -> None:
    assert IdMap.of(pl.Series(["10", "9", "100"])).ids.to_list() == ["9", "10", "100"]


def test_leading_zeros_stay() -> None:
    assert IdMap.of(pl.Series(["0054890", "9"])).ids.to_list() == ["0054890", "9"]


def test_unknown_is_null() -> None:
    assert IdMap(pl.Series(["a", "b"])).encode(pl.Series(["b", "z"])).to_list() == [1, None]


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (pl.Series(["a", "a"]), "'a' stands more than once"),
        (pl.Series(["a", None]), "null"),
        (pl.Series([1, 2]), "text"),
    ],
)
def test_bad_ids_are_refused(ids: pl.Series, message: str) -> None:
    with pytest.raises(InputError, match=message):
        IdMap(ids)
