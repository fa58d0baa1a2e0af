"""The models of the live backend: a new champion is swapped in, and the old one goes on where it cannot be."""

import shutil
import threading
from dataclasses import replace

import httpx
import pytest

import stance
from labeling import tasks
from labeling.backend import Task, answer, version_of
from labeling.live import LiveModels
from stance.errors import BundleError, DataError
from stance.tracking.store import DATABASE
from tests.labeling.registry import as_tasks, move_champion
from tests.servers import CHAMPION, Backend


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
