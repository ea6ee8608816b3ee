"""A run, mapped and ready to answer: the one way from a user, an item or a history to a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from numbers import Integral
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from recsys.embeddings import Stored
from recsys.errors import InputError
from recsys.ids import find_id, id_text
from recsys.ragged import Ragged
from recsys.retrieval.filters import Rules, look_up
from recsys.retrieval.fold_in import fold_in, gram_of
from recsys.retrieval.index.exact import Exact
from recsys.retrieval.index.index import Index
from recsys.retrieval.index.store import open_kind
from recsys.retrieval.seen import Seen
from recsys.retrieval.serving_files import read_seen, read_titles
from recsys.storage.arrays import Codes, FloatArray
from recsys.storage.run_folder import RunFolder
from recsys.storage.string_column import TextColumn

Unknown = Literal["error", "popular", "skip"]
NO_RULES = Rules()


@dataclass(frozen=True, slots=True)
class Listed:
    """One place of a list; ``title`` is None where there is none, ``score`` is higher for nearer."""

    rank: int
    item: str
    title: str | None
    score: float

    def document(self) -> dict[str, Any]:
        """Plain JSON values; no key for a title that is not there."""
        return {key: value for key, value in asdict(self).items() if value is not None}


@dataclass(frozen=True, slots=True)
class Near:
    """One place of a list of users."""

    rank: int
    user: str
    score: float

    def document(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A list for one user; ``user`` is None for a history."""

    user: str | None
    items: list[Listed]

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from recsys import notebook

        return notebook.recommendations([self.document()])

    def document(self) -> dict[str, Any]:
        """The list as plain JSON values; no key for a title that is not there."""
        items = [
            {key: value for key, value in asdict(each).items() if value is not None} for each in self.items
        ]
        return {"user": self.user, "items": items}


