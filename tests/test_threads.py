"""How many threads work, and that products inside them are left on one and put back."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from recsys.threads import cores, one_thread_each, threads


@pytest.mark.parametrize(
    ("asked", "given"), [("3", 3), ("0", 1), ("", None), ("4,2", None), ("many", None), (None, None)]
)
def test_what_is_asked_for_is_given(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, given: int | None
) -> None:
    if asked is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert threads() == (given or cores())


def test_products_use_one_thread_inside_and_as_many_as_before_outside() -> None:
    def blas() -> list[int]:
        return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]

    np.ones((2, 2)) @ np.ones((2, 2))
    before = blas(), torch.get_num_threads()
    with one_thread_each():
        assert set(blas()) == {1}
        assert torch.get_num_threads() == 1
    assert (blas(), torch.get_num_threads()) == before
    with pytest.raises(ZeroDivisionError), one_thread_each():
        1 / 0  # noqa: B018
    assert (blas(), torch.get_num_threads()) == before
