"""What is known of users, against sets."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.ragged import Ragged
from recsys.retrieval.seen import Seen

USERS, ITEMS = 4, 6
Pairs = set[tuple[int, int]]
pairs = st.sets(st.tuples(st.integers(0, USERS - 1), st.integers(0, ITEMS - 1)))


def rows(of: Pairs) -> Ragged:
    ordered = sorted(of)
    indptr = np.searchsorted([user for user, _ in ordered], np.arange(USERS + 1))
    return Ragged(indptr.astype(np.int64), np.array([item for _, item in ordered], dtype=np.int32))


def read(found: Ragged) -> list[list[int]]:
    return [found.row(user).tolist() for user in range(USERS)]


@given(pairs, pairs, pairs)
def test_everything_is_left_out_and_what_was_learned_is_told_apart(
    learned: Pairs, test: Pairs, disliked: Pairs
) -> None:
    seen = Seen.of(rows(learned), rows(test), rows(disliked))
    assert read(seen.rows) == read(rows(learned | test | disliked))
    assert read(seen.learned_rows()) == read(rows(learned))
    assert seen.counts(ITEMS).tolist() == [sum(code == item for _, code in learned) for item in range(ITEMS)]
