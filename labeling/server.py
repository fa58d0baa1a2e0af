"""A Label Studio server on this machine: `python -m labeling.server`, or `make label-studio`.

What enters is a folder and a port; what leaves is a healthy server on loopback, on SQLite, that talks to nobody. It
runs until Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import click

from labeling.installation import Credentials, Say, environment, install, keep_credentials, make_credentials
from labeling.settings import FOLDER, KEY, Settings
from stance.errors import LabelingError, StanceError

HOST = "127.0.0.1"
PORT = 8080
FIRST_START = 600.0  # seconds until we give up: 45 for the migrations on two idle cores
STOPPING = 15.0


@dataclass
class Server:
    """A server that runs: its address, account, log and process."""

    url: str
    account: Credentials
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def settings(self) -> Settings:
        """What a `Studio` needs to talk to it."""
        return Settings(self.url, self.account.token)

    def stop(self) -> None:
        """End the process and those that it started; nothing that the server confirmed is lost."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is None:
                os.killpg(self.process.pid, number)
                try:
                    self.process.wait(STOPPING)
                except subprocess.TimeoutExpired:
                    continue


@contextmanager
def running(folder: Path, port: int, program: Path, say: Say) -> Iterator[Server]:
    """Give a healthy server with its data under `folder`, stopped when the block ends.

    `port` 0 takes any free one. Raises LabelingError if the port is taken, or the server ends or does not get healthy,
    with the last lines of its log.
    """
    server = start(folder, port, program)
    try:
        wait_until_healthy(server, say)
        check_token(server)
        yield server
    finally:
        server.stop()


def start(folder: Path, port: int, program: Path) -> Server:
    """Start a server and return at once; see `wait_until_healthy`."""
    port = free_port(port)
    (folder / "home").mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    account = make_credentials(folder)
    url = f"http://{HOST}:{port}"
    keep_credentials(folder, url, account)
    log = folder / "server.log"
    command = [str(program), "start", "--no-browser", "--internal-host", HOST, "--port", str(port)]
    with log.open("wb") as output:
        log.chmod(0o600)
        process = subprocess.Popen(  # noqa: S603 - our own program
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment(folder, account),
            cwd=folder,
            start_new_session=True,  # Ctrl-C is for us; we then stop it in order
        )
    return Server(url, account, log, process)


def wait_until_healthy(server: Server, say: Say, patience: float = FIRST_START) -> None:
    """Return when the server answers; `say` hears every few seconds how long it takes."""
    began = told = time.monotonic()
    while not is_healthy(server.url):
        now = time.monotonic()
        if server.process.poll() is not None:
            raise LabelingError(f"Label Studio ended while it started: {_end_of(server.log)}; see {server.log}")
        if now - began > patience:
            raise LabelingError(f"Label Studio is not healthy after {patience:.0f} s; see {server.log}")
        if now - told >= 5:
            told = now
            say(f"starting Label Studio: {now - began:.0f} s (the first start takes about a minute)")
        time.sleep(0.2)
    # Label Studio takes the next port where the asked one was snatched since we looked: then somebody else answers.
    if "Trying to start at" in server.log.read_text("utf-8", "replace"):
        raise LabelingError(f"{server.url}: the port was taken meanwhile; start again")


def check_token(server: Server) -> None:
    """Raise LabelingError if the server's data was made with another token, which a later start does not change."""
    from labeling.client import Studio

    try:
        Studio(server.settings).whoami()
    except LabelingError as error:
        raise LabelingError(
            f"{server.log.parent}: its data was first made with another token; set {KEY} to that one, or"
            f" start with an empty folder ({error})"
        ) from error


def is_healthy(url: str) -> bool:
    """Return whether a Label Studio answers there and says that it is up."""
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:  # noqa: S310 - http by construction
            return b"UP" in answer.read(200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def free_port(port: int) -> int:
    """Return `port`, or for 0 any free one; raises LabelingError if it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was just left is free
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError) as error:
            by = " by a Label Studio" if is_healthy(f"http://{HOST}:{port}") else ""
            raise LabelingError(
                f"port {port} is taken{by} or not allowed; choose another: make label-studio PORT={port + 1}"
            ) from error
        return int(probe.getsockname()[1])


def _end_of(log: Path) -> str:
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    return " | ".join(lines[-2:])[-400:] or "without a word"


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's signature
    raise KeyboardInterrupt


@click.command()
@click.option("--folder", type=click.Path(path_type=Path), default=FOLDER, show_default=True, help="Keeps all data.")
@click.option("--port", type=click.IntRange(1, 65535), default=PORT, show_default=True, help="On 127.0.0.1 alone.")
def main(folder: Path, port: int) -> None:
    """Install Label Studio where it is missing, start it, wait until it is healthy, and run it until Ctrl-C."""
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell starts what it puts in the background without it
    try:
        free_port(port)  # before an installation of minutes
        new = not (folder / "credentials.json").exists()
        program = install(folder / "venv", _say)
        with running(folder, port, program, _say) as server:
            _present(server, folder, new)
            if server.process.wait():
                raise LabelingError(f"Label Studio ended by itself: {_end_of(server.log)}; see {server.log}")
    except KeyboardInterrupt:
        _say("Label Studio is stopped; its data stays")
    except StanceError as error:
        _say(f"error: {error}")
        sys.exit(error.exit_status)


def _present(server: Server, folder: Path, new: bool) -> None:
    account = server.account
    click.echo(f"Label Studio is up: {server.url}  (user {account.username}; stop with Ctrl-C)")
    # Once, and only to a person: what is no terminal is somebody's log.
    if new and account.made and sys.stdout.isatty():
        for name in account.made:
            click.echo(f"  {name}: {getattr(account, name)}")
    click.echo(f"  password and token: {folder / 'credentials.json'}, unless the environment gave them")
    sys.stdout.flush()


def _say(words: str) -> None:
    click.echo(words, err=True)


if __name__ == "__main__":
    main()
