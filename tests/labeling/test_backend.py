"""The live backend as Label Studio meets it: its own process, asked over HTTP, with real models in a real store."""

import re
import socket
from base64 import b64encode
from contextlib import closing
from dataclasses import replace

import httpx
import pytest

from labeling import interface, tasks
from labeling.backend import certainty, check_interface
from stance.errors import DataError
from stance.models.majority import Majority
from stance.models.thresholds import Calibration
from stance.records import Prediction
from tests.labeling.registry import AUTH, as_tasks
from tests.servers import Backend


@pytest.fixture(scope="module")
def backend(store):
    """Asks for a password and looks for a new champion five times a second."""
    backend = Backend(store, "--poll", "0.2", auth=AUTH)
    yield backend
    backend.stop()
    assert "Traceback" not in "".join(backend.said)


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
