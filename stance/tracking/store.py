"""The MLflow store. What enters is `MLFLOW_TRACKING_URI` or the working directory; what leaves is an open client.

Without that variable the store is `mlflow.db` in the working directory, with the artifacts in `mlartifacts` beside it.
Look at it with `mlflow ui --backend-store-uri sqlite:///mlflow.db`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance.errors import StoreError
from stance.tracking.reach import (
    PASSWORD,
    SQLITE,
    USER,
    VARIABLE,
    artifact_root,
    check_reachable,
    hide_secrets,
    show_uri,
)

if TYPE_CHECKING:
    from mlflow import MlflowClient

DATABASE = "mlflow.db"

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
    """An open store: its absolute URI, and MLflow's client."""

    uri: str
    client: MlflowClient

    def __str__(self) -> str:
        """The address without user and password, for messages."""
        return show_uri(self.uri)


def tracking_uri() -> str:
    """Return the store's URI: `MLFLOW_TRACKING_URI`, or SQLite in the working directory as an absolute path."""
    return os.environ.get(VARIABLE) or f"{SQLITE}{Path.cwd() / DATABASE}"


@contextmanager
def open_store(create: bool = False) -> Iterator[Store]:
    """Yield the store that `tracking_uri()` names, with MLflow silenced and its telemetry off.

    A new SQLite store is only made with `create`. Errors of MLflow inside the block become StoreError, as does a store
    that is missing, unwritable or unreachable; MLflow itself would retry those for minutes.
    """
    uri = tracking_uri()
    check_reachable(uri, create)
    before = os.environ.get(VARIABLE)
    with wrap_errors(uri):
        mlflow = import_quietly()
        mlflow.set_tracking_uri(uri)  # MLflow keeps it in the environment too; that is put back below
        try:
            yield Store(uri, mlflow.MlflowClient())
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
        raise StoreError(f"the MLflow store {show_uri(uri)}: {_explain(error, uri)}") from error


def open_experiment(store: Store, name: str) -> str:
    """Return the id of an experiment, made on first use; a deleted one is restored."""
    found = store.client.get_experiment_by_name(name)
    if found is None:
        root = artifact_root(store.uri)
        try:
            return str(store.client.create_experiment(name, artifact_location=root and f"{root}/{name}"))
        except Exception as error:
            if getattr(error, "error_code", "") != "RESOURCE_ALREADY_EXISTS":
                raise
            found = store.client.get_experiment_by_name(name)  # another trainer was first
    if found.lifecycle_stage == "deleted":
        store.client.restore_experiment(found.experiment_id)
    return str(found.experiment_id)


def _explain(error: Exception, uri: str) -> str:
    """What went wrong, with the mend where a server turned us away."""
    text = hide_secrets(str(error), uri)
    code = getattr(error, "error_code", "")
    status = getattr(getattr(error, "response", None), "status_code", None)
    user = os.environ.get(USER)
    if code == "UNAUTHENTICATED" or status == 401:
        if user and os.environ.get(PASSWORD):
            return f"it refuses the user '{user}' with that password; correct {USER} and {PASSWORD}"
        return f"it asks who you are; set {USER} and {PASSWORD}"
    if (code == "PERMISSION_DENIED" or status == 403) and "Host header" not in text:
        who = f"the user '{user}'" if user else "this user"
        return f"{who} has no right to do this; ask its administrator for it, or set {USER} and {PASSWORD} to another"
    return f"{text:.400}"


def import_quietly() -> Any:
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    import mlflow

    for name in ("mlflow", "alembic", "sqlalchemy"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return mlflow
