from hypothesis import given
from hypothesis import strategies as st

from recsys.storage.string_column import TextColumn


@given(st.lists(st.text(), unique=True))
def test_find_is_the_inverse_of_getitem(texts: list[str]) -> None:
    column = TextColumn.of(texts)
    stored = TextColumn.from_arrays(column.arrays("ids"), "ids")
    assert [stored[position] for position in range(len(stored))] == texts
    assert [stored.find(text) for text in texts] == list(range(len(texts)))


@given(st.lists(st.text(), unique=True), st.text())
def test_what_is_not_there_is_none(texts: list[str], other: str) -> None:
    assert (TextColumn.of(texts).find(other) is None) == (other not in texts)
