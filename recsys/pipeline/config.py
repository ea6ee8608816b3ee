"""Schema of pipeline files. A file is checked whole: all faults are reported at once. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from recsys import plugins
from recsys.data.etl.options import EtlOptions
from recsys.errors import InputError
from recsys.evaluation.names import DEFAULT
from recsys.models.composition import draws
from recsys.pipeline import yaml

C = TypeVar("C", bound="TrainConfig")


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelSection(BaseModel):
    """A model by name and its options; a part is a name or ``{name: ..., option: ...}``."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str = "two_tower"

    @property
    def options(self) -> dict[str, Any]:
        """Everything but the name."""
        return dict(self.model_extra or {})


class IndexSection(_Section):
    """Choice of the index: the cheapest setting whose measured recall@k meets the target."""

    kind: str = "auto"
    target_recall: float = Field(default=0.95, gt=0, le=1)
    k: int = Field(default=20, ge=1)

    @field_validator("kind")
    @classmethod
    def _known_kind(cls, value: str) -> str:
        known = ("auto", *plugins.names("indexes"))
        if value not in known:
            raise PydanticCustomError("kind", f"input should be one of {', '.join(known)}")
        return value


class ExportSection(_Section):
    """Lists for every user, written when the pipeline ends."""

    out: str
    k: int = Field(default=50, ge=1)


class TrainConfig(_Section):
    """All settings of a run, the data apart."""

    model: ModelSection = ModelSection()
    seed: int = Field(default=0, ge=0)
    baselines: tuple[str, ...] = ("als", "popularity")
    refit: Literal["none", "valid", "all"] = "valid"
    index: IndexSection = IndexSection()
    metrics: tuple[str, ...] = DEFAULT
    warm_up: int = Field(default=0, ge=0)

    @field_validator("model", mode="before")
    @classmethod
    def _model_by_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value


class SyntheticSection(_Section):
    """A synthetic log with planted preferences, written to ``{raw}/<name>/`` first."""

    users: int = Field(default=1_500, ge=2)
    items: int = Field(default=800, ge=2)
    rows: int = Field(default=60_000, ge=2)
    genres: int = Field(default=12, ge=1)
    seed: int = Field(default=0, ge=0)


class PipelineConfig(TrainConfig):
    """A file in ``pipelines/``: from raw logs to lists.

    ``{raw}`` in a path of the section ``data`` is ``HOME/raw``, where ``recsys download`` puts logs; other
    paths are as the shell would read them.
    """

    name: str
    data: EtlOptions
    synthetic: SyntheticSection | None = None
    export: ExportSection | None = None
    losses: tuple[str, ...] = ()

    def train_configs(self) -> list[TrainConfig]:
        """The runs to make: one per loss if ``losses`` is given, else one."""
        fields = {key: getattr(self, key) for key in TrainConfig.model_fields}
        if not self.losses:
            return [TrainConfig.model_validate(fields)]
        return [
            TrainConfig.model_validate(fields | {"model": _with_loss(self.model, loss)})
            for loss in self.losses
        ]


def _with_loss(model: ModelSection, loss: str) -> dict[str, Any]:
    return {"name": model.name, **model.options, "loss": loss}


def read_pipeline(path: Path, overrides: Mapping[str, Any] | None = None) -> PipelineConfig:
    """Read and check a pipeline file.

    Raises:
        InputError: With one line a fault, all of them.
    """
    return parse(PipelineConfig, override(_mapping(yaml.load(path), path), overrides or {}))


def read_train(path: Path, overrides: Mapping[str, Any]) -> TrainConfig:
    """Read the training part of a pipeline file (or a run's ``config.yaml``).

    Raises:
        InputError: With one line a fault, all of them.
    """
    document = _mapping(yaml.load(path), path)
    known = {key: value for key, value in document.items() if key in TrainConfig.model_fields}
    return parse(TrainConfig, override(known, overrides))


def parse(kind: type[C], document: Mapping[str, Any]) -> C:
    """Check a document against the schema and every part against its source.

    Raises:
        InputError: With one line a fault, all of them.
    """
    faults: list[str] = []
    config: C | None = None
    try:
        config = kind.model_validate(document)
    except ValidationError as error:
        faults = [_fault(each) for each in error.errors()]
    faults += part_faults(document)
    if faults or config is None:
        raise InputError(
            "\n  ".join(
                [f"{len(faults)} fault{'s' if len(faults) > 1 else ''} in the configuration:", *faults]
            )
        )
    return config


