"""The live backend made known to a project: what a dry run says, and what annotators then get."""

from dataclasses import replace

import httpx
import pytest

from labeling import interface, tasks
from labeling.client import Studio
from labeling.gatekeeper import Credentials
from labeling.serving import attach
from stance.errors import LabelingError, ServiceError
from stance.tracking.serving.network import listen
from tests.labeling.registry import AUTH, as_tasks
from tests.servers import Backend


@pytest.mark.slow
@pytest.mark.usefixtures("studio_environment")
def test_a_dry_run_loads_the_models_and_serves_nothing(bundles, stance_main, tmp_path, *, studio, title, book):
    project = studio.create_project(title, interface.render(book, "stance"))
    command = ("label", "serve", "--model", bundles["stance"], "--port", 0, "--attach", title, "--dry-run")
    ran = stance_main(*command, cwd=tmp_path)
    assert ran.status == 0, ran.err
    assert "would serve at http://127.0.0.1:" in ran.out
    assert f"'{title}' ({studio.url}/projects/{project.id})" in ran.out
    assert "taliban-stance tfidf-linear" in ran.err
    assert studio.backends(project.id) == []


@pytest.mark.slow
@pytest.mark.usefixtures("studio_environment")
def test_a_dry_run_looks_the_project_up_before_it_loads_anything(stance_main, tmp_path, title, studio):
    command = ("label", "serve", "--model", "nowhere", "--port", 0, "--attach", title, "--dry-run")
    ran = stance_main(*command, cwd=tmp_path)
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == f"error: {studio.url} has no project '{title}'; make it with `stance label push FILE --project`\n"


def test_a_port_in_use_is_named():
    with listen("127.0.0.1", 0) as listener, pytest.raises(ServiceError, match="--port"):
        listen("127.0.0.1", listener.getsockname()[1])


@pytest.fixture(scope="module")
def open_studio(start_server):
    """A server that may call this machine: Label Studio refuses addresses like ours without these two variables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABEL_STUDIO_ML_BLOCK_LOCAL_IP", "false")
        patch.setenv("LABEL_STUDIO_SSRF_PROTECTION_ENABLED", "false")
        server = start_server()
    yield server
    server.stop()


@pytest.mark.slow
def test_an_annotator_who_opens_a_task_gets_the_champions_answer(open_studio, book, store, tiny_examples, monkeypatch):
    monkeypatch.setenv("LABEL_STUDIO_URL", open_studio.url)
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", open_studio.account.token)
    studio = Studio(open_studio.settings)
    project = studio.create_project("live help", interface.render(book, "stance"))
    examples = [replace(one, labels=None) for one in tiny_examples[:3]]
    ids = studio.import_tasks(project.id, [tasks.to_task(one, book, "stance") for one in examples])
    backend = Backend(store, "--attach", "live help", auth=AUTH)
    try:
        backend.wait_for(r"attached to 'live help'")
        headers = {"Authorization": f"Token {open_studio.account.token}"}
        with httpx.Client(base_url=open_studio.url, headers=headers, timeout=60) as annotator:
            opened = annotator.get("/api/tasks/", params={"project": project.id}).status_code
            assert opened == 200
            queued = annotator.get(f"/api/projects/{project.id}/next").json()
            assert queued["id"] in ids
            (shown,) = queued["predictions"]
        body = {"tasks": as_tasks(examples, book)}
        expected = backend.client.post("/predict", json=body).json()["results"][ids.index(queued["id"])]
        assert shown["model_version"] == expected["model_version"]
        assert [one["value"] for one in shown["result"]] == [one["value"] for one in expected["result"]]
        assert studio.project(project.id).model_version == "stance-kit"
        again = attach(studio, "live help", backend.url, Credentials(*AUTH))  # renewed, not doubled
        assert again.project == project.id
    finally:
        backend.stop()
    assert open_studio.account.token not in "".join(backend.said)


@pytest.mark.slow
def test_a_server_that_may_not_call_this_machine_is_named_with_the_mend(studio, title, book, store):
    studio.create_project(title, interface.render(book, "stance"))
    backend = Backend(store)
    try:
        with pytest.raises(LabelingError, match="LABEL_STUDIO_ML_BLOCK_LOCAL_IP=false"):
            attach(studio, title, backend.url)
    finally:
        backend.stop()
