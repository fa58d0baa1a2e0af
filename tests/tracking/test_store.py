import os
import time

import pytest

from stance.errors import StoreError
from stance.tracking.store import open_experiment, open_store, tracking_uri

pytestmark = pytest.mark.slow


def test_the_store_is_in_the_working_directory(store):
    assert tracking_uri() == f"sqlite:///{store / 'mlflow.db'}"


def test_the_environment_wins_and_is_left_as_it_was(store, monkeypatch, tmp_path_factory):
    elsewhere = f"sqlite:///{store / 'mlflow.db'}"
    monkeypatch.chdir(tmp_path_factory.mktemp("empty"))
    with pytest.raises(StoreError, match="there is no MLflow store here; train first"), open_store():
        pass
    assert "MLFLOW_TRACKING_URI" not in os.environ
    monkeypatch.setenv("MLFLOW_TRACKING_URI", elsewhere)
    with open_store() as opened:
        assert opened.uri == elsewhere
    assert os.environ["MLFLOW_TRACKING_URI"] == elsewhere


def test_artifacts_lie_beside_the_store_and_a_deleted_experiment_comes_back(store):
    with open_store() as opened:
        number = open_experiment(opened, "taliban-stance")
        location = opened.client.get_experiment(number).artifact_location
        assert location == (store / "mlartifacts" / "taliban-stance").as_uri()
        opened.client.delete_experiment(number)
        assert open_experiment(opened, "taliban-stance") == number
        assert opened.client.get_experiment(number).lifecycle_stage == "active"


def test_an_experiment_that_another_trainer_made_meanwhile_is_taken(store, monkeypatch):
    with open_store() as opened:
        number = open_experiment(opened, "taliban-stance")
        find = opened.client.get_experiment_by_name
        answers = [None]
        monkeypatch.setattr(
            opened.client, "get_experiment_by_name", lambda name: answers.pop() if answers else find(name)
        )
        assert open_experiment(opened, "taliban-stance") == number
        assert not answers


def test_reading_never_makes_a_store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(StoreError, match="no MLflow store"), open_store():
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("sqlite:///{tmp}/file/mlflow.db", "not a store that can be written.*another one in MLFLOW_TRACKING_URI"),
        ("sqlite:///{tmp}", "not a store that can be written"),
        ("sqlite:///{tmp}/file", "file is not a database"),
        ("http://localhost:9", "cannot be reached.*start the server"),
        ("postgresql://someone:secret@localhost:9/db", "cannot be reached"),
        ("file://{tmp}/mlruns", "the MLflow store file://"),
        ("carrier-pigeon:/coop", "the MLflow store carrier-pigeon:/coop"),
    ],
)
def test_a_store_that_cannot_be_used_is_one_quick_error(tmp_path, monkeypatch, uri, message):
    (tmp_path / "file").write_text("no database, but long enough to be looked at as one " * 4)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri.format(tmp=tmp_path))
    start = time.monotonic()
    with pytest.raises(StoreError, match=message) as caught, open_store(create=True) as opened:
        open_experiment(opened, "x")
    assert "secret" not in str(caught.value)
    assert time.monotonic() - start < 30


def test_errors_that_are_not_the_stores_pass_through(store):
    with pytest.raises(ZeroDivisionError), open_store():
        1 / 0  # noqa: B018
