"""A PostgreSQL of one's own. A folder enters; a server on loopback leaves, with a database and a role for each use.

For a team that has no database server. Where there is one, its administrator makes the databases (docs/teams.md).
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from experiments.teams.processes import Command, run_as, running
from stance.errors import ServiceError

HOST = "127.0.0.1"
BIN = "POSTGRES_BIN"
DATABASES = ("mlflow", "labelstudio")
OWNER = "postgres"
ACCOUNTS = ("postgres", "nobody")  # whom it runs as when root starts it, which PostgreSQL itself refuses

_DEBIAN = Path("/usr/lib/postgresql")
_PROGRAMS = ("initdb", "postgres")


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server; `passwords` by role, where each role but the owner has a database of its own name."""

    port: int
    passwords: Mapping[str, str] = field(repr=False)

    def uri(self, database: str) -> str:
        """Return the address of a database, with the password of its role."""
        return f"postgresql://{database}:{self.passwords[database]}@{HOST}:{self.port}/{database}"


@contextmanager
def start_postgres(folder: Path, port: int, passwords: Mapping[str, str]) -> Iterator[Postgres]:
    """Yield a server with its data in `<folder>/postgres`, made on first use; it ends when the block does.

    It listens on loopback alone and asks every role for its password. Raises ServiceError where PostgreSQL is not
    installed, cannot reach the folder, or does not start.
    """
    programs = find_programs()
    user = _account()
    data = (folder / "postgres").absolute()
    if not (data / "PG_VERSION").exists():
        _initialise(programs, data, passwords[OWNER], user)
    words = [str(programs / "postgres"), "-D", str(data), "-h", HOST, "-p", str(port), "-k", ""]
    log = folder / "postgres.log"
    # SIGTERM would wait for every client to leave by itself.
    command = Command("PostgreSQL", words, log, _plain_environment(), user, farewell=signal.SIGINT)
    postgres = Postgres(port, passwords)
    with running(command, lambda: _answers(programs, port)):
        for name in DATABASES:
            make_database(postgres, name)
        yield postgres


def find_programs() -> Path:
    """Return the folder of PostgreSQL's programs: of `POSTGRES_BIN`, the path, or Debian's newest."""
    given = os.environ.get(BIN)
    found = shutil.which("initdb")
    debian = sorted(_DEBIAN.glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    places = [Path(given)] if given else [*([Path(found).resolve().parent] if found else []), *debian]
    for place in places:
        if all((place / name).is_file() for name in _PROGRAMS):
            return place
    where = f"{given} holds none of it" if given else "it is neither on the path nor in /usr/lib/postgresql"
    raise ServiceError(
        f"PostgreSQL is needed, and {where}: install it (apt-get install postgresql), or set {BIN} to the folder of"
        f" {' and '.join(_PROGRAMS)}"
    )


def _account() -> str | None:
    import pwd

    if os.getuid():
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next(name for name in ACCOUNTS if name in known)


def _initialise(programs: Path, data: Path, password: str, user: str | None) -> None:
    """Make the cluster beside its place and move it there, so that no half one is ever found."""
    with tempfile.TemporaryDirectory(prefix=".postgres-", dir=data.parent) as made:
        draft, secret = Path(made) / "data", Path(made) / "password"
        secret.touch(0o600)
        secret.write_text(password, "utf-8")
        if user is not None:
            for path in (Path(made), secret):
                shutil.chown(path, user)
            _check_way(data.parent, user)
        words = [str(programs / "initdb"), "-D", str(draft), "-U", OWNER, f"--pwfile={secret}", "-A", "scram-sha-256"]
        done = subprocess.run(
            [*words, "-E", "UTF8", "--no-locale"],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
            env=_plain_environment(),
            **run_as(user),
        )
        if done.returncode:
            raise ServiceError(f"{data}: PostgreSQL cannot make its files: {' '.join(done.stderr.split())[-400:]}")
        draft.rename(data)


def _check_way(folder: Path, user: str) -> None:
    closed = [path for path in (folder, *folder.parents) if not path.stat().st_mode & 0o001]
    if closed:
        raise ServiceError(
            f"{closed[-1]} is closed to '{user}', as whom PostgreSQL runs when root starts it; give a --folder under"
            " one that all may enter, such as /srv, or start it as another user"
        )


def _plain_environment() -> dict[str, str]:
    """Ours without PG…, which its programs heed, and a locale that is always there."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C"}


def _answers(programs: Path, port: int) -> bool:
    words = [str(programs / "pg_isready"), "-q", "-h", HOST, "-p", str(port)]
    return subprocess.run(words, check=False, env=_plain_environment()).returncode == 0


def make_database(postgres: Postgres, name: str) -> None:
    """Make a role and its database where they are missing; nobody else may enter it."""
    import psycopg
    from psycopg import sql

    address = f"host={HOST} port={postgres.port} dbname=postgres user={OWNER}"
    with psycopg.connect(address, password=postgres.passwords[OWNER], autocommit=True) as connection:
        # Hashed here, so that no log of the server ever sees it.
        secret = connection.pgconn.encrypt_password(postgres.passwords[name].encode(), name.encode(), b"scram-sha-256")
        word, hashed = sql.Identifier(name), sql.Literal(secret.decode())
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone():
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(word, hashed))
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(word, word))
        connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(word))
