from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import InputError
from recsys.ids import IdMap, find_id, id_column, id_text, id_texts
from recsys.storage.string_column import TextColumn

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
        (pl.Series(["a", "a"]), "'a' occurs more than once"),
        (pl.Series(["a", None]), "null"),
        (pl.Series([1, 2]), "text"),
    ],
)
def test_bad_ids_are_refused(ids: pl.Series, message: str) -> None:
    with pytest.raises(InputError, match=message):
        IdMap(ids)


KINDS = {
    pl.String: st.text(max_size=6),
    pl.Int64: st.integers(-(2**63), 2**63 - 1),
    pl.UInt64: st.integers(0, 2**64 - 1),
    pl.Boolean: st.booleans(),
    pl.Date: st.dates(),
    pl.Decimal: st.decimals(0, 10**6, places=2),
    pl.Float64: st.one_of(
        st.integers(-(10**6), 10**6).map(float),
        st.floats(-1e6, 1e6).filter(lambda value: abs(value) >= 1e-3),
        st.just(float("nan")),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_column_and_a_single_id_become_the_same_text(kind: type[pl.DataType], data: st.DataObject) -> None:
    values = data.draw(st.lists(st.one_of(st.none(), KINDS[kind]), max_size=8))
    column = pl.Series(values, dtype=pl.Decimal(12, 2) if kind is pl.Decimal else kind)
    frame = pl.DataFrame({"id": column})
    assert frame.select(id_column(pl.col("id"), column.dtype)).to_series().to_list() == [
        id_text(value) for value in values
    ]


@given(st.text(), st.sampled_from([" ", "\t", "\u00a0", "\u2003", "\ufeff", "\x0b"]))
def test_space_around_text_is_no_part_of_an_id(text: str, space: str) -> None:
    assert id_text(space + text + space) == id_text(text)
    assert id_text(text) is None or id_text(id_text(text)) == id_text(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"), (7.0, "7"), (7.5, "7.5"), (np.int64(7), "7"), (np.float32(7), "7"), (np.str_("x"), "x"),
        (b"caf\xc3\xa9", "café"), ("0054890", "0054890"), ("7.0", "7.0"), (None, None),
        (float("nan"), None), (pd.NA, None), (pd.NaT, None), ("  ", None), (date(2024, 1, 31), "2024-01-31"),
        (Decimal("5.00"), "5"), (Decimal("1E+2"), "100"), (Decimal("NaN"), None),
        (18446744073709551616, "18446744073709551616"), (True, "true"),
    ],
)  # fmt: skip
def test_each_type_has_one_text(value: object, text: str | None) -> None:
    assert id_text(value) == text


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([1], "list"), ("\udcff", "UTF-8"), (Decimal("Infinity"), "digits are lost"),
        ({"id": 1}, "dict"), (b"\xff", "UTF-8"), (2.0**53, "digits are lost"),
        (float("inf"), "digits are lost"), (object, "type"),
    ],
)  # fmt: skip
def test_what_is_no_id_is_refused(value: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        id_text(value)


def test_an_id_is_found_whatever_type_it_comes_in() -> None:
    known = TextColumn.of(["7", "8.0", "x"])
    assert [find_id(value, known) for value in (7, 7.0, "7", " 7 ", "7.0", np.int32(7))] == [0] * 6
    assert [find_id(value, known) for value in ("8.0", "8", 8.0, None, "", "x")] == [
        1,
        None,
        None,
        None,
        None,
        2,
    ]


@pytest.mark.parametrize(
    ("ids", "texts"),
    [
        ("12", ["12"]), (b"12", ["12"]), (12, ["12"]), (np.int64(12), ["12"]), (np.array(12), ["12"]),
        (np.float32(0.1), ["0.1"]), (date(2024, 1, 31), ["2024-01-31"]), (None, [None]),
        ([12, "x", None, 7.0], ["12", "x", None, "7"]), ((1, 2), ["1", "2"]), (np.array([5, 6]), ["5", "6"]),
        (np.array(["5", "6"]), ["5", "6"]), (pd.Series([5, None]), ["5", None]), (range(2), ["0", "1"]),
        (pd.array([5, None], dtype="Int64"), ["5", None]), (pl.Series([5, None]), ["5", None]), ([], []),
        (pd.Index(["a"]), ["a"]), (pd.Categorical(["b", "a"]), ["b", "a"]), ({"a": 1}.keys(), ["a"]),
    ],
)  # fmt: skip
def test_one_id_or_many(ids: object, texts: list[str | None]) -> None:
    assert id_texts(ids) == texts


@pytest.mark.parametrize(
    ("ids", "message"),
    [
        (pd.DataFrame({"user": [1]}), "a DataFrame is not a list of ids"),
        ({"user": [1]}, "a dict is not a list"),
        (pl.DataFrame({"user": [1]}), "a DataFrame is not a list of ids"), (np.ones((2, 2)), "ndarray"),
        ([[1, 2]], "list"), (bytearray(b"x"), "bytearray"), (pl.col("user"), "Expr"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_ids_is_refused(ids: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        id_texts(ids)