@dataclass(frozen=True)
class Service:
    """A run that answers queries. Opening maps files and parses nothing, so it costs the same at any size.

    Args:
        run: The sealed run folder.
        model: Its embeddings.
        seen: What is known of each user, by user code.
        titles: Item titles by code, or None.
        index: What ranks.
        kind: Its name in the family ``indexes``.
    """

    run: RunFolder
    model: Stored
    seen: Seen
    titles: TextColumn | None
    index: Index
    kind: str

    @classmethod
    def open(cls, folder: Path, index: str = "auto") -> Service:
        """Check the seal of a run folder and map it.

        Args:
            folder: ``HOME/runs/<run>``.
            index: A kind of index, or ``auto``: what the run chose when its index was built.

        Raises:
            RecsysError: If a file is missing, was changed, or does not belong to the run.
            InputError: If there is no such kind, or the run has no index of it.
        """
        run = RunFolder(folder)
        run.verify()
        model = Stored.open(run.model)
        kind, opened = open_kind(run.index, model.items, model.distance, index, sealed=True)
        return cls(
            run,
            model,
            read_seen(run.seen, len(model.user_ids)),
            read_titles(run.titles, len(model.item_ids)),
            opened,
            kind,
        )

    def recommend(
        self,
        users: Sequence[object],
        k: int = 10,
        *,
        with_seen: bool = False,
        unknown: Unknown = "error",
        rules: Rules = NO_RULES,
    ) -> list[Recommendation]:
        """The k best items for each user without those known of the user; shorter only where nothing is left.

        Known of a user are the items of the train, validation and test sets, and those below
        ``--positive-from``.

        Args:
            users: Raw ids, of any type that ``id_text`` reads. A null is not a user: an error where
                ``unknown`` is ``error``, else skipped.
            k: Length of a list, at least 1.
            with_seen: Whether known items may be listed.
            unknown: What a user that the run does not know gets: an error, the items that most users have
                seen (the score is how many of those learned from), or no list.
            rules: Items to leave out or to keep to.

        Raises:
            InputError: If k is below 1, ``unknown`` is none of these, or it is ``error`` and a user is.
        """
        check_k(k)
        asked = _asked(users, unknown)
        codes = {user: find_id(user, self.model.user_ids) for user in dict.fromkeys(asked)}
        strangers = [user for user, code in codes.items() if code is None]
        if strangers and unknown == "error":
            raise InputError(_unknown_user(strangers))
        known = np.array([code for code in codes.values() if code is not None], dtype=np.int64)
        exclude = None if with_seen else self.seen.rows.take(known)
        ranked = self._rank(self.index, self.model.items, self.model.users[known], k, exclude, rules)
        lists = dict(zip((user for user, code in codes.items() if code is not None), ranked, strict=True))
        if strangers and unknown == "popular":
            popular = self.popular(k, rules=rules)
            lists |= dict.fromkeys(strangers, popular)
        return [Recommendation(user, lists[user]) for user in asked if user in lists]

    def recommend_history(
        self, history: Sequence[object], k: int = 10, *, with_seen: bool = False, rules: Rules = NO_RULES
    ) -> tuple[Recommendation, list[str]]:
        """The k best items for someone never seen, from raw item ids; and those that the run does not know.

        The history is given oldest first, which matters to a model whose tower forgets.

        Raises:
            InputError: If k is below 1 or no item of the history is known.
        """
        check_k(k)
        found = look_up(history, self.model.item_ids)
        if len(found.codes) == 0:
            raise InputError(
                f"no item of the history is known to run {self.run.name}: "
                f"{', '.join(found.unknown[:5]) or 'it is empty'}; give item ids as they are in the log"
            )
        ordered = [code for item in history if (code := find_id(item, self.model.item_ids)) is not None]
        vector = fold_in(self.model, np.array(ordered, dtype=np.int32), lambda: self._gram)
        exclude = None if with_seen else _one_row(found.codes)
        ranked = self._rank(self.index, self.model.items, vector[None, :], k, exclude, rules)
        return Recommendation(None, ranked[0]), found.unknown

    def popular(self, k: int, *, rules: Rules = NO_RULES) -> list[Listed]:
        """The k items that most users have seen, by what was learned from; the score is how many."""
        counts = self._counts[:, None]
        index = Exact("dot").build(counts)
        return self._rank(index, counts, np.ones((1, 1), dtype=np.float32), k, None, rules, "dot")[0]

    def similar(self, *, item: object = None, user: object = None, k: int = 10) -> list[Listed] | list[Near]:
        """The k items nearest to an item, or the k users nearest to a user, by the model's distance.

        For a model scored by the inner product the cosine is used: the inner product of two items grows with
        the length of the other one, so that popular items would be near to everything.

        Raises:
            InputError: If k is below 1, the id is unknown, or not one of the two is given.
        """
        check_k(k)
        if (item is None) == (user is None):
            raise InputError("similar takes either an item id or a user id: give one of them")
        return self._similar_items(item, k) if user is None else self._similar_users(user, k)

    def _similar_items(self, item: object, k: int) -> list[Listed]:
        code = find_id(item, self.model.item_ids)
        if code is None:
            raise InputError(
                f"unknown item id {id_text(item)!r}; run {self.run.name} knows "
                f"{len(self.model.item_ids)} items, as they are in the log it was trained on"
            )
        return self._named(*self._nearest(self.model.items, code, k))

    def _similar_users(self, user: object, k: int) -> list[Near]:
        code = find_id(user, self.model.user_ids)
        if code is None:
            raise InputError(_unknown_user([id_text(user) or ""], serve=False))
        codes, scores = self._nearest(self.model.users, code, k)
        pairs = [(int(each), float(score)) for each, score in zip(codes, scores, strict=True) if each >= 0]
        return [
            Near(rank, self.model.user_ids[each], score) for rank, (each, score) in enumerate(pairs, start=1)
        ]

    def _nearest(self, vectors: FloatArray, code: int, k: int) -> tuple[Codes, FloatArray]:
        """The k nearest to one of ``vectors``, itself left out."""
        distance = "cosine" if self.model.distance == "dot" else self.model.distance
        itself = _one_row(np.array([code], dtype=np.int32))
        codes, scores = Exact(distance).build(vectors).query(vectors[code][None, :], _cut(k, vectors), itself)
        return codes[0], scores[0]

    @cached_property
    def _gram(self) -> Any:
        return gram_of(self.model.items)

    @cached_property
    def _counts(self) -> FloatArray:
        return self.seen.counts(len(self.model.item_ids))

    def _rank(
        self,
        index: Index,
        items: FloatArray,
        vectors: FloatArray,
        k: int,
        exclude: Ragged | None,
        rules: Rules,
        distance: str | None = None,
    ) -> list[list[Listed]]:
        k = _cut(k, items)
        if len(vectors) == 0:
            return []
        if rules.exclude is not None:
            exclude = _with_everywhere(exclude, rules.exclude, len(vectors))
        if rules.only is None:
            codes, scores = index.query(vectors, k, exclude)
        else:
            codes, scores = _within(
                Exact(distance or self.model.distance), items, rules.only, vectors, k, exclude
            )
        return [self._named(*row) for row in zip(codes, scores, strict=True)]

    def _named(self, codes: Codes, scores: FloatArray) -> list[Listed]:
        pairs = [(int(code), float(score)) for code, score in zip(codes, scores, strict=True) if code >= 0]
        return [
            Listed(
                rank, self.model.item_ids[code], (self.titles[code] or None) if self.titles else None, score
            )
            for rank, (code, score) in enumerate(pairs, start=1)
        ]


