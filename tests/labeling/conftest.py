"""A real Label Studio server, started once per session, fresh projects on it, and models for its live backend."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

import stance
from labeling import server as servers
from labeling.client import Studio
from labeling.installation import VERSION, install
from labeling.server import Server
from labeling.settings import URL
from stance import codebook
from stance.codebook import Codebook
from stance.dataset import load_examples
from stance.errors import LabelingError
from stance.models.bundle import Origin, write_bundle
from stance.models.classifier import Classifier
from stance.models.tfidf import TfidfLinear
from stance.models.thresholds import Calibration
from tests.labeling.registry import make_store
from tests.servers import CHAMPION

HOME = Path(__file__).parents[2] / ".label-studio"
VARIABLES = (URL, "LABEL_STUDIO_API_KEY", "LABEL_STUDIO_USERNAME", "LABEL_STUDIO_PASSWORD")


@pytest.fixture(scope="session")
def label_studio_program() -> Path:
    """The installed program; the first time it takes minutes and an index of packages."""
    try:
        return install(HOME / "venv", print)
    except LabelingError as error:
        pytest.skip(f"Label Studio cannot be installed here: {error}")


@pytest.fixture(scope="session")
def server_template(label_studio_program) -> Path:
    """The folder of a server that was started once: its migrations take a minute, so they are made once and copied."""
    template = HOME / f"template-{VERSION}"
    if not (template / "credentials.json").exists():
        made = Path(tempfile.mkdtemp(prefix="template-", dir=HOME))
        with pytest.MonkeyPatch.context() as patch:
            for name in VARIABLES:
                patch.delenv(name, raising=False)
            with servers.running(made, 0, label_studio_program, print):
                pass
        try:
            made.rename(template)
        except OSError:  # another session was first
            shutil.rmtree(made)
    return template


@pytest.fixture(scope="session")
def start_server(server_template, label_studio_program, tmp_path_factory) -> Iterator[Callable[..., Server]]:
    """A function that starts a server in about five seconds: on a new folder, or again on the one given."""
    started: list[Server] = []

    def begin(folder: Path | None = None, port: int = 0) -> Server:
        if folder is None:
            folder = tmp_path_factory.mktemp("label-studio")
            shutil.copytree(server_template, folder, dirs_exist_ok=True)
        with pytest.MonkeyPatch.context() as patch:
            for name in VARIABLES:
                patch.delenv(name, raising=False)
            server = servers.start(folder, port, label_studio_program)
        started.append(server)
        servers.wait_until_healthy(server, print)
        return server

    yield begin
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def studio_server(start_server) -> Server:
    """The session's server. Tests share it; one that kills a server starts its own with `start_server`."""
    return start_server()


@pytest.fixture(scope="session")
def studio(studio_server) -> Studio:
    return Studio(studio_server.settings)


@pytest.fixture
def title(studio) -> Iterator[str]:
    """A title that no project has; projects that get it are deleted afterwards."""
    name = f"test {secrets.token_hex(4)}"
    yield name
    for project in studio.projects(name):
        studio.delete_project(project.id)


@pytest.fixture
def studio_environment(studio_server, monkeypatch) -> Server:
    """The settings of the session's server in the environment, as a user has them."""
    monkeypatch.setenv(URL, studio_server.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", studio_server.account.token)
    return studio_server


class Annotator(NamedTuple):
    """Somebody with an account of their own, who is no administrator of the server."""

    id: int
    email: str
    password: str
    token: str


@pytest.fixture
def annotator(studio_server) -> Annotator:
    """A new annotator, who signed up by the server's invitation as people do."""
    email, password = f"{secrets.token_hex(4)}@example.org", secrets.token_urlsafe(12)
    with httpx.Client(base_url=studio_server.url, follow_redirects=True, timeout=60) as web:
        admin = {"Authorization": f"Token {studio_server.account.token}"}
        invitation = httpx.get(f"{studio_server.url}/api/invite", headers=admin, timeout=60).json()["invite_url"]
        web.get(invitation).raise_for_status()
        form = {"email": email, "password": password, "csrfmiddlewaretoken": web.cookies["csrftoken"]}
        web.post(invitation, data=form).raise_for_status()
        me = web.get("/api/current-user/whoami").raise_for_status().json()
        token = web.get("/api/current-user/token").raise_for_status().json()["token"]
    return Annotator(me["id"], email, password, token)


@pytest.fixture(scope="session")
def book() -> Codebook:
    return codebook.load()


@pytest.fixture(scope="session")
def bundles(book, tmp_path_factory) -> dict[str, str]:
    """Small linear models of both tasks, as folders."""
    found = {}
    for task in ("stance", "frames"):
        labels = book.task(task).labels
        model = TfidfLinear(labels, TfidfLinear.Settings(), 1)
        model.fit(load_examples(task, "train")["train"][:300], [])
        folder = tmp_path_factory.mktemp(task) / "bundle"
        found[task] = str(write_bundle(folder, model, Calibration.identity(len(labels)), book, Origin(task=task)))
    return found


@pytest.fixture(scope="session")
def store(store_template, bundles, book, tmp_path_factory) -> str:
    """The address of a store with two versions of one model, the first of them champion."""
    return make_store(tmp_path_factory.mktemp("registry"), store_template, bundles["stance"], book)


@pytest.fixture(scope="session")
def champion(store) -> Classifier:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", store)
        return stance.load(CHAMPION)
