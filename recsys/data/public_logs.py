"""The public logs that ``recsys download`` knows: where their owners publish them, and on what terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from recsys.errors import RecsysError


@dataclass(frozen=True, slots=True)
class Remote:
    """A file to fetch.

    Args:
        url: At the owner's.
        file: The name that it gets here, and that a mirror has it under.
        md5_beside: Whether the owner publishes its MD5 at ``<url>.md5``.
        keep: Of an archive, the only files to unpack; all where it is empty.
    """

    url: str
    file: str
    md5_beside: bool = False
    keep: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PublicLog:
    """A public log.

    Args:
        about: What it is, in one line.
        page: The owner's page about it.
        licence: The terms in short; the page has the whole text.
        files: What to fetch.
        etl: What to type next, after the name of the home's ``raw`` folder was put in for ``{raw}``.
    """

    about: str
    page: str
    licence: str
    files: tuple[Remote, ...]
    etl: str


GROUPLENS: Final = "https://files.grouplens.org/datasets/movielens/"
RESEARCH: Final = (
    "for research; no commercial use without the permission of GroupLens (University of Minnesota), name the "
    "source in publications, imply no endorsement"
)
GITHUB: Final = "https://raw.githubusercontent.com/"
SPLIT_TERMS: Final = (
    "the authors of the split state no licence; it is used for research; the original is {of}"
)


def _movielens(name: str, about: str, redistribution: str, keep: tuple[str, ...], log: str) -> PublicLog:
    archive = Remote(f"{GROUPLENS}{name}.zip", f"{name}.zip", md5_beside=True, keep=keep)
    page = f"https://grouplens.org/datasets/movielens/{name.removeprefix('ml-').removesuffix('-small')}/"
    return PublicLog(
        about, page, f"{RESEARCH}; {redistribution}", (archive,), f"recsys etl {{raw}}/{name}/{log}"
    )


def _adjacency(name: str, about: str, original: str) -> PublicLog:
    folder = f"{GITHUB}kuandeng/LightGCN/master/Data/{name}/"
    here = f"{{raw}}/{name}"
    return PublicLog(
        about,
        "https://github.com/kuandeng/LightGCN",
        SPLIT_TERMS.format(of=original),
        tuple(Remote(folder + file, file) for file in ("train.txt", "test.txt")),
        f"recsys etl {here}/train.txt --test {here}/test.txt --format adjacency --name {name}",
    )


NOT_PASSED_ON: Final = "may not be passed on without permission"
SAME_TERMS: Final = "may be passed on under the same terms"

PUBLIC_LOGS: Final[Mapping[str, PublicLog]] = {
    "ml-100k": _movielens(
        "ml-100k", "MovieLens 100K: 100,000 ratings of 1,682 films by 943 people, 1997-1998",
        NOT_PASSED_ON, ("README", "u.data", "u.item", "u.user", "u.genre"), "u.data",
    ),
    "ml-1m": _movielens(
        "ml-1m", "MovieLens 1M: 1,000,209 ratings of 3,706 films by 6,040 people, 2000-2003",
        NOT_PASSED_ON, (), "ratings.dat",
    ),
    "ml-32m": _movielens(
        "ml-32m", "MovieLens 32M: 32,000,204 ratings of 87,585 films by 200,948 people, 1995-2023",
        SAME_TERMS, (), "ratings.csv",
    ),
    "ml-latest-small": _movielens(
        "ml-latest-small", "MovieLens latest, small: about 100,000 ratings of 9,000 films by 600 people",
        SAME_TERMS, (), "ratings.csv",
    ),
    "movietweetings": PublicLog(
        "MovieTweetings: ratings of films that people posted on Twitter, 2013-2021",
        "https://github.com/sidooms/MovieTweetings",
        "MIT",
        tuple(
            Remote(f"{GITHUB}sidooms/MovieTweetings/master/{path}", path.rpartition("/")[2])
            for path in ("latest/ratings.dat", "latest/movies.dat", "latest/users.dat", "LICENSE")
        ),
        "recsys etl {raw}/movietweetings/ratings.dat --name movietweetings",
    ),
    "online-retail": PublicLog(
        "UCI Online Retail: 541,909 lines of invoices of a British gift shop, 2010-2011",
        "https://archive.ics.uci.edu/dataset/352/online+retail",
        "CC BY 4.0; name: Chen (2015), Online Retail, UCI Machine Learning Repository, doi 10.24432/C5BW33",
        (Remote("https://archive.ics.uci.edu/static/public/352/data.csv", "online-retail.csv"),),
        "recsys etl {raw}/online-retail/online-retail.csv --keep 'Quantity > 0'",
    ),
    "goodbooks-10k": PublicLog(
        "goodbooks-10k: six million ratings of the 10,000 most rated books, without times",
        "https://github.com/zygmuntz/goodbooks-10k",
        "CC BY-SA 4.0",
        tuple(
            Remote(f"{GITHUB}zygmuntz/goodbooks-10k/master/{file}", file)
            for file in ("ratings.csv", "books.csv")
        ),
        "recsys etl {raw}/goodbooks-10k/ratings.csv --items {raw}/goodbooks-10k/books.csv --name goodbooks",
    ),
    "gowalla": _adjacency(
        "gowalla", "Gowalla check-ins, split as in papers: 29,858 people, 40,981 places, 1,027,370 pairs",
        "SNAP's loc-gowalla (Cho, Myers, Leskovec 2011)",
    ),
    "yelp2018": _adjacency(
        "yelp2018", "Yelp 2018, split as in papers: 31,668 people, 38,048 places, 1,561,406 pairs",
        "the Yelp Dataset, under Yelp's own terms (academic use)",
    ),
}  # fmt: skip


def public_logs() -> Mapping[str, PublicLog]:
    """All that can be downloaded: ours, and what installed packages offer in the group ``recsys.logs``.

    They offer objects ``PublicLog``; a name of ours stays ours.
    """
    from importlib.metadata import entry_points

    offered: dict[str, PublicLog] = {}
    for each in entry_points(group="recsys.logs"):
        try:
            offered[each.name] = each.load()
        except Exception as error:  # the code of another package may raise anything
            raise RecsysError(f"log {each.name} of {each.value} cannot be loaded: {error}") from error
    return offered | dict(PUBLIC_LOGS)
