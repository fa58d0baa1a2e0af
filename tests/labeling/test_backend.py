"""The live backend as Label Studio meets it: its own process, asked over HTTP, with real models in a real store."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

import stance
from labeling import interface, tasks
from labeling.backend import Task, answer, certainty, check_interface, version_of
from labeling.client import Studio
from labeling.gatekeeper import PASSWORD, USER, Credentials, read_credentials
from labeling.live import LiveModels
from labeling.serving import attach
from stance import codebook
from stance.dataset import load_examples
from stance.errors import BundleError, DataError, LabelingError, ServiceError
from stance.models.bundle import Origin, write_bundle
from stance.models.majority import Majority
from stance.models.tfidf import TfidfLinear
from stance.models.thresholds import Calibration
from stance.records import Prediction
from stance.tracking.loading import resolve
from stance.tracking.runs import RunRecord, tracked_run
from stance.tracking.serving.network import listen
from stance.tracking.store import DATABASE, open_store

CHAMPION = "models:/taliban-stance@champion"
AUTH = ("annotator", "not-a-secret")


@pytest.fixture(scope="module")
def book():
    return codebook.load()


@pytest.fixture(scope="module")
def store(store_template, bundles, book, tmp_path_factory):
    """The address of a store with two versions of one model, the first of them champion."""
    folder = tmp_path_factory.mktemp("registry")
    shutil.copy(store_template, folder / DATABASE)
    address = f"sqlite:///{folder / DATABASE}"
    majority = Majority(book.task("stance").labels, Majority.Settings(), 1)
    majority.fit(load_examples("stance", "train")["train"][:300], [])
    other = write_bundle(folder / "other", majority, Calibration.identity(4), book, Origin(task="stance"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", address)
        for version, bundle in enumerate((bundles["stance"], other), start=1):
            with tracked_run(RunRecord(f"run {version}", "stance", "kind", {}, book, "split", "data")) as run:
                run.log_bundle(Path(bundle))
            with open_store() as opened:
                if version == 1:
                    opened.client.create_registered_model("taliban-stance")
                source = resolve(opened, f"runs:/{run.id}/model")
                opened.client.create_model_version("taliban-stance", source, run_id=run.id)
    move_champion(address, 1)
    return address


def move_champion(address, version):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", address)
        with open_store() as opened:
            opened.client.set_registered_model_alias("taliban-stance", "champion", str(version))


@pytest.fixture(scope="module")
def champion(store):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", store)
        return stance.load(CHAMPION)


class Backend:
    """A running `stance label serve`; `said` is what it wrote."""

    def __init__(self, store, *options, auth=None):
        secrets = {} if auth is None else {USER: auth[0], PASSWORD: auth[1]}
        environment = {**os.environ, "MLFLOW_TRACKING_URI": store, "OMP_NUM_THREADS": "1", **secrets}
        command = [sys.executable, "-m", "stance.cli.main", "label", "serve", "--model", CHAMPION, "--port", "0"]
        self.process = subprocess.Popen(
            [*command, *options], env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        self.said = []
        threading.Thread(target=self._read, daemon=True).start()
        self.url = self.wait_for(r"serving at (\S+);")[1]
        self.client = httpx.Client(base_url=self.url, auth=auth, timeout=30)

    def _read(self):
        for line in self.process.stderr:
            self.said.append(line)

    def wait_for(self, pattern, seconds=180):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := re.search(pattern, "".join(self.said)):
                return found
            assert self.process.poll() is None, "".join(self.said)
            time.sleep(0.05)
        raise AssertionError(f"no {pattern!r} within {seconds} s in: {''.join(self.said)}")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)


@pytest.fixture(scope="module")
def backend(store):
    """Asks for a password and looks for a new champion five times a second."""
    backend = Backend(store, "--poll", "0.2", auth=AUTH)
    yield backend
    backend.stop()
    assert "Traceback" not in "".join(backend.said)


def as_tasks(examples, book):
    return [{"id": number, **tasks.to_task(one, book, "stance")} for number, one in enumerate(examples)]


@pytest.mark.slow
def test_health_is_open_and_all_else_asks_for_the_password(backend):
    with httpx.Client(base_url=backend.url) as stranger:
        assert stranger.get("/health").json() == {"status": "UP"}
        for auth in (None, ("annotator", "wrong"), ("", AUTH[1])):
            for path in ("/predict", "/setup", "/webhook", "/docs", "/openapi.json"):
                answer = stranger.post(path, json={"tasks": []}, auth=auth)
                assert answer.status_code == 401, (auth, path)
                assert "Basic" in answer.headers["WWW-Authenticate"]


@pytest.mark.slow
def test_setup_names_the_version_and_keeps_the_token_to_itself(backend, book):
    body = {"project": "1.1", "schema": interface.render(book, "stance"), "access_token": "TOKEN-OF-THE-OWNER"}
    answer = backend.client.post("/setup", json=body)
    assert re.fullmatch(r"taliban-stance v\d+", answer.json()["model_version"])
    refused = backend.client.post("/setup", json={**body, "schema": 5})
    assert refused.status_code == 400
    assert "TOKEN-OF-THE-OWNER" not in answer.text + refused.text + "".join(backend.said)


@pytest.mark.slow
def test_every_task_gets_the_models_own_answer_in_order(backend, book, champion, tiny_examples):
    examples = [replace(one, labels=None) for one in tiny_examples[:40]]
    body = {"tasks": as_tasks(examples, book), "project": "1.1", "label_config": interface.render(book, "stance")}
    answer = backend.client.post("/predict", json=body)
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert len(results) == len(examples)
    version = backend.client.post("/setup", json={"schema": interface.render(book, "stance")}).json()["model_version"]
    for one, expected in zip(results, champion.predict_examples(examples), strict=True):
        said = tasks.from_result(one["result"], book, "stance")
        assert said.labels["stance"] == expected.labels
        assert said.labels["frames"] is None
        assert not said.problems
        assert one["model_version"] == version
        assert one["score"] == pytest.approx(certainty(expected, champion.labels))


@pytest.mark.slow
def test_the_answers_fit_the_interface_by_label_studios_own_check(backend, book, tiny_examples):
    from label_studio_sdk.label_interface import LabelInterface

    body = {"tasks": as_tasks(tiny_examples[:20], book)}
    checker = LabelInterface(interface.render(book, "stance"))
    for prediction in backend.client.post("/predict", json=body).json()["results"]:
        assert checker.validate_prediction(prediction, return_errors=True) == []


@pytest.mark.slow
def test_bad_input_gets_a_reason_and_no_traceback(backend, book, tiny_examples):
    good = as_tasks(tiny_examples[:2], book)
    changed = {"id": 7, "data": {**good[0]["data"], "example_id": "0" * 16}}
    other = {"id": 8, "data": {**good[0]["data"], "task": "frames"}}
    cases = {
        "not JSON": ({"content": b"{"}, "JSON"),
        "no tasks": ({"json": {"project": "1.1"}}, "tasks"),
        "tasks no list": ({"json": {"tasks": 5}}, "tasks"),
        "foreign task": ({"json": {"tasks": [good[0], {"id": 9, "data": {"text": "x"}}]}}, "id 9"),
        "changed on the server": ({"json": {"tasks": [changed]}}, "id 7"),
        "another task": ({"json": {"tasks": [other]}}, "frames"),
        "interface no XML": ({"json": {"tasks": good, "label_config": "<View"}}, "XML"),
        "another interface": ({"json": {"tasks": good, "label_config": "<View/>"}}, "asks nothing"),
    }
    for name, (request, word) in cases.items():
        answer = backend.client.post("/predict", headers={"Content-Type": "application/json"}, **request)
        assert answer.status_code == 400, (name, answer.text)
        assert word in answer.json()["error"], (name, answer.text)
        assert "Traceback" not in answer.text
    assert backend.client.post("/nowhere", json={}).status_code == 404
    assert backend.client.post("/predict", json={"tasks": []}).json() == {"results": []}
    assert backend.client.post("/webhook", json={"action": "ANNOTATION_CREATED"}).status_code == 200


@pytest.mark.slow
def test_a_body_of_unknown_or_huge_size_is_not_read(backend):
    unknown = backend.client.post("/predict", content=iter([b"{}"]))
    assert unknown.status_code == 411
    # By hand: no client lets one announce more than one sends.
    token = b64encode(":".join(AUTH).encode()).decode()
    lines = ["POST /predict HTTP/1.1", "Host: x", f"Authorization: Basic {token}", f"Content-Length: {2**40}", "", ""]
    with closing(socket.create_connection((backend.client.base_url.host, backend.client.base_url.port))) as connection:
        connection.sendall("\r\n".join(lines).encode())
        assert b" 413 " in connection.recv(100)


@pytest.mark.slow
def test_a_new_champion_is_swapped_in_under_load(store, book, tiny_examples):
    backend = Backend(store, "--poll", "0.2")
    body = {"tasks": as_tasks(tiny_examples[:5], book)}
    before = backend.client.post("/predict", json=body).json()["results"]
    seen, failures, done = [], [], threading.Event()

    def ask():
        with httpx.Client(base_url=backend.url, timeout=30) as client:
            while not done.is_set():
                answer = client.post("/predict", json=body)
                if answer.status_code != 200:
                    failures.append(answer.text)
                else:
                    seen.append(tuple(one["model_version"] for one in answer.json()["results"]))

    askers = [threading.Thread(target=ask) for _ in range(3)]
    for one in askers:
        one.start()
    try:
        move_champion(store, 2)
        backend.wait_for(r"now taliban-stance v2, was taliban-stance v1")
        after = backend.client.post("/predict", json=body).json()["results"]
    finally:
        done.set()
        for one in askers:
            one.join()
        backend.stop()
        move_champion(store, 1)
    assert failures == []
    assert all(len(set(versions)) == 1 for versions in seen)  # no answer mixes two models
    assert after[0]["model_version"] != before[0]["model_version"]
    assert [one["score"] for one in after] != [one["score"] for one in before]


@pytest.mark.slow
def test_the_old_model_goes_on_when_the_registry_cannot_be_read(store, tmp_path, monkeypatch, tiny_examples):
    original = store.removeprefix("sqlite:///")
    shutil.copy(original, tmp_path / DATABASE)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / DATABASE}")
    said = []
    models = LiveModels([CHAMPION], said.append)
    version = version_of(models.all())
    (tmp_path / DATABASE).unlink()
    assert models.refresh() is False
    assert models.refresh() is False
    assert len(said) == 1  # reported once, not at every look
    assert "goes on answering" in said[0]
    assert version_of(models.all()) == version
    assert len(models["stance"].predict(tiny_examples[:3])) == 3
    shutil.copy(original, tmp_path / DATABASE)
    assert models.refresh() is False
    assert len(said) == 1


@pytest.mark.slow
def test_two_models_of_one_task_are_refused(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    with pytest.raises(DataError, match="both for the task 'stance'"):
        LiveModels([CHAMPION, CHAMPION])


def test_a_folder_without_a_bundle_is_refused(tmp_path):
    with pytest.raises(BundleError):
        LiveModels([str(tmp_path)])


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.7.7", "example.org", "::"])
def test_others_are_let_in_with_a_password_only(host, monkeypatch):
    monkeypatch.delenv(USER, raising=False)
    monkeypatch.delenv(PASSWORD, raising=False)
    with pytest.raises(LabelingError, match=USER):
        read_credentials(host)
    assert read_credentials("127.0.0.1") is None
    monkeypatch.setenv(USER, "u")
    with pytest.raises(LabelingError, match=f"{PASSWORD} is not set"):
        read_credentials("127.0.0.1")
    monkeypatch.setenv(PASSWORD, "p4ss")
    assert "p4ss" not in repr(read_credentials(host))


def test_the_command_refuses_an_open_address_before_it_loads_anything(stance_main, tmp_path, monkeypatch):
    monkeypatch.delenv(USER, raising=False)
    monkeypatch.delenv(PASSWORD, raising=False)
    ran = stance_main("label", "serve", "--model", "nowhere", "--host", "0.0.0.0", cwd=tmp_path)
    assert ran.status == 1
    assert USER in ran.err


@pytest.fixture(scope="module")
def bundles(book, tmp_path_factory):
    """Small linear models of both tasks, as folders."""
    found = {}
    for task in ("stance", "frames"):
        labels = book.task(task).labels
        model = TfidfLinear(labels, TfidfLinear.Settings(), 1)
        model.fit(load_examples(task, "train")["train"][:300], [])
        folder = tmp_path_factory.mktemp(task) / "bundle"
        found[task] = str(write_bundle(folder, model, Calibration.identity(len(labels)), book, Origin(task=task)))
    return found


@pytest.mark.slow
def test_two_models_answer_one_screen_and_the_sentences_model_sees_no_actor(bundles, book, tiny_examples):
    models = LiveModels(list(bundles.values()))
    first = next(one for one in tiny_examples if one.start is not None)
    other = replace(first, actor="Somebody Else", mention=None, start=None, end=None)
    proposed = answer([Task(data=one["data"]) for one in as_tasks([first, other], book)], models.all())
    assert {one["model_version"] for one in proposed} == {version_of(models.all())}
    said = [tasks.from_result(one["result"], book, "stance") for one in proposed]
    assert said[0].labels["frames"] == said[1].labels["frames"] is not None
    assert all(one.labels["stance"] is not None for one in said)
    sentence = replace(first, actor=None, mention=None, start=None, end=None)
    (expected,) = stance.load(bundles["frames"]).predict_examples([sentence])
    assert said[0].labels["frames"] == expected.labels


@pytest.mark.slow
def test_a_dry_run_loads_the_models_and_serves_nothing(bundles, stance_main, tmp_path):
    command = ("label", "serve", "--model", bundles["stance"], "--port", 0, "--attach", "Round 1", "--dry-run")
    ran = stance_main(*command, cwd=tmp_path)
    assert ran.status == 0, ran.err
    assert "would serve at http://127.0.0.1:" in ran.out
    assert "'Round 1'" in ran.out
    assert "taliban-stance tfidf-linear" in ran.err


def test_a_port_in_use_is_named():
    with listen("127.0.0.1", 0) as listener, pytest.raises(ServiceError, match="--port"):
        listen("127.0.0.1", listener.getsockname()[1])


def test_certainty_is_that_of_the_least_certain_label(tiny_examples):
    prediction = Prediction(tiny_examples[0], (0.9, 0.4, 0.01, 0.2), ("engage", "oppose"))
    assert certainty(prediction, ("engage", "oppose", "recognize", "sanction")) == pytest.approx(0.4)


def test_an_interface_that_lacks_a_label_is_refused(fake_live, book):
    config = interface.render(book, "stance")
    check_interface(config, [fake_live])
    with pytest.raises(DataError, match="sanction"):
        check_interface(config.replace('value="sanction"', 'value="punish"'), [fake_live])


@pytest.fixture
def fake_live(book):
    """A model that was fitted on nothing but one example: enough to say which labels it may give."""
    from labeling.live import Live
    from stance.models.classifier import Classifier

    labels = book.task("stance").labels
    classifier = Classifier(Majority(labels, Majority.Settings(), 0), Calibration.identity(len(labels)), book, "stance")
    return Live("here", "here", "v1", classifier)


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
