"""Where MLflow keeps its runs, and whether it can be reached; does not import mlflow."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from recsys.storage.home import Home


def tracking_uri(home: Home) -> str:
    """``MLFLOW_TRACKING_URI``, else a database: in ``./mlflow`` for the default home, or in ``HOME/mlflow``.

    Example:
        >>> tracking_uri(Home(Path("/srv/data")))
        'sqlite:////srv/data/mlflow/mlflow.db'
    """
    given = os.environ.get("MLFLOW_TRACKING_URI")
    if given:
        return given
    default = Path("data").resolve()
    folder = default.parent if home.path.resolve() == default else home.path.resolve()
    return f"sqlite:///{folder / 'mlflow' / 'mlflow.db'}"


def database(uri: str) -> Path | None:
    """The file of a sqlite store; None if the store is a server."""
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def artifact_location(uri: str, experiment: str) -> str | None:
    """Beside a sqlite store's file; None if a server decides."""
    file = database(uri)
    return None if file is None else (file.resolve().parent / "artifacts" / experiment).as_uri()


def fault(uri: str, seconds: float = 2.0) -> str | None:
    """Why the store cannot be used, by a quick check; None if no fault is found."""
    file = database(uri)
    if file is not None:
        folder = next(each for each in file.resolve().parents if each.exists())
        place = file if file.exists() else folder
        return None if os.access(place, os.W_OK) else f"{place} cannot be written"
    if urlsplit(uri).scheme not in {"http", "https"}:
        return None
    try:
        with urllib.request.urlopen(uri.rstrip("/") + "/health", timeout=seconds):
            return None
    except urllib.error.HTTPError as error:
        return None if error.code < 500 else f"it answers {error.code} {error.reason}"
    except (OSError, ValueError) as error:
        return str(getattr(error, "reason", error)) or type(error).__name__
