"""Commands that serve, each in a process of its own, asked over HTTP as clients ask them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time

import httpx

from labeling.gatekeeper import PASSWORD, USER
from stance.tracking.serving.door import VARIABLE

CHAMPION = "models:/taliban-stance@champion"


class Served:
    """A running `stance …`; `said` is what it wrote, `url` what it announced, and `client` asks there."""

    ends_by = signal.SIGTERM
    patience = 300.0  # seconds, for a busy machine
    ends_within = 120.0

    def __init__(self, store, command, announced, secrets=None, **client):
        environment = {**os.environ, "MLFLOW_TRACKING_URI": store, "OMP_NUM_THREADS": "1", **(secrets or {})}
        program = [sys.executable, "-m", "stance.cli.main", *command, "--port", "0"]
        self.process = subprocess.Popen(
            program, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        self.said = []
        threading.Thread(target=self._read, daemon=True).start()
        try:
            self.url = self.wait_for(announced)[1]
        except BaseException:
            self.stop()
            raise
        self.client = httpx.Client(base_url=self.url, **client)

    def _read(self):
        for line in self.process.stderr:
            self.said.append(line)

    def wait_for(self, pattern):
        until = time.monotonic() + self.patience
        while time.monotonic() < until:
            if found := re.search(pattern, "".join(self.said)):
                return found
            assert self.process.poll() is None, "".join(self.said)
            time.sleep(0.05)
        raise AssertionError(f"no {pattern!r} within {self.patience} s in: {''.join(self.said)}")

    def stop(self):
        self.process.send_signal(self.ends_by)
        self.process.wait(self.ends_within)


class Service(Served):
    """A running `stance serve` on the store in a folder."""

    def __init__(self, folder, *options, token=None):
        secrets, headers = ({}, {}) if token is None else ({VARIABLE: token}, {"Authorization": f"Bearer {token}"})
        store = f"sqlite:///{folder / 'mlflow.db'}"
        super().__init__(store, ["serve", *options], r"answers at (\S+);", secrets, headers=headers, timeout=60)

    def ask(self, rows, **options):
        return self.client.post("/invocations", json={"dataframe_records": rows}, **options)


class Backend(Served):
    """A running `stance label serve` of a store's champion, ended as by Ctrl+C."""

    ends_by = signal.SIGINT
    patience = 180.0
    ends_within = 20.0

    def __init__(self, store, *options, auth=None):
        secrets = {} if auth is None else {USER: auth[0], PASSWORD: auth[1]}
        command = ["label", "serve", "--model", CHAMPION, *options]
        super().__init__(store, command, r"serving at (\S+);", secrets, auth=auth, timeout=30)
