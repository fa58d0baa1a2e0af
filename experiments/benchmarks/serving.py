"""A service to measure: `stance serve` in a process of its own. A store's address enters; a running service leaves."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

READY = re.compile(r"answers at (\S+);")
STANCE = (sys.executable, "-m", "stance.cli.main")
EXPERIMENT = Path(__file__).parents[1] / "tfidf-linear.yaml"


class Running:
    """A running service; `url` is its address. Leaving the block stops it."""

    def __init__(self, *options: str, port: int = 0, store: Path | None = None) -> None:
        self.options = ("--port", str(port), *options)
        self.environment = {**os.environ, **({} if store is None else {"MLFLOW_TRACKING_URI": f"sqlite:///{store}"})}
        self.log: list[str] = []
        self.start()

    def start(self) -> None:
        """Start the process and wait until it answers; raises RuntimeError with its log where it ends instead."""
        self.process = subprocess.Popen(
            [*STANCE, "serve", *self.options], env=self.environment, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            if found := READY.search(line):
                self.url = found[1]
                return
        raise RuntimeError("".join(self.log))

    def stop(self, sent: signal.Signals = signal.SIGTERM) -> None:
        """End the process, gently or with SIGKILL, and read the rest of its log."""
        self.process.send_signal(sent)
        self.log += (self.process.communicate(timeout=90)[1] or "").splitlines(keepends=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        if self.process.poll() is None:
            self.stop()


def train_champion(folder: Path) -> Path:
    """Train the linear model in a folder, promote it, and return the store's file."""
    for command in (("train", str(EXPERIMENT)), ("promote", "--force", "--why", "a benchmark")):
        subprocess.run(
            [*STANCE, *command], cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    return folder / "mlflow.db"
