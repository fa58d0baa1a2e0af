"""Where the MLflow store is, and whether it answers. What enters is an address; what leaves is a quick error, or none.

MLflow itself would try an address that does not answer again and again for minutes.
"""

from __future__ import annotations

import os
import re
import socket
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import unquote, urlsplit

from stance.errors import StoreError

VARIABLE = "MLFLOW_TRACKING_URI"
USER, PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
ROOT = "MLFLOW_DEFAULT_ARTIFACT_ROOT"
SQLITE = "sqlite:///"
ARTIFACTS = "mlartifacts"

_PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306}
_SERVERS = ("http", "https")
_HIDDEN = "***"
_WAIT = 5  # seconds for a connection
_STATEMENT = re.compile(r"(?s)\s*\[SQL:.*")  # a statement with its values, which may be a secret


def artifact_root(uri: str) -> str | None:
    """Return where new experiments of a database without a server keep their artifacts; None where a server decides.

    For SQLite it is a folder beside the file, else what `MLFLOW_DEFAULT_ARTIFACT_ROOT` names. Raises StoreError where
    that is not set: MLflow would take a folder of this machine, which no other one can read.
    """
    if uri.startswith(SQLITE):
        return (database_file(uri).parent / ARTIFACTS).as_uri()
    if not is_database(uri):
        return None
    root = os.environ.get(ROOT, "").strip()
    if not root:
        raise StoreError(
            f"the MLflow store {show_uri(uri)} is a database without a server: set {ROOT} to a folder or bucket that "
            "all who use it can reach, or put a server in front (docs/teams.md)"
        )
    return root.rstrip("/") if "://" in root else Path(root).absolute().as_uri()


def is_database(uri: str) -> bool:
    """Say whether an address is of a database server, without an MLflow server in front."""
    kind = _kind(uri)
    return kind in _PORTS and kind not in _SERVERS


def database_file(uri: str) -> Path:
    """Return the file of a SQLite store."""
    return Path(uri.removeprefix(SQLITE).split("?")[0]).absolute()


def show_uri(uri: str) -> str:
    """Return the address without user and password.

    >>> show_uri("postgresql://ann:secret@db.example.org/mlflow")
    'postgresql://db.example.org/mlflow'
    """
    netloc = urlsplit(uri).netloc
    return uri.replace(netloc, netloc.rpartition("@")[2], 1) if netloc else uri


def hide_secrets(text: str, uri: str) -> str:
    """Return a message in one line without the passwords of the address and the environment.

    >>> hide_secrets("no answer from http://ann:secret@host", "http://ann:secret@host")
    'no answer from http://ann:***@host'
    """
    given = urlsplit(uri).password or ""
    for secret in (given, unquote(given), os.environ.get(PASSWORD, "")):
        text = text.replace(secret, _HIDDEN) if secret else text
    return " ".join(_STATEMENT.sub("", text).split())


def check_reachable(uri: str, create: bool) -> None:
    """Raise StoreError if nothing answers at an address; a SQLite file that is missing is none with `create`."""
    if uri.startswith(SQLITE):
        _check_file(database_file(uri), create)
    elif (parts := urlsplit(uri)).hostname and (port := parts.port or _PORTS.get(_kind(uri))):
        _check_port(uri, parts.hostname, port)
        if is_database(uri):
            _check_database(uri)


def _kind(uri: str) -> str:
    return urlsplit(uri).scheme.split("+")[0]


def _check_file(path: Path, create: bool) -> None:
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
        socket.create_connection((host, port), timeout=_WAIT).close()
    except OSError as error:
        raise StoreError(
            f"the MLflow store {show_uri(uri)} cannot be reached: {error}; start the server, or correct {VARIABLE}"
        ) from error


def _check_database(uri: str) -> None:
    import sqlalchemy

    shown = show_uri(uri)
    try:
        engine = sqlalchemy.create_engine(
            uri, poolclass=sqlalchemy.pool.NullPool, connect_args={"connect_timeout": _WAIT}
        )
        engine.connect().close()
    except ModuleNotFoundError as error:
        raise StoreError(f"the MLflow store {shown} needs {error.name}: pip install 'stance-kit[teams]'") from error
    except sqlalchemy.exc.SQLAlchemyError as error:
        said = hide_secrets(str(getattr(error, "orig", None) or error), uri)
        raise StoreError(
            f"the MLflow store {shown} does not let us in: {said:.300}; correct user, password or name in {VARIABLE}"
        ) from error
