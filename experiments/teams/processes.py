"""Servers as processes of ours: a command and a log file enter; a process that answers leaves, and ends in order."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stance.errors import ServiceError

PATIENCE = 600.0  # seconds: a new database takes ten on two idle cores
STOPPING = 15.0


@dataclass(frozen=True)
class Command:
    """How to start a server. `user` is who it runs as, None for ourselves; `farewell` the signal that ends it well."""

    name: str
    words: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(repr=False)
    user: str | None = None
    farewell: signal.Signals = signal.SIGTERM


@contextmanager
def running(command: Command, ready: Callable[[], bool]) -> Iterator[subprocess.Popen[bytes]]:
    """Yield the process once it is `ready`, and stop it when the block ends.

    Raises ServiceError with the last lines of the log if it ends before, or is not ready in ten minutes.
    """
    with command.log.open("wb") as output:
        command.log.chmod(0o600)
        process = subprocess.Popen(
            list(command.words),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(command.environment),
            start_new_session=True,  # Ctrl-C is for us; we then stop each in its turn
            **run_as(command.user),
        )
    try:
        _wait(command, process, ready)
        yield process
    finally:
        _stop(command, process)


def run_as(user: str | None) -> dict[str, Any]:
    """Return what `subprocess` takes to run a program as that user, without our groups."""
    return {} if user is None else {"user": user, "group": _group(user), "extra_groups": ()}


def end_of(log: Path) -> str:
    """Return the last two lines of a log, for an error."""
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    return " | ".join(lines[-2:])[-400:] or "without a word"


def _group(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


def _wait(command: Command, process: subprocess.Popen[bytes], ready: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not ready():
        if process.poll() is not None:
            raise ServiceError(f"{command.name} ended while it started: {end_of(command.log)}; see {command.log}")
        if time.monotonic() > until:
            raise ServiceError(f"{command.name} does not answer after {PATIENCE:.0f} s; see {command.log}")
        time.sleep(0.1)


def _stop(command: Command, process: subprocess.Popen[bytes]) -> None:
    for number in (command.farewell, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
            try:
                process.wait(STOPPING)
            except subprocess.TimeoutExpired:
                continue
