"""The k-core: users and items with enough rows in train."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import polars as pl

from recsys.columns import ITEM, USER
from recsys.data.coded_log import CodedLog, Rule, nothing
from recsys.storage.arrays import BoolArray


def outside_core(train: CodedLog, min_user: int, min_item: int) -> Rule:
    """Mark the train rows of users or items with too few rows, again and again until both thresholds hold.

    Args:
        train: Rows that the model learns from; nothing else counts towards a threshold.
        min_user: Fewest rows of a user.
        min_item: Fewest rows of an item.

    Returns:
        The rule for the rows to drop.
    """
    if min_user <= 1 and min_item <= 1:
        return nothing
    users = np.ones(len(train.users), dtype=np.bool_)
    items = np.ones(len(train.items), dtype=np.bool_)
    by_user = np.zeros(len(users), dtype=np.int64)
    by_item = np.zeros(len(items), dtype=np.int64)
    for user, item in _rows(train):
        by_user += np.bincount(user, minlength=len(users))
        by_item += np.bincount(item, minlength=len(items))
    while True:
        few_users = users & (by_user < min_user)
        few_items = items & (by_item < min_item)
        if not (few_users & (by_user > 0)).any() and not (few_items & (by_item > 0)).any():
            break
        for user, item in _rows(
            train
        ):  # rows that go are few: they are subtracted, not the rest counted again
            gone = np.flatnonzero(few_users[user] | few_items[item])
            gone = gone[users[user[gone]] & items[item[gone]]]
            by_user -= np.bincount(user[gone], minlength=len(users))
            by_item -= np.bincount(item[gone], minlength=len(items))
        users &= ~few_users
        items &= ~few_items

    def outside(frame: pl.DataFrame) -> BoolArray:
        mask: BoolArray = ~(users[frame[USER].to_numpy()] & items[frame[ITEM].to_numpy()])
        return mask

    return outside


def _rows(train: CodedLog) -> Iterator[tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint32]]]:
    return zip(train.column(USER), train.column(ITEM), strict=True)
