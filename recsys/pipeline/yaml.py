"""YAML by the rules of version 1.2, not 1.1: ``1e-3`` is a number and ``no`` is text."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from recsys.errors import InputError


class _Loader(yaml.SafeLoader):
    """The safe loader, with booleans and floats as in YAML 1.2."""


_REPLACED = {f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float", "timestamp")}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _REPLACED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?$|^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$"
    ),
    list("-+.0123456789"),
)


class _Dumper(yaml.SafeDumper):
    """The safe dumper; it also quotes text that only our loader reads as a number (``0E0``)."""


_Dumper.yaml_implicit_resolvers = {
    first: [
        *yaml.SafeDumper.yaml_implicit_resolvers.get(first, []),
        *_Loader.yaml_implicit_resolvers.get(first, []),
    ]
    for first in yaml.SafeDumper.yaml_implicit_resolvers.keys() | _Loader.yaml_implicit_resolvers.keys()
}


def loads(text: str, source: str = "YAML") -> Any:
    """Parse one YAML document.

    Raises:
        InputError: If it is not YAML; the line is named.

    Example:
        >>> loads("{rate: 1e-3, miner: no, half: .5, on: 2011-12-09}")
        {'rate': 0.001, 'miner': 'no', 'half': 0.5, 'on': '2011-12-09'}
    """
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise InputError(
            f"{source} is not valid YAML: {' '.join(str(error).split())}; fix that line"
        ) from error


def load(path: Path) -> Any:
    """Parse a file.

    Raises:
        InputError: If there is no such file or it is not YAML.
    """
    try:
        return loads(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError as error:
        raise InputError(
            f"there is no file {path}; give the path of a pipeline such as pipelines/smoke.yaml"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}; give a YAML file in UTF-8") from error


def dumps(value: Any) -> str:
    """Write a document that ``loads`` reads back to the same value."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=110)
