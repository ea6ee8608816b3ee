"""What a model is: it is fitted to interactions, and scores items for users."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from recsys.data.features import Features
from recsys.data.tables import Interactions
from recsys.storage.arrays import FloatArray, IntArray

if TYPE_CHECKING:
    from recsys.ids import IdMap


class Scorer(Protocol):
    """A fitted model. ``Embeddings`` is one."""

    def scores(self, users: IntArray) -> FloatArray:
        """Users (n,) -> scores (n, I), higher is better."""
        ...


class Identified(Scorer, Protocol):
    """A scorer that knows which users and items its codes are. Every fitted model is one."""

    @property
    def user_ids(self) -> IdMap:
        """Raw ids of the U users it scores for."""
        ...

    @property
    def item_ids(self) -> IdMap:
        """Raw ids of the I items it scores."""
        ...


# Quality of a candidate on the validation set, higher is better (ndcg@10 in the pipeline): a ``Judgement``
# where it is known for each user.
Validate: TypeAlias = Callable[[Scorer], float]
# Called after each epoch (or iteration) with its number from 1 and its figures; with 0 after a trial, which
# only helps to choose an option.
Report: TypeAlias = Callable[[int, Mapping[str, float]], None]


def silent(step: int, figures: Mapping[str, float]) -> None:
    """Report nothing."""


# Options to values worth trying; every combination is a setting.
Grid: TypeAlias = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class Fitted:
    """A scorer and how it came about.

    Args:
        scorer: What serves.
        chosen: Options that fitting settled by validation (``{"epochs": 7}``), to be used when the model
            is fitted again on more data.
    """

    scorer: Identified
    chosen: Mapping[str, Any] = field(default_factory=dict)


class Model(Protocol):
    """A recipe: a frozen dataclass whose fields are its options.

    One whose scores go from item to item and are made of no vectors says so by ``item_to_item``. One that is
    tuned as a baseline says over what by a class variable ``grid``, a literal.
    """

    def fit(
        self,
        train: Interactions,
        features: Features | None = None,
        *,
        validate: Validate | None = None,
        report: Report = silent,
        checkpoints: Path | None = None,
    ) -> Fitted:
        """Fit to the training interactions.

        Args:
            train: The interactions to learn from.
            features: What is known about users and items beside them; a model that reads none ignores it.
            validate: Where given, the model may choose its stopping point and settings by it.
            report: Called after each epoch.
            checkpoints: Folder to keep the state of long work in; work found there is continued.
        """
        ...


def makes_vectors(model: Model) -> bool:
    """Whether what the model fits is one vector per user and one per item."""
    return not getattr(model, "item_to_item", False)
