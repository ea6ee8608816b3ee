"""Users and items as points of one space, learned by comparing what was chosen with what was not."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from recsys import seeds
from recsys.data.features import Features
from recsys.data.tables import Interactions
from recsys.embeddings import Embeddings
from recsys.models.anchored import best_share
from recsys.models.composition import Choice, named
from recsys.models.initialization import STARTS, best_weighting, start
from recsys.models.joining import served_distance
from recsys.models.loss_options import with_options
from recsys.models.model import Fitted, Report, Validate, silent
from recsys.models.smoothed import best_hops
from recsys.models.weighting import check_weighting, varies

if TYPE_CHECKING:
    import torch

    from recsys.learning.training.batch import Parts
    from recsys.learning.training.checkpoint import State
    from recsys.learning.training.loop import TrainingSetup, Vectors

# Short fits that only choose an option of the loss: epochs, and interactions per epoch.
TRIAL: Final = 2
TRIAL_ROWS: Final = 2**20


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
            the score is an inner product, in which long random vectors are noise to be unlearned.
        weighting: What the start makes of the weights of the log: raw, none, log1p or bm25, see
            ``recsys.models.weighting``; None: raw, or none or log1p where the start by these is clearly
            better on the validation set. Training takes every interaction alike.
        hops: Steps over the graph of interactions that smooth the finished vectors: at most, with validation,
            exactly without; 0 leaves them as they were trained. Smoothed vectors are served by the inner
            product; see ``best_hops``.
        start_share: Share of the score that the factors of the start keep beside the finished vectors, the
            two cut back to ``dim``; none where the vectors alone are clearly better on the validation set.
            Served by the inner product; see ``best_share``.
        dim: Dimensions D.
        epochs: Passes over the interactions: at most with validation, exactly without.
        batch: Interactions B per step.
        candidates: Items N per step.
        rate: Length of a step, relative to that of vectors at the start.
        optimizer: adagrad or adam, with state per row.
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
        """Choose start and options of the loss, train, smooth, join the start; see ``Model.fit``."""
        from recsys.models.two_tower_setup import device

        self._parts(train, features, device(self.device))  # impossible options are refused before any work
        weighting, begun = self._begin(train, validate)

        def quality(loss: Choice, option: str, value: float) -> float:
            short = replace(self, loss=loss, epochs=min(TRIAL, self.epochs))
            folder = checkpoints and checkpoints / f"{option}-{value}"
            found = short._trained(train, features, begun, validate, silent, folder, TRIAL_ROWS)[0].best_value
            report(0, {option: value, "valid": found})
            return found

        loss = self.loss if validate is None else with_options(self.loss, quality)
        model = replace(self, loss=loss, weighting=weighting)
        state, scorer = model._trained(train, features, begun, validate, report, checkpoints)
        hops, scorer = best_hops(scorer, train, self.hops, validate)
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
    ) -> tuple[State, Embeddings]:
        """Train once, from ``begun``, with every option of the loss given; the vectors of the best epoch."""
        from recsys.learning.training.loop import Hooks
        from recsys.learning.training.loop import train as run
        from recsys.models.two_tower_setup import fingerprint

        work = self.prepare(train, features, begun, most)
        fold_in, _ = work.parts.tower.fold_in()
        distance = served_distance(named(self.distance)[0])

        def embeddings(vectors: Vectors) -> Embeddings:
            users, items, inputs = vectors["users"], vectors["items"], vectors.get("inputs")
            return Embeddings(users, items, train.users, train.items, distance, inputs, fold_in)

        fit = fingerprint(asdict(self), train, most, validated=validate is not None)
        judge = None if validate is None else lambda vectors: validate(embeddings(vectors))
        state = run(work, Hooks(judge, report, None if checkpoints is None else (checkpoints, fit)))
        return state, embeddings(state.best)

    def _begin(
        self, train: Interactions, validate: Validate | None = None
    ) -> tuple[str | None, Embeddings | None]:
        """The weighting of the start, and what the vectors start from; None where that is random."""
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
        """Set up training, at its start, on its device.

        Args:
            train: What is fitted to.
            features: What is known about users and items.
            begun: What the vectors start from; None: made here.
            most: Interactions per epoch, at most.
        """
        from recsys.learning.training.interactions import InteractionTensors
        from recsys.learning.training.loop import Schedule, TrainingSetup
        from recsys.learning.training.memory import keep_freed
        from recsys.models import two_tower_setup as setup

        keep_freed()
        device = setup.device(self.device)
        parts = self._parts(train, features, device)
        log = InteractionTensors.of(train, device, ages=parts.tower.needs_ages)
        rng = seeds.torch_generator(self.seed, "start", device=device)
        tables = setup.tables(
            log,
            parts,
            self.item_tower,
            self.dim,
            rng,
            optimizer=self.optimizer,
            rate=self.rate,
            ball=self.ball,
        )
        begun = self._begin(train)[1] if begun is None else begun
        if begun is not None:
            setup.start_from(begun, tables, parts.distance)
        draw = setup.fresh_draw(self.sampler, self.candidates, log, tables, parts)
        schedule = Schedule(self.epochs, self.batch, self.patience, self.seed, most)
        return TrainingSetup(log, tables, parts, draw, schedule)

    def _parts(self, train: Interactions, features: Features | None, device: torch.device) -> Parts:
        from recsys.learning.reducers import REDUCERS
        from recsys.learning.training.batch import Parts
        from recsys.learning.training.precision import has_bfloat16
        from recsys.models.two_tower_setup import matching, regularizer

        kinds = ("loss", "miner", "distance", "tower", "item_tower")
        made = matching(**{kind: getattr(self, kind) for kind in kinds})
        return Parts(
            **{kind: made[kind] for kind in ("loss", "miner", "distance", "tower")},
            items=made["item_tower"].over(train, features, device),
            reduce=REDUCERS[self.reducer],
            regularize=regularizer(made["loss"], l2=self.l2, uniformity=self.uniformity, center=self.center),
            balance=self.balance,
            bfloat16=has_bfloat16(device) if self.precision == "auto" else self.precision == "bf16",
        )
