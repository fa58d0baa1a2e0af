"""MLflow for a team: `python -m experiments.teams.server`, or `make team-server`.

A folder enters; an MLflow server on loopback leaves, with its runs in PostgreSQL, its artifacts apart in a folder or
bucket, and an account for everybody. It runs until Ctrl-C or SIGTERM. docs/teams.md says how people reach it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import click

from experiments.teams.postgres import DATABASES, HOST, OWNER, Postgres, start_postgres
from experiments.teams.processes import Command, end_of, running
from experiments.teams.secrets import FILE, keep_secrets, write_secret
from stance.errors import ServiceError, StanceError
from stance.tracking.serving.network import listen

FOLDER = Path(".team")
LABELING = "label-studio.env"
ADMIN, COOKIES = "admin", "cookies"
BACKEND, ARTIFACTS = "MLFLOW_BACKEND_STORE_URI", "MLFLOW_ARTIFACTS_DESTINATION"
ADMIN_NAME, ADMIN_PASSWORD = "MLFLOW_AUTH_ADMIN_USERNAME", "MLFLOW_AUTH_ADMIN_PASSWORD"

_CLIENTS = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
# Who has no role may read everything, and own what they make. A password that was right is believed for a minute, as
# checking it takes 0.08 s of a core, and a training asks about 85 times.
_ACCOUNTS = """[mlflow]
default_permission = READ
auth_cache_ttl_seconds = 60
database_uri = {uri}
"""


@dataclass(frozen=True)
class Plan:
    """What is asked for. `open_to_all` leaves out accounts: whoever reaches the port may do everything."""

    folder: Path = FOLDER
    port: int = 5000
    database_port: int = 5433
    artifacts: str | None = None
    workers: int = 2
    open_to_all: bool = False


@dataclass(frozen=True)
class Team:
    """A running server: its address, its administrator's name (none where it is open to all), and its process."""

    url: str
    admin: str | None
    process: subprocess.Popen[bytes]


@contextmanager
def start_team(plan: Plan) -> Iterator[Team]:
    """Yield MLflow on PostgreSQL, both stopped when the block ends.

    `MLFLOW_BACKEND_STORE_URI` names a database elsewhere; without it a PostgreSQL of our own runs in the folder.
    Raises ServiceError where one of the two does not start, naming its log.
    """
    folder = plan.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700 if os.getuid() else 0o711)  # started by root, PostgreSQL passes through as another user
    secrets = keep_secrets(folder, (OWNER, *DATABASES, ADMIN, COOKIES))
    port = _free_port(plan.port)
    with ExitStack() as stack:
        database = os.environ.get(BACKEND, "")
        if not database:
            postgres = stack.enter_context(start_postgres(folder, _free_port(plan.database_port), secrets))
            database = postgres.uri("mlflow")
            lines = [f"{name}={value}\n" for name, value in labeling_settings(postgres).items()]
            write_secret(folder / LABELING, "".join(lines))
        url = f"http://{HOST}:{port}"
        environment = _environment(plan, folder, database, secrets)
        words = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port)]
        words += ["--workers", str(plan.workers), *([] if plan.open_to_all else ["--app-name", "basic-auth"])]
        command = Command("MLflow", words, folder / "mlflow.log", environment)
        process = stack.enter_context(running(command, lambda: _is_up(url)))
        yield Team(url, environment.get(ADMIN_NAME), process)


def _environment(plan: Plan, folder: Path, database: str, secrets: Mapping[str, str]) -> dict[str, str]:
    """What the server sees. Addresses with passwords go this way, as everybody can read a command line."""
    artifacts = folder / "artifacts"
    environment = {name: value for name, value in os.environ.items() if name not in _CLIENTS} | {
        BACKEND: database,
        ARTIFACTS: plan.artifacts or os.environ.get(ARTIFACTS) or artifacts.as_uri(),
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # it would run what clients ask for; nothing here does
    }
    if not plan.artifacts:
        artifacts.mkdir(mode=0o700, exist_ok=True)
    if plan.open_to_all:
        return environment
    settings = folder / "accounts.ini"
    # ConfigParser reads % as the beginning of a name, and an address may hold it.
    write_secret(settings, _ACCOUNTS.format(uri=database.replace("%", "%%")))
    return environment | {
        "MLFLOW_AUTH_CONFIG_PATH": str(settings),
        ADMIN_NAME: os.environ.get(ADMIN_NAME) or ADMIN,
        ADMIN_PASSWORD: os.environ.get(ADMIN_PASSWORD) or secrets[ADMIN],
        "MLFLOW_FLASK_SERVER_SECRET_KEY": secrets[COOKIES],
    }


def labeling_settings(postgres: Postgres) -> dict[str, str]:
    """Return Label Studio's own variables, which let it keep its data in the same PostgreSQL."""
    name = "labelstudio"
    return {
        "DJANGO_DB": "default",
        "POSTGRE_NAME": name,
        "POSTGRE_USER": name,
        "POSTGRE_PASSWORD": postgres.passwords[name],
        "POSTGRE_HOST": HOST,
        "POSTGRE_PORT": str(postgres.port),
    }


def _free_port(port: int) -> int:
    with listen(HOST, port) as listener:
        return int(listener.getsockname()[1])


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:
            return bytes(answer.read(20)) == b"OK"
    except (OSError, urllib.error.URLError):
        return False


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
    raise KeyboardInterrupt


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True, help="Keeps all data.")
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True, help="Of MLflow, on 127.0.0.1.")
@click.option("--database-port", type=click.IntRange(1, 65535), default=5433, show_default=True, help="Of PostgreSQL.")
@click.option("--artifacts", help="A folder or bucket (s3://…, gs://…) for artifacts, instead of one in the folder.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True, help="Processes that answer.")
@click.option("--open", "open_to_all", is_flag=True, help="Without accounts: whoever reaches the port may do all.")
def main(**asked: Any) -> None:
    """Start MLflow on PostgreSQL for a team, and run it until Ctrl-C."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what it puts in the background without it
    try:
        plan = Plan(**asked)
        with start_team(plan) as team:
            click.echo(f"MLflow is up: {team.url}  (stop with Ctrl-C)")
            if team.admin:
                click.echo(
                    f"  administrator: {team.admin}; password in {plan.folder / FILE}, unless the environment gave one"
                )
            if (plan.folder / LABELING).exists():
                click.echo(f"  settings of Label Studio on the same PostgreSQL: {plan.folder / LABELING}")
            sys.stdout.flush()
            if team.process.wait():
                log = plan.folder / "mlflow.log"
                raise ServiceError(f"MLflow ended by itself: {end_of(log)}; see {log}")
    except KeyboardInterrupt:
        click.echo("MLflow is stopped; its data stays", err=True)
    except StanceError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
