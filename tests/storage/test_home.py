import pytest

from recsys.errors import InputError
from recsys.storage.files import write_json
from recsys.storage.home import SEAL, Home, checked_name


def test_nothing_there_says_what_to_do(home: Home) -> None:
    with pytest.raises(InputError, match=r"there is no dataset in .* yet; make one with `recsys etl LOG`"):
        home.folder("dataset", None)


def test_unknown_names_list_the_known(home: Home) -> None:
    write_json(home.runs / "one" / SEAL, {})
    with pytest.raises(
        InputError, match=r"there is no run 'two' in .*; there are: one; make one with `recsys train`"
    ):
        home.folder("run", "two")


def made(home: Home, name: str, dataset: str = "log", created: str = "2026-01-01") -> None:
    write_json(home.runs / name / "run.json", {"dataset": {"name": dataset}, "created": created})
    write_json(home.runs / name / SEAL, {})


def test_current_is_the_last_set(home: Home) -> None:
    for name in ("one", "two"):
        made(home, name)
        home.set_current("run", name)
    assert home.folder("run", None) == home.folder("run", "current") == home.runs / "two"
    assert home.folder("run", "one") == home.runs / "one"


def test_each_dataset_has_a_current_run_and_the_dataset_of_a_run_becomes_current(home: Home) -> None:
    made(home, "a", "one")
    made(home, "b", "Фильмы")
    home.set_current("run", "a")
    home.set_current("run", "b")
    assert home.current("dataset") == "Фильмы"
    assert home.folder("run", None).name == "b"
    assert home.folder("run", None, "one").name == "a"
    assert home.folder("run", "a").name == "a"
    home.set_current("dataset", "one")
    assert home.folder("run", "current").name == "a"


def test_a_run_of_another_dataset_never_answers(home: Home) -> None:
    made(home, "a", "one")
    home.set_current("run", "a")
    home.set_champions({"one": "a"})
    write_json(home.datasets / "two" / "manifest.json", {})
    home.set_current("dataset", "two")
    message = r"no run of dataset two in .*`recsys train --dataset two`, or give --dataset \(one\)"
    with pytest.raises(InputError, match=message):
        home.folder("run", None)
    with pytest.raises(InputError, match="there is no champion of dataset two in"):
        home.folder("run", "champion")
    assert home.folder("run", "champion", "one").name == "a"
    with pytest.raises(InputError, match="run a is of dataset one, not of two; leave --dataset out"):
        home.folder("run", "a", "two")
    with pytest.raises(InputError, match=r"there is no dataset 'three' in .*; there are: two"):
        home.folder("run", None, "three")


def test_a_home_of_before_names_one_run_for_all(home: Home) -> None:
    made(home, "a", "one", "2026-01-01")
    made(home, "b", "two", "2026-01-02")
    made(home, "c", "two", "2026-01-03")
    write_json(home.path / "current.json", {"dataset": "two", "run": "b"})
    write_json(home.path / "champion.json", {"run": "b"})
    assert (home.current("run"), home.champion()) == ("b", "b")
    assert (home.current("run", "one"), home.champion("one")) == ("a", None)  # the newest; none that is known
    home.set_current("run", "a")
    assert (home.current("run"), home.current("run", "two")) == ("a", "b")
    write_json(home.path / "current.json", {"run": "b"})
    assert home.folder("run", None).name == "b"


def test_unfinished_work_does_not_exist(home: Home) -> None:
    (home.runs / "half").mkdir(parents=True)
    assert home.names("run") == []


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 101, "a b"])
def test_unsafe_names_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="cannot be a name"):
        checked_name(name)