def _within(
    index: Exact, items: FloatArray, only: Codes, vectors: FloatArray, k: int, exclude: Ragged | None
) -> tuple[Codes, FloatArray]:
    """Rank the items of ``only`` alone, by comparing with each of them."""
    if len(only) == 0:
        return np.full((len(vectors), 0), -1, dtype=np.int32), np.zeros((len(vectors), 0), dtype=np.float32)
    if exclude is not None:
        places = np.searchsorted(only, exclude.indices)
        inside = only[np.minimum(places, len(only) - 1)] == exclude.indices
        indptr = np.concatenate([[0], np.cumsum(inside)])[exclude.indptr]
        exclude = Ragged(indptr, places[inside].astype(np.int32))
    found, scores = index.build(items[only]).query(vectors, min(k, len(only)), exclude)
    return np.where(found >= 0, only[found], -1).astype(np.int32), scores


def _with_everywhere(rows: Ragged | None, codes: Codes, count: int) -> Ragged:
    """Rows with ``codes`` added to each."""
    merged = [codes if rows is None else np.union1d(rows.row(row), codes) for row in range(count)]
    indptr = np.concatenate([[0], np.cumsum([len(row) for row in merged])]).astype(np.int64)
    return Ragged(indptr, np.concatenate(merged).astype(np.int32))


def _one_row(codes: Codes) -> Ragged:
    return Ragged(np.array([0, len(codes)], dtype=np.int64), codes)


def _cut(k: int, items: FloatArray) -> int:
    """A list is no longer than the catalogue, so that k may be anything without costing memory."""
    return max(1, min(k, len(items)))


def check_k(k: object) -> None:
    """Refuse what is not the length of a list.

    Raises:
        InputError: If k is not a whole number, or below 1.
    """
    if not isinstance(k, Integral) or k < 1:
        raise InputError(f"k is {k!r}; a list has at least 1 item: give -k 1 or more")


def _asked(users: Sequence[object], unknown: Unknown) -> list[str]:
    """The text of each user, once ``unknown`` is known to be a choice."""
    if unknown not in get_args(Unknown):
        raise InputError(f"unknown is {unknown!r}; it is one of: {', '.join(get_args(Unknown))}")
    texts = [id_text(user) for user in users]
    if unknown == "error" and None in texts:
        raise InputError(
            f"user id {texts.index(None) + 1} of {len(texts)} is missing (empty or null); leave it out, or "
            "set --unknown skip"
        )
    return [text for text in texts if text is not None]


def _unknown_user(users: Sequence[str], *, serve: bool = True) -> str:
    more = f" and {len(users) - 1} more" if len(users) > 1 else ""
    fix = "train on it, give --history, or set --unknown popular" if serve else "train on it"
    return f"unknown user id {users[0]!r}{more}; {fix}"
