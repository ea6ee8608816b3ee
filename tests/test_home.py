import pytest

from recsys.errors import InputError
from recsys.files import write_json
from recsys.home import SEAL, Home, checked_name


def test_nothing_there_says_what_to_do(home: Home) -> None:
    with pytest.raises(InputError, match=r"there is no dataset in .* yet; make one with `recsys etl LOG`"):
        home.folder("dataset", None)


def test_unknown_names_list_the_known(home: Home) -> None:
    write_json(home.runs / "one" / SEAL, {})
    with pytest.raises(
        InputError, match=r"there is no run 'two' in .*; there are: one; make one with `recsys train`"
    ):
        home.folder("run", "two")


def test_current_is_the_last_set(home: Home) -> None:
    for name in ("one", "two"):
        write_json(home.runs / name / SEAL, {})
        home.set_current("run", name)
    assert home.folder("run", None) == home.folder("run", "current") == home.runs / "two"
    assert home.folder("run", "one") == home.runs / "one"


def test_unfinished_work_does_not_exist(home: Home) -> None:
    (home.runs / "half").mkdir(parents=True)
    assert home.names("run") == []


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 101, "a b"])
def test_unsafe_names_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot be a name"):
        checked_name(name)
