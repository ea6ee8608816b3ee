"""Users and items as points of one space, learned by comparing what was chosen with what was not."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from recsys import plugins, seeds
from recsys.data.features import Features
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.errors import InputError
from recsys.models.anchored import best_share
from recsys.models.composition import Choice, named
from recsys.models.initialization import STARTS, best_weighting, scaled, start
from recsys.models.joining import served_distance
from recsys.models.loss_options import with_options
from recsys.models.model import Fitted, Report, Validate, silent
from recsys.models.smoothed import best_hops
from recsys.models.weighting import check_weighting, varies

if TYPE_CHECKING:
    import torch

    from recsys.learning.distances.distance import Distance
    from recsys.learning.losses.loss import Loss
    from recsys.learning.regularizers import Regularizer
    from recsys.learning.samplers.sampler import Draw
    from recsys.learning.training.batch import Parts
    from recsys.learning.training.checkpoint import State
    from recsys.learning.training.interactions import InteractionTensors
    from recsys.learning.training.loop import TrainingSetup, Vectors
    from recsys.learning.training.tables import Tables

# A fit that only chooses an option, as the order of the values shows soon: its epochs, and how many rows of a
# long log each of them goes through.
TRIAL: Final = 2
TRIAL_ROWS: Final = 2**20
# Length at the start where length counts in the score.
SHORT: Final = 0.1


@dataclass(frozen=True)
class TwoTower:
    """A tower for users, one for items, trained by any loss in any distance.

    For a batch of B interactions, N candidates are drawn; one product scores all B x N pairs, those that the
    user is known to have chosen are masked, the miner picks among the rest, the loss makes summands of them
    and the reducer one number; only the rows of the batch change.

    Args:
        loss: What is computed from the scores. An option that the loss leaves to the log (None) is chosen on
            the validation set, by fits of two epochs of 1,048,576 interactions each at most.
        distance: What a score is.
        miner: Which negatives are learned from.
        sampler: Which items a batch is compared with.
        tower: How a user becomes a vector.
        item_tower: How an item becomes a vector.
        reducer: mean, active (the mean of summands that are not zero) or sum.
        balance: Whether each positive pulls with a force of at most one, however many candidates outscore it,
            where the loss is a sum over pairs.
        l2: Weight of half the mean squared length of the vectors.
        uniformity: Weight by which users, and items, of a batch are spread over the sphere.
        center: Weight of half the mean squared distance of users from the items they chose.
        ball: Radius of the ball that vectors are kept in, or None.
        start: Where vectors start: normal (random), spectral (the factors that the model ``spectral``
            serves) or pca (principal components of the users' rows), scaled to expected length 1; .1 where
            the score is an inner product, in which long vectors of chance are noise to be unlearned.
        weighting: What the start makes of the weights of the log: raw, none, log1p or bm25, see
            ``recsys.models.weighting``; None: raw, or none or log1p where the start by these serves the valid
            part clearly better. Training takes every interaction alike.
        hops: Steps over the graph of interactions that smooth the finished vectors: at most, with validation,
            exactly without; 0 leaves them as they were trained. Smoothed vectors are served by the inner
            product; see ``best_hops``.
        start_share: Share of the score that the factors of the start keep beside the finished vectors, the
            two cut back to ``dim``; none where the vectors alone are clearly better on the validation set.
            Served by the inner product; see ``best_share``.
        dim: Dimensions D.
        epochs: Passes over the interactions: at most with validation, exactly without.
        batch: Interactions B a step.
        candidates: Items N a step.
        rate: Length of a step, relative to that of vectors at the start.
        optimizer: adagrad or adam, with state a row.
        patience: Epochs without improvement on the validation set before it stops.
        seed: Same seed, same bytes, on a CPU with the same number of threads.
        device: auto, cpu or cuda.
        precision: Of scores: bf16, fp32, or auto: bf16 where the processor has it.

    Source: Yi et al. 2019, Sampling-Bias-Corrected Neural Modeling; Hsieh et al. 2017, Collaborative Metric
    Learning.
    """

    loss: Choice = "bsl"
    distance: Choice = "cosine"
    miner: Choice = "everything"
    sampler: Choice = "uniform"
    tower: Choice = "history"
    item_tower: Choice = "id_vectors"
    reducer: str = "mean"
    balance: bool = True
    l2: float = 0.0
    uniformity: float = 0.0
    center: float = 0.0
    ball: float | None = None
    start: str = "spectral"
    weighting: str | None = None
    hops: int = 4
    start_share: float = 0.25
    dim: int = 64
    epochs: int = 60
    batch: int = 2048
    candidates: int = 2048
    rate: float = 0.2
    optimizer: str = "adagrad"
    patience: int = 3
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        for name in ("dim", "epochs", "batch", "candidates", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1")
        if not self.rate > 0:
            raise ValueError(f"rate is {self.rate}; it must be positive")
        for name in ("l2", "uniformity", "center", "hops"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is {getattr(self, name)}; it must not be negative")
        if not 0 <= self.start_share <= 1:
            raise ValueError(f"start_share is {self.start_share}; it must lie in 0..1")
        if self.weighting is not None:
            check_weighting(self.weighting)
        allowed = {
            "optimizer": ("adagrad", "adam"),
            "device": ("auto", "cpu", "cuda"),
            "precision": ("auto", "fp32", "bf16"),
            "reducer": ("mean", "active", "sum"),
            "start": STARTS,
        }
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise ValueError(f"{name} is {getattr(self, name)!r}; it can be {', '.join(values)}")

    def fit(
        self,
        train: Interactions,
        features: Features | None = None,
        *,
        validate: Validate | None = None,
        report: Report = silent,
        checkpoints: Path | None = None,
    ) -> Fitted:
        """Fit to the training interactions; see ``Model``."""
        self._parts(train, features, self._device())  # what cannot be is refused before anything is computed
        weighting, begun = self._begin(train, validate)
        loss = self.loss
        if validate is not None:
            loss = self._with_options(train, features, begun, validate, report, checkpoints)
        model = replace(self, loss=loss, weighting=weighting)
        state, embeddings = model._trained(train, features, begun, validate, report, checkpoints)
        hops, scorer = best_hops(embeddings(state.best), train, self.hops, validate)
        share, scorer = best_share(scorer, begun, self.start_share, self.dim, train, validate)
        chosen: dict[str, Any] = {} if loss == self.loss else {"loss": loss}
        chosen |= {} if weighting == self.weighting else {"weighting": weighting}
        return Fitted(scorer, {**chosen, "epochs": state.best_epoch, "hops": hops, "start_share": share})

    def _trained(
        self,
        train: Interactions,
        features: Features | None,
        begun: Embeddings | None,
        validate: Validate | None,
        report: Report,
        checkpoints: Path | None,
        most: int | None = None,
    ) -> tuple[State, Callable[[Vectors], Embeddings]]:
        """One training from its start, no option of the loss left open; and what makes a scorer of it."""
        from recsys.learning.training.loop import Hooks
        from recsys.learning.training.loop import train as run

        work = self.prepare(train, features, begun, most)
        fold_in, _ = work.parts.tower.fold_in()

        def embeddings(vectors: Vectors) -> Embeddings:
            users, items, inputs = vectors["users"], vectors["items"], vectors.get("inputs")
            name = served_distance(named(self.distance)[0])
            return Embeddings(users, items, train.users, train.items, name, inputs, fold_in)

        fingerprint = self._fingerprint(train, most, validated=validate is not None)
        hooks = Hooks(
            validate=None if validate is None else lambda vectors: validate(embeddings(vectors)),
            report=report,
            keep=None if checkpoints is None else (checkpoints, fingerprint),
        )
        return run(work, hooks), embeddings

    def _with_options(
        self,
        train: Interactions,
        features: Features | None,
        begun: Embeddings | None,
        validate: Validate,
        report: Report,
        checkpoints: Path | None,
    ) -> Choice:
        """The loss with the options that it leaves to the log, chosen in short fits."""

        def quality(loss: Choice, option: str, value: float) -> float:
            short = replace(self, loss=loss, epochs=min(TRIAL, self.epochs))
            folder = None if checkpoints is None else checkpoints / f"{option}-{value}"
            state, _ = short._trained(train, features, begun, validate, silent, folder, TRIAL_ROWS)
            report(0, {option: value, "valid": state.best_value})
            return state.best_value

        return with_options(self.loss, quality)

    def _begin(
        self, train: Interactions, validate: Validate | None = None
    ) -> tuple[str | None, Embeddings | None]:
        """What the vectors start from, whatever the loss, None where it is random; and its weighting."""
        if self.weighting or validate is None or self.start == "normal" or not varies(train):
            return self.weighting, start(self.start, train, self.dim, self.seed, self.weighting or "raw")
        return best_weighting(self.start, train, self.dim, self.seed, validate)

    def prepare(
        self,
        train: Interactions,
        features: Features | None = None,
        begun: Embeddings | None = None,
        most: int | None = None,
    ) -> TrainingSetup:
        """Everything that a fit works with, at its start, on its device.

        Args:
            train: What is fitted to.
            features: What is known about users and items.
            begun: Where the vectors start, where that is known.
            most: Interactions that an epoch goes through, at most.
        """
        from recsys.learning.training.interactions import InteractionTensors
        from recsys.learning.training.loop import Schedule, TrainingSetup
        from recsys.learning.training.memory import keep_freed

        keep_freed()
        device = self._device()
        parts = self._parts(train, features, device)
        log = InteractionTensors.of(train, device, ages=parts.tower.needs_ages)
        tables = self._tables(log, parts, device)
        begun = self._begin(train)[1] if begun is None else begun
        if begun is not None:
            for name in {"users", "items", "inputs"} & tables.tables.keys():
                vectors, there = scaled(getattr(begun, name), unit_rows=parts.distance.bounded)
                tables.place(name, vectors * self._length(), there)
        schedule = Schedule(self.epochs, self.batch, self.patience, self.seed, most)
        return TrainingSetup(log, tables, parts, self._fresh_draw(log, tables, parts), schedule)

    def _device(self) -> torch.device:
        import torch

        if self.device == "cuda" and not torch.cuda.is_available():
            raise InputError("device cuda was asked for and there is none; use --device cpu or auto")
        found = "cuda" if torch.cuda.is_available() else "cpu"
        return torch.device(found if self.device == "auto" else self.device)

    def _parts(self, train: Interactions, features: Features | None, device: torch.device) -> Parts:
        from recsys.learning.reducers import REDUCERS
        from recsys.learning.training.batch import Parts
        from recsys.learning.training.precision import has_bfloat16

        asked = {key: named(getattr(self, key))[0] for key in ("loss", "miner", "distance")}
        faults = [fault for found in plugins.mismatches(asked).values() for fault in found]
        if faults:
            raise InputError("; ".join(faults))
        loss: Loss = plugins.make("losses", *named(self.loss))
        return Parts(
            tower=plugins.make("towers", *named(self.tower)),
            items=plugins.make("item_towers", *named(self.item_tower)).over(train, features, device),
            distance=self._distance(),
            miner=plugins.make("miners", *named(self.miner)),
            loss=loss,
            reduce=REDUCERS[self.reducer],
            regularize=self._regularizer(loss),
            balance=self.balance,
            bfloat16=has_bfloat16(device) if self.precision == "auto" else self.precision == "bf16",
        )

    def _distance(self) -> Distance:
        distance: Distance = plugins.make("distances", *named(self.distance))
        return distance

    def _length(self) -> float:
        """Expected length of a vector at the start."""
        return SHORT if self._distance().index_metric == "dot" else 1.0

    def _regularizer(self, loss: Loss) -> Regularizer | None:
        from recsys.learning.losses.loss import Regularized
        from recsys.learning.regularizers import L2, Center, Together, Uniformity

        asked: list[Regularizer] = [L2(self.l2)] if self.l2 else []
        asked += [Uniformity(self.uniformity)] if self.uniformity else []
        asked += [Center(self.center)] if self.center else []
        asked += [loss.regularizer()] if isinstance(loss, Regularized) else []
        return Together(tuple(asked)) if asked else None

    def _tables(self, log: InteractionTensors, parts: Parts, device: torch.device) -> Tables:
        import torch

        from recsys.learning.distances.mahalanobis import Mahalanobis
        from recsys.learning.losses.parameters import parameters
        from recsys.learning.regularizers import UnitBall
        from recsys.learning.training.optimizers import Adagrad, Adam
        from recsys.learning.training.pair_inputs import table
        from recsys.learning.training.projection import MAP
        from recsys.learning.training.tables import Tables

        optimizer = {"adagrad": Adagrad, "adam": Adam}[self.optimizer](self.rate * self._length())
        of_items = plugins.make("item_towers", *named(self.item_tower)).tables(log.catalogue)
        shapes = {**of_items, **parts.tower.tables(len(log.starts) - 1, log.catalogue)}
        rng = seeds.torch_generator(self.seed, "start", device=device)
        ball = None if self.ball is None else UnitBall(self.ball)
        tables = Tables.start(shapes, self.dim, optimizer, rng, ball, self._length())
        if isinstance(parts.distance, Mahalanobis):
            tables.add(MAP, torch.eye(self.dim, device=device))
        sizes = {"one": 1, "users": len(log.starts) - 1, "items": log.catalogue}
        for each in parameters(parts.loss):
            column = torch.full((sizes[each.rows], 1), each.start, device=device)
            tables.add(table(each), column, partial(torch.clamp, min=each.low, max=each.high))
        return tables

    def _fresh_draw(self, log: InteractionTensors, tables: Tables, parts: Parts) -> Callable[[], Draw]:
        from recsys.learning.samplers.sampler import Population, Sampler
        from recsys.learning.training.nearest import nearest
        from recsys.learning.training.projection import place

        name, options = named(self.sampler)
        takes = {option.name for option in plugins.part("samplers", name).options}
        given = {"candidates": self.candidates} if "candidates" in takes else {}
        sampler: Sampler = plugins.make("samplers", name, given | options)

        def score(users: torch.Tensor, items: torch.Tensor) -> torch.Tensor:
            vectors = parts.tower.forward(log.take(users), tables.read)  # (B, D)
            points = place(parts.distance, tables.read, vectors, parts.items(items, tables.read))
            scores: torch.Tensor = parts.distance.matrix(*points)
            return scores  # (B, P)

        index = partial(nearest, log, tables, parts)
        disliked = None if log.disliked is None else log.disliked.one_of_each
        return partial(sampler.over, Population(log.popularity.float(), score, index, disliked))

    def _fingerprint(self, train: Interactions, most: int | None, *, validated: bool) -> str:
        """What a kept state must have in common with the fit that continues from it."""
        others = plugins.given_by_others({"name": "two_tower", **asdict(self)})
        digest = hashlib.sha256(repr((asdict(self), most, validated, others)).encode())
        for log in (train, *([] if train.disliked is None else [train.disliked])):
            for column in ("user", "item", "time"):
                digest.update(log.frame[column].to_numpy().tobytes())
        return digest.hexdigest()
