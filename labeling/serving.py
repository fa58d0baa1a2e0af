"""Runs the live backend and makes it known to a project. An app and an address enter; a served port leaves.

Label Studio calls the backend while it is being attached, so that the port must be served before.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from labeling.gatekeeper import Credentials
from labeling.state import Backend, Project
from stance.errors import LabelingError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from labeling.client import Studio

TITLE = "stance-kit"
LOCAL = "LABEL_STUDIO_ML_BLOCK_LOCAL_IP=false and LABEL_STUDIO_SSRF_PROTECTION_ENABLED=false"


@dataclass(frozen=True, slots=True)
class Attached:
    """A project that now asks the backend. `shown` is False where the project hides predictions from annotators."""

    project: int
    backend: int
    shown: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A project, and the backend of ours that it has already: None where it has none."""

    project: Project
    backend: Backend | None


def serve(app: FastAPI, listener: socket.socket, started: Callable[[], None] = lambda: None) -> None:
    """Serve until interrupted. `started` is called once, in a thread, as soon as requests are answered.

    An error that it raises ends the service and is raised here.
    """
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, server_header=False))
    failed: list[Exception] = []

    def announce() -> None:
        while not server.started and not server.should_exit:
            time.sleep(0.02)
        try:
            started()
        except Exception as error:
            failed.append(error)
            server.should_exit = True

    threading.Thread(target=announce, daemon=True).start()
    server.run(sockets=[listener])
    if failed:
        raise failed[0]


def attach(studio: Studio, project: str, url: str, credentials: Credentials | None = None) -> Attached:
    """Make a project ask the backend at `url` for predictions, and show them to its annotators as they come.

    A backend that an earlier call attached is renewed. Predictions stay hidden where the project hides them. Raises
    LabelingError for an unknown project, one with a foreign backend, and a server that may not call `url`.
    """
    place = find_place(studio, project)
    settings: dict[str, Any] = {"title": TITLE, "url": url, "auth_method": "NONE", "is_interactive": False}
    if credentials is not None:
        settings["auth_method"] = "BASIC_AUTH"
        settings |= {"basic_auth_user": credentials.user, "basic_auth_pass": credentials.password}
    backend = _attach(studio, place, settings)
    # Label Studio asks a backend only while its title is the version whose predictions are shown.
    studio.update_project(place.project.id, model_version=TITLE)
    return Attached(place.project.id, backend, place.project.shows_predictions)


def find_place(studio: Studio, project: str) -> Place:
    """Return where a backend would be attached; changes nothing.

    Raises LabelingError for an unknown project and for one with a foreign backend.
    """
    found = studio.find_project(project)
    backends = studio.backends(found.id)
    if others := [f"'{each.title}' ({each.url})" for each in backends if each.title != TITLE]:
        raise LabelingError(f"project {found.id} has another ML backend, {', '.join(others)}; remove it first")
    return Place(found, backends[0] if backends else None)


def _attach(studio: Studio, place: Place, settings: dict[str, Any]) -> int:
    for patience in (2.0, 5.0, 0.0):
        try:
            return studio.attach_backend(place.project.id, place.backend, **settings)
        except LabelingError as error:
            # It gives a backend one second for /health and three for /setup, which a busy machine may miss.
            if patience and "timed out" in str(error):
                time.sleep(patience)
                continue
            if "ocal" in str(error) or "not allowed" in str(error):
                raise LabelingError(
                    f"{error}. For a backend on its own machine, start Label Studio with {LOCAL}"
                ) from error
            raise
    raise AssertionError("the last attempt returns or raises")
