"""Runs the service. Settings and a listening socket enter; answered requests leave until it is told to stop.

On SIGTERM or SIGINT no new connection is taken, and requests under way are finished first.
"""

from __future__ import annotations

import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from typing import Any

from stance.tracking.serving.app import Settings, create_app
from stance.tracking.serving.champion import Champion
from stance.tracking.serving.network import address_of

FINISHING = 60  # seconds that a request under way is given when the service stops
SILENT = 60  # seconds after which a living worker that does not react is replaced; a busy machine starts one slowly


def run(settings: Settings, listener: socket.socket, workers: int, told: Callable[[str], None]) -> None:
    """Serve until interrupted. `told` gets each line about the service: when it is ready, and what was swapped.

    With several `workers`, each is a process of its own that holds the model and follows the alias by itself; one that
    dies is replaced, and `told` must be a function that pickle finds by its name. Raises StanceError for a model that
    cannot be loaded.
    """
    import uvicorn
    from uvicorn.supervisors import Multiprocess

    champion = Champion(settings.uri, told)
    threading.Thread(target=_announce, args=(listener, champion.live.version, told), daemon=True).start()
    if workers == 1:
        config = uvicorn.Config(create_app(settings, told, champion), **_options())
        uvicorn.Server(config).run(sockets=[listener])
        return
    factory: Any = partial(create_app, settings, told)
    config = uvicorn.Config(factory, factory=True, workers=workers, **_options())
    Multiprocess(config, sockets=[listener]).run()


def _options() -> dict[str, Any]:
    # No access log: it would hold what clients send in a path.
    return {
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "timeout_graceful_shutdown": FINISHING,
        "timeout_worker_healthcheck": SILENT,  # uvicorn's own 5 would end workers again and again while they start
        "backlog": 1024,
    }


def _announce(listener: socket.socket, version: str, told: Callable[[str], None]) -> None:
    address = address_of(listener)
    while True:
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=5):  # noqa: S310 - our own http address
                return told(f"{version} answers at {address}; stop with Ctrl+C")
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