def part_faults(document: Mapping[str, Any]) -> list[str]:
    """Faults in the names, options and values of the parts in a document."""
    model = document.get("model", "two_tower")
    spec = {"name": model} if isinstance(model, str) else model
    faults = _model_faults("model", {"name": "two_tower", **spec}) if isinstance(spec, Mapping) else []
    for key, family in (("baselines", "models"), ("metrics", "metrics"), ("losses", "losses")):
        for name in document.get(key) or ():
            faults += [f"{key}: {fault}" for fault in _name_faults(family, str(name))]
    return faults


def _model_faults(path: str, spec: Mapping[str, Any]) -> list[str]:
    """Faults of a model, of its parts, and of their combination."""
    faults: list[str] = []
    for key, value in spec.items():
        if key in plugins.NESTED and value is not None:
            for each in value if isinstance(value, list | tuple) else [value]:
                if key == "of" and isinstance(each, Mapping) and "name" in each:
                    faults += _model_faults(f"{path}.{key}", each)
                else:
                    faults += [f"{path}.{key}: {fault}" for fault in _spec_faults(plugins.NESTED[key], each)]
    own = {key: value for key, value in spec.items() if key != "name"}
    # A model of models judges them too, so it is made of ones that are right or not at all.
    judge = plugins.check if faults and "of" in spec else _faults
    faults = [f"{path}: {fault}" for fault in judge("models", spec["name"], own)] + faults
    if faults:
        return faults
    unfit = {**plugins.mismatches(spec), **_shared_faults(spec)}
    return [f"{path}.{key}: {fault}" for key, found in unfit.items() for fault in found]


def _shared_faults(spec: Mapping[str, Any]) -> dict[str, list[str]]:
    """Part -> faults of the values that it takes from its model."""
    full, found = _full("models", spec), {}
    for key in full.keys() & plugins.NESTED.keys() - {"of"}:
        part = full[key] or {}
        if any(option in spec for option in part if option != "name"):
            found[key] = _spec_faults(plugins.NESTED[key], part)
    return found


def _name_faults(family: str, name: str) -> list[str]:
    if family != "metrics":
        return plugins.check(family, name, {})
    metric, at, k = name.partition("@")
    if at and not k.isdigit():
        return [f"{name!r} has no cut-off after '@'; write it as {metric}@20"]
    return _faults(family, metric, {"k": int(k)} if at else {})


def _spec_faults(family: str, spec: Any) -> list[str]:
    if isinstance(spec, str):
        return plugins.check(family, spec, {})
    if not isinstance(spec, Mapping) or not isinstance(spec.get("name"), str):
        return [f"{spec!r} is not a part; give a name, or {{name: ..., option: ...}}"]
    return _faults(family, spec["name"], {key: value for key, value in spec.items() if key != "name"})


def _faults(family: str, name: str, options: Mapping[str, Any]) -> list[str]:
    """Faults of names and types; if there is none, the values that the part itself refuses.

    Defaults are right, so a part without options is not imported.
    """
    faults, left = plugins.check(family, name, options), dict(options)
    if faults:
        return faults
    while left and (fault := _refusal(family, name, left)):
        faults.append(f"{name}: {fault}")
        # Without the value that it is about the part refuses the next one, or none.
        rest = ({key: left[key] for key in left if key != culprit} for culprit in left)
        left = next((each for each in rest if _refusal(family, name, each) != fault), {})
    return faults


def _refusal(family: str, name: str, options: Mapping[str, Any]) -> str | None:
    try:
        plugins.make(family, name, options)
    except InputError as error:
        return str(error.__cause__ or error)
    return None


def _fault(error: Any) -> str:
    path = ".".join(str(step) for step in error["loc"]) or "the file"
    if error["type"] == "extra_forbidden":
        return f"{path}: there is no such option; the value was {error['input']!r}"
    return f"{path}: {error['msg'][0].lower()}{error['msg'][1:]}, not {error['input']!r}"


def _mapping(document: Any, path: Path) -> dict[str, Any]:
    if isinstance(document, dict) and "plugins" in document:
        raise InputError(
            f"{path} has the key plugins; a file of settings runs no code: name the file with --plugins"
        )
    if not isinstance(document, dict):
        raise InputError(
            f"{path} holds {type(document).__name__}, not a mapping of sections; see pipelines/smoke.yaml"
        )
    return document


