"""The MLflow store. What enters is `MLFLOW_TRACKING_URI` or the working directory; what leaves is an open client.

Without that variable the store is `mlflow.db` in the working directory, with the artifacts in `mlartifacts` beside it.
Look at it with `mlflow ui --backend-store-uri sqlite:///mlflow.db`.
"""

from __future__ import annotations

import logging
import os
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from stance.errors import StoreError

if TYPE_CHECKING:
    from mlflow import MlflowClient

VARIABLE = "MLFLOW_TRACKING_URI"
DATABASE = "mlflow.db"
ARTIFACTS = "mlartifacts"

_SQLITE = "sqlite:///"
_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306}
_QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}
_FOREIGN = ("mlflow", "sqlalchemy", "sqlite3", "alembic", "requests", "urllib3")


@dataclass(frozen=True)
class Store:
    """An open store: its absolute URI, MLflow's client, and where a new experiment keeps its artifacts.

    `artifacts` is None where a server decides that itself.
    """

    uri: str
    client: MlflowClient
    artifacts: str | None


def tracking_uri() -> str:
    """Return the store's URI: `MLFLOW_TRACKING_URI`, or SQLite in the working directory as an absolute path."""
    return os.environ.get(VARIABLE) or f"{_SQLITE}{Path.cwd() / DATABASE}"


@contextmanager
def open_store(create: bool = False) -> Iterator[Store]:
    """Yield the store that `tracking_uri()` names, with MLflow silenced and its telemetry off.

    A new SQLite store is only made with `create`. Errors of MLflow inside the block become StoreError, as does a store
    that is missing, unwritable or unreachable; MLflow itself would retry those for minutes.
    """
    uri = tracking_uri()
    _check_reachable(uri, create)
    before = os.environ.get(VARIABLE)
    with wrap_errors(uri):
        mlflow = _import_quietly()
        mlflow.set_tracking_uri(uri)  # MLflow keeps it in the environment too; that is put back below
        try:
            yield Store(uri, mlflow.MlflowClient(), _artifact_root(uri))
        finally:
            os.environ.pop(VARIABLE, None)
            if before is not None:
                os.environ[VARIABLE] = before


@contextmanager
def wrap_errors(uri: str, writing: bool = False) -> Iterator[None]:
    """Turn errors of MLflow and of what it stands on into one StoreError naming the store; others pass.

    Errors of the operating system are the store's own only while `writing` to it.
    """
    try:
        yield
    except Exception as error:
        if type(error).__module__.split(".")[0] not in _FOREIGN and not (writing and isinstance(error, OSError)):
            raise
        message = " ".join(str(error).split())
        raise StoreError(f"the MLflow store {_shown(uri)}: {message:.400}") from error


def open_experiment(store: Store, name: str) -> str:
    """Return the id of an experiment, made on first use; a deleted one is restored."""
    found = store.client.get_experiment_by_name(name)
    if found is None:
        location = None if store.artifacts is None else f"{store.artifacts}/{name}"
        return str(store.client.create_experiment(name, artifact_location=location))
    if found.lifecycle_stage == "deleted":
        store.client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _shown(uri: str) -> str:
    """The URI without its user and password."""
    parts = urlsplit(uri)
    return uri if parts.hostname is None else uri.replace(parts.netloc, parts.netloc.rpartition("@")[2], 1)


def _import_quietly() -> Any:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import mlflow

    for name in ("mlflow", "alembic", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return mlflow


def _artifact_root(uri: str) -> str | None:
    return (_database(uri).parent / ARTIFACTS).as_uri() if uri.startswith(_SQLITE) else None


def _database(uri: str) -> Path:
    return Path(uri.removeprefix(_SQLITE).split("?")[0]).absolute()


def _check_reachable(uri: str, create: bool) -> None:
    if uri.startswith(_SQLITE):
        _check_sqlite(_database(uri), create)
    elif (parts := urlsplit(uri)).hostname:
        port = parts.port or _PORTS.get(parts.scheme.split("+")[0])
        if port is not None:
            _check_port(uri, parts.hostname, port)


def _check_sqlite(path: Path, create: bool) -> None:
    mend = f"give another one in {VARIABLE}"
    if not create and not path.is_file():
        raise StoreError(f"{path}: there is no MLflow store here; train first, go to its folder, or {mend}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=10)) as database:
            database.execute("PRAGMA schema_version")
            database.execute("BEGIN IMMEDIATE")
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{path}: not a store that can be written: {error}; {mend}") from error


def _check_port(uri: str, host: str, port: int) -> None:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        raise StoreError(
            f"the MLflow store {_shown(uri)} cannot be reached: {error}; start the server, or correct {VARIABLE}"
        ) from error
