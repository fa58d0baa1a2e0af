"""One team for all tests: MLflow with accounts on a PostgreSQL of its own, started as a user starts it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from experiments.teams.accounts import READER, TRAINER, add_account
from experiments.teams.secrets import FILE
from stance.tracking.serving.network import listen

PEOPLE = {"ann": TRAINER, "bob": TRAINER, "eve": READER}


class Team(NamedTuple):
    """A running server: its folder, its address, the port of its database."""

    folder: Path
    url: str
    database_port: int

    @property
    def secrets(self) -> dict[str, str]:
        return json.loads((self.folder / FILE).read_text("utf-8"))

    @property
    def database(self) -> str:
        return f"postgresql://mlflow:{self.secrets['mlflow']}@127.0.0.1:{self.database_port}/mlflow"

    def settings(self, name: str) -> dict[str, str]:
        """What somebody sets in their environment; their password is made of their name."""
        password = self.secrets["admin"] if name == "admin" else password_of(name)
        return {
            "MLFLOW_TRACKING_URI": self.url,
            "MLFLOW_TRACKING_USERNAME": name,
            "MLFLOW_TRACKING_PASSWORD": password,
        }

    def start(self, name: str, *words: object, cwd: Path, **changed: str) -> subprocess.Popen[str]:
        """Start `stance …` as somebody on a machine of their own, which is a folder here."""
        return self.start_python(name, "-m", "stance.cli.main", *words, cwd=cwd, **changed)

    def start_python(self, name: str, *words: object, cwd: Path, **changed: str) -> subprocess.Popen[str]:
        given = plain_environment() | self.settings(name) | {"STANCE_CACHE": str(cwd / ".cache")} | changed
        command = [sys.executable, *map(str, words)]
        return subprocess.Popen(command, cwd=cwd, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def password_of(name: str) -> str:
    return f"{name}-{name}-{name}-{name}"


def plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}


def free_port() -> int:
    with listen("127.0.0.1", 0) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def team(postgres_folder) -> Iterator[Team]:
    """The server with two trainers, ann and bob, and a reader, eve."""
    port, database_port = free_port(), free_port()
    words = [sys.executable, "-m", "experiments.teams.server", "--folder", str(postgres_folder), "--workers", "1"]
    words += ["--port", str(port), "--database-port", str(database_port)]
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        words, cwd=root, env=plain_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            first = process.stdout.readline()
            assert f"MLflow is up: http://127.0.0.1:{port}" in first, process.communicate()
            made = Team(postgres_folder, f"http://127.0.0.1:{port}", database_port)
            with pytest.MonkeyPatch.context() as patch:
                for name, value in made.settings("admin").items():
                    patch.setenv(name, value)
                for name, role in PEOPLE.items():
                    add_account(name, role, password_of(name))
            yield made
        finally:
            process.terminate()
            _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "its data stays" in err


@pytest.fixture
def as_person(team, monkeypatch):
    """A function that makes this process somebody's."""

    def become(name: str, **changed: str) -> None:
        for variable, value in (team.settings(name) | changed).items():
            monkeypatch.setenv(variable, value)

    return become
