"""The alias is followed: a new champion is swapped in, and one that is gone leaves the old one answering."""

import threading
import time
from contextlib import contextmanager

import pytest

from stance.tracking.store import open_store
from tests.servers import Service
from tests.tracking.serving.answers import ROWS, same


def move_champion(folder, version):
    with opened_store(folder) as opened:
        opened.client.set_registered_model_alias("taliban-stance", "champion", str(version))


def remove_champion(folder):
    with opened_store(folder) as opened:
        opened.client.delete_registered_model_alias("taliban-stance", "champion")


@contextmanager
def opened_store(folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
        with open_store() as opened:
            yield opened


@pytest.mark.slow
def test_a_moved_alias_is_followed_and_every_answer_is_of_one_model(registry, expected):
    service = Service(registry, "--poll", "0.2")
    answers, stop = [], threading.Event()

    def ask_on():
        while not stop.is_set():
            answers.append(service.ask(ROWS))

    asking = threading.Thread(target=ask_on)
    try:
        asking.start()
        move_champion(registry, 1)
        service.wait_for("now taliban-stance v1, was taliban-stance v2")
        same_version = service.ask(ROWS)
        assert same_version.headers["X-Stance-Model"] == "taliban-stance v1"
        move_champion(registry, 2)
        service.wait_for("now taliban-stance v2, was taliban-stance v1")
    finally:
        stop.set()
        asking.join()
        move_champion(registry, 2)
        service.stop()
    of_majority = same_version.json()["predictions"]
    assert of_majority != expected(ROWS)
    seen = {answer.headers["X-Stance-Model"] for answer in answers}
    assert seen == {"taliban-stance v1", "taliban-stance v2"}
    for answer in answers:
        if answer.headers["X-Stance-Model"] == "taliban-stance v1":
            assert answer.json()["predictions"] == of_majority
        else:
            same(answer, expected(ROWS))


@pytest.mark.slow
def test_an_alias_that_is_gone_leaves_the_old_model_answering(registry, expected):
    service = Service(registry, "--poll", "0.2")
    try:
        remove_champion(registry)
        service.wait_for("has no alias 'champion'.*taliban-stance v2 goes on answering")
        time.sleep(1)
        same(service.ask(ROWS), expected(ROWS))
    finally:
        move_champion(registry, 2)
        service.stop()
    assert "".join(service.said).count("goes on answering") == 1
