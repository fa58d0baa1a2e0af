import json
import sqlite3
from contextlib import closing

import pytest
import yaml
from sqlalchemy import event
from sqlalchemy.engine import Engine

from stance.codebook import parse
from stance.errors import BundleError, StoreError
from stance.tracking.history import find_run, read_predictions
from stance.tracking.runs import RunRecord, flatten, tracked_run
from stance.tracking.store import DATABASE, open_store

pytestmark = pytest.mark.slow


def _artifacts(client, run_id, path=None):
    for each in client.list_artifacts(run_id, path):
        yield from _artifacts(client, run_id, each.path) if each.is_dir else [each.path]


def test_a_run_holds_all_that_it_was_made_from(played, book, evaluations):
    with open_store() as opened:
        client = opened.client
        run_id = find_run(opened, "majority").id
        run = client.get_run(run_id)
        assert client.get_experiment(run.info.experiment_id).name == "taliban-stance"
        assert (run.info.status, run.info.run_name) == ("FINISHED", "majority")
        assert run.data.params == {"model.kind": "majority", "model.sizes": "[1, 2]", "seed": "1"}
        tags = run.data.tags
        assert (tags["stance.task"], tags["stance.split_digest"]) == ("stance", "split-a")
        assert (tags["stance.data_digest"], tags["stance.codebook_hash"]) == ("data-a", book.hash)
        assert tags["stance.package.mlflow"].startswith("3.")
        assert [each.value for each in client.get_metric_history(run_id, "train_loss")] == [0.5, 0.25]
        assert "broken" not in run.data.metrics
        flat = evaluations["majority"][1].flat()
        assert {name: run.data.metrics[name] for name in flat} == pytest.approx(flat)
        assert run.data.metrics["bundle_bytes"] > 1_000
        assert [each.dataset.name for each in run.inputs.dataset_inputs] == ["train"]
        assert set(_artifacts(client, run_id)) >= {
            "config.yaml",
            "codebook.yaml",
            "model.json",
            "evaluation/test.json",
            "evaluation/test_predictions.parquet",
            "plots/test_confusion.png",
            "plots/test_precision_recall.png",
            "tables/test_labels.json",
            "tables/test_steps.json",
            "tables/test_coverage.json",
            "tables/test_slices.json",
            "tables/test_actors.json",
            "tables/test_errors.json",
        }


def test_config_codebook_and_errors_can_be_read_back(played, book, evaluations):
    import mlflow

    with open_store() as opened:
        run_id = find_run(opened, "majority").id
        config = yaml.safe_load(mlflow.artifacts.load_text(f"runs:/{run_id}/config.yaml"))
        assert config == {"model": {"kind": "majority", "sizes": [1, 2]}, "seed": 1}
        assert parse(mlflow.artifacts.load_text(f"runs:/{run_id}/codebook.yaml")).hash == book.hash
        table = mlflow.artifacts.load_dict(f"runs:/{run_id}/tables/test_errors.json")
    expected = evaluations["majority"][1].error_frame()
    assert [row[table["columns"].index("text")] for row in table["data"]] == expected["text"].tolist()
    assert len(expected) > 0


def test_predictions_can_be_read_back_to_pair_runs(played, evaluations):
    with open_store() as opened:
        found = read_predictions(opened, find_run(opened, "tfidf-linear"))
    expected = evaluations["tfidf-linear"][1].prediction_frame()
    assert found["id"].tolist() == expected["id"].tolist()
    assert [list(labels) for labels in found["predicted"]] == expected["predicted"].tolist()
    assert found["p_engage"].tolist() == expected["p_engage"].tolist()


def test_a_crash_marks_the_run_failed_and_the_next_one_works(store, book):
    record = RunRecord("doomed", "stance", "majority", {}, book)
    with pytest.raises(ZeroDivisionError), tracked_run(record) as run:
        1 / 0  # noqa: B018
    with open_store() as opened:
        stored = opened.client.get_run(run.id)
    with tracked_run(RunRecord("next", "stance", "majority", {}, book)):
        pass
    assert stored.info.status == "FAILED"
    assert stored.data.tags["stance.error"] == "ZeroDivisionError: division by zero"


def test_another_trainer_may_add_the_same_data_in_between(store, book, examples):
    """MLflow's store looks for a data set before it adds one: what another adds between the two is a conflict once."""
    added = []

    def add_before(_, __, statement, parameters, *___):
        if statement.startswith("INSERT INTO datasets") and not added:
            added.append("of another trainer")
            with closing(sqlite3.connect(store / DATABASE)) as other, other:
                other.execute(statement, (*added, *parameters[1:]))

    event.listen(Engine, "before_cursor_execute", add_before)
    try:
        with tracked_run(RunRecord("late", "stance", "majority", {}, book)) as run:
            run.log_data("train", examples)
    finally:
        event.remove(Engine, "before_cursor_execute", add_before)
    with open_store() as opened:
        assert [each.dataset.name for each in opened.client.get_run(run.id).inputs.dataset_inputs] == ["train"]
    with closing(sqlite3.connect(store / DATABASE)) as opened:
        assert opened.execute("SELECT dataset_uuid FROM datasets").fetchall() == [(added[0],)]


def test_a_damaged_bundle_is_not_logged(store, book):
    folder = store / "bundle"
    folder.mkdir()
    (folder / "bundle.json").write_text("{")
    with (
        pytest.raises(BundleError, match=r"bundle\.json: truncated"),
        tracked_run(RunRecord("b", "stance", "majority", {}, book)) as run,
    ):
        run.log_bundle(folder)
    with open_store() as opened:
        assert "stance.model_uri" not in opened.client.get_run(run.id).data.tags


def test_artifacts_that_cannot_be_written_are_one_error(store, book):
    (store / "mlartifacts").write_text("in the way")
    record = RunRecord("a", "stance", "majority", {}, book)
    with pytest.raises(StoreError, match=r"the MLflow store sqlite.*mlartifacts"), tracked_run(record):
        pass


def test_long_configs_are_logged_whole(store, book):
    config = {f"key{number}": number for number in range(250)}
    with tracked_run(RunRecord("long", "stance", "majority", config, book)) as run:
        pass
    with open_store() as opened:
        assert (
            opened.client.get_run(run.id).data.params
            == flatten(config)
            == {k: json.dumps(v) for k, v in config.items()}
        )