def override(document: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the document with values set by dotted path; a part given by name alone becomes a mapping.

    Example:
        >>> override({"model": {"loss": "triplet"}}, {"model.loss.margin": 0.3})
        {'model': {'loss': {'name': 'triplet', 'margin': 0.3}}}
        >>> override({"model": {"name": "two_tower"}}, {"model.miner.margin": 0.3})["model"]["miner"]
        {'name': 'everything', 'margin': 0.3}
    """
    changed: dict[str, Any] = {
        key: dict(value) if isinstance(value, Mapping) else value for key, value in document.items()
    }
    for path, value in overrides.items():
        *parents, last = path.split(".")
        node = changed
        for step in parents:
            child = node[step] if step in node else _default_part(node, step)
            node[step] = {"name": child} if isinstance(child, str) else dict(child or {})
            node = node[step]
        node[last] = value
    return changed


def _default_part(model: Mapping[str, Any], key: str) -> Any:
    """The part that a model section leaves to the model: an option of it may be set without naming it."""
    if key not in plugins.NESTED or model.get("name", "two_tower") not in plugins.names("models"):
        return {}
    options = plugins.part("models", model.get("name", "two_tower")).options
    return next((option.default for option in options if option.name == key), {})


def settings(pairs: list[str]) -> dict[str, Any]:
    """``["model.loss.margin=0.3"]`` as ``{"model.loss.margin": 0.3}``.

    Raises:
        InputError: If one of them is not ``path=value``.
    """
    return dict(_settings(pairs))


def _settings(pairs: list[str]) -> Iterator[tuple[str, Any]]:
    for pair in pairs:
        path, equals, value = pair.partition("=")
        if not equals or not path.strip():
            raise InputError(f"--set takes path=value such as model.loss.margin=0.3, not {pair!r}")
        yield path.strip(), yaml.loads(value, f"--set {pair}")


def document(config: TrainConfig) -> dict[str, Any]:
    """The configuration with every default written out, the model's and its parts' too."""
    plain = config.model_dump(mode="json")
    plain["model"] = described(config.model, config.seed)
    return plain


def described(model: ModelSection, seed: int) -> dict[str, Any]:
    """A model section with every default of the model and its parts written out; the run's seed is theirs."""
    return _full("models", {"name": model.name, **model.options}, {"seed": seed})


def _full(family: str, spec: Any, owner: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """A part with its defaults; an option that its owner has too takes the owner's value.

    So a model's ``candidates`` and ``dim`` are said once, and hold for its sampler and its miner. A part that
    says so (``as_given``) has its own parts left as they are given, without defaults.
    """
    described_part, given = _given(family, spec)
    full: dict[str, Any] = {"name": described_part.name}
    for option in described_part.options:
        full[option.name] = given.get(option.name, owner.get(option.name, option.default))
    for key, value in full.items():
        if key in plugins.NESTED and value is not None:
            parts = value if isinstance(value, list | tuple) else [value]
            if key in described_part.constants.get("as_given", ()):
                inner, options = _given(plugins.NESTED[key], value)
                full[key] = {**options, "name": inner.name}
                continue
            shared: list[Mapping[str, Any]] = [full] * len(parts)
            if plugins.NESTED[key] == "models":
                shared = [{**owner, "seed": seed} for seed in draws(parts, owner.get("seed", 0))]
            filled = [_full(plugins.NESTED[key], *pair) for pair in zip(parts, shared, strict=True)]
            full[key] = filled if isinstance(value, list | tuple) else filled[0]
    return full


def _given(family: str, spec: Any) -> tuple[plugins.Part, dict[str, Any]]:
    """A part, and the options given, its name included."""
    given = {"name": spec} if isinstance(spec, str) else dict(spec)
    return plugins.part(family, given["name"]), given


class RecipeConfig(TrainConfig):
    """A file in ``pipelines/bench/``: a model as a paper describes it, and what the paper reached.

    ``on`` names the fixed splits that the recipe is run on, each with the values that differ there, by path;
    ``published`` gives Recall@20 and NDCG@20 as printed.
    """

    name: str
    source: str
    on: dict[str, dict[str, Any]]
    published: dict[str, tuple[float, float]] = Field(default_factory=dict)


def read_recipe(path: Path, split: str) -> RecipeConfig:
    """Read a recipe as it is on one split.

    Raises:
        InputError: If the file has a fault, or the recipe is not for that split.
    """
    plain = _mapping(yaml.load(path), path)
    recipe = parse(RecipeConfig, plain)
    if split not in recipe.on:
        raise InputError(f"{path} is not for {split}; it is for: {', '.join(recipe.on)}")
    return parse(RecipeConfig, override(plain, recipe.on[split]))
