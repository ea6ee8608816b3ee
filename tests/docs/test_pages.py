"""What stands on the pages of docs/ is run, and prints what they show."""

import re
from pathlib import Path

import pytest

from recsys import plugins
from tests.docs import pages

PAGES = pages.ordered()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages") / "demo"
    pages.make_demo(folder)
    return folder


def faults(page: Path, folder: Path) -> list[str]:
    return [fault for _, made in pages.run(page, folder) for call in made if (fault := call.fault())]


@pytest.mark.parametrize("page", [p for p in PAGES if not pages.needs_demo(p)], ids=lambda p: p.stem)
def test_a_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    found = faults(page, tmp_path)
    assert not found, "\n\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize("page", [p for p in PAGES if pages.needs_demo(p)], ids=lambda p: p.stem)
def test_a_page_after_the_demo_does_what_it_says(page: Path, demo: Path) -> None:
    found = faults(page, demo)
    assert not found, "\n\n".join(found)


def test_pages_are_found() -> None:
    assert {"index", "own_data", "losses", "evaluation", "serving", "adding_a_part"} <= {
        p.stem for p in PAGES
    }


@pytest.mark.parametrize("family", ["splits", "metrics"])
def test_every_part_of_a_family_is_on_the_pages(family: str) -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    assert not [name for name in plugins.names(family) if f"`{name}`" not in text]


def test_every_loss_is_in_one_of_the_tables() -> None:
    text = (pages.DOCS / "losses.md").read_text(encoding="utf-8")
    listed = [name for names in re.findall(r"<!-- parts losses ([\w ]+) -->", text) for name in names.split()]
    assert sorted(listed) == list(plugins.names("losses"))


def test_words_that_differ_are_a_fault() -> None:
    shown = ["141 rows read", "...", "split time:0.2"]
    assert pages.Call("recsys etl", shown, ["7 rows read", "new", "split time:0.3"], 0).fault() is None
    assert "rows written" in (
        pages.Call("recsys etl", shown, ["7 rows written", "split time:0.3"], 0).fault() or ""
    )
    assert "exits with 1" in (pages.Call("recsys etl", [], ["error: no"], 1).fault() or "")
    assert pages.Call("recsys etl", ["error: no log 'a'"], ["error: no log 'a'"], 2).fault() is None
    assert pages.Call("recsys etl", ["one line"], ["one line", "and another"], 0).fault() is not None


def test_a_page_is_refreshed_with_the_figures_of_today(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        '```csv title="log.csv"\nuser,item\na,x\nb,y\nb,x\nc,y\n```\n'
        "```console\n$ recsys etl log.csv\n...\n9 rows read\n...\n```\n"
        "<!-- not run: it does not exist -->\n```console\n$ recsys fly\n```\n"
    )
    (tmp_path / "here").mkdir()
    pages.refresh(page, tmp_path / "here")
    assert "\n...\n4  rows read\n...\n```" in page.read_text()
    assert "$ recsys fly" in page.read_text()
