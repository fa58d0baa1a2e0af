"""A training from a file to a tracked, saved model, also for another codebook."""

import json
import os
import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

import numpy as np
import pytest

import stance
from stance import codebook, config
from stance.errors import CodebookError, ConfigError, DataError, StoreError
from stance.evaluation.result import Evaluation
from stance.experiment import Trained, build, data_digest, fit, read_parts, train
from stance.models.majority import Majority
from stance.tracking.history import list_runs, search_runs
from stance.tracking.store import DATABASE, open_store

pytestmark = pytest.mark.slow

BOOKS = Path(__file__).parents[1] / "experiments" / "codebooks"


def silent(_):
    """Progress that nobody watches."""


def artifacts(client, run_id, path=None):
    for each in client.list_artifacts(run_id, path):
        yield from artifacts(client, run_id, each.path) if each.is_dir else [each.path]


def test_a_run_holds_what_went_in_and_what_came_out(workspace):
    with chdir(workspace), open_store() as store:
        (run,) = [run for run in search_runs(store) if run.name == "tfidf-linear"]
        stored = store.client.get_run(run.id)
        assert run.status == "FINISHED"
        assert (run.params["model.kind"], run.params["seed"]) == ("tfidf-linear", "13")
        assert {"test.macro_f1", "fit_seconds", "test.engage.f1"} <= run.metrics.keys()
        parts = {each.tags[0].value for each in stored.inputs.dataset_inputs}
        assert parts == {"train", "validation", "test"}
        names = set(artifacts(store.client, run.id))
    assert {"config.yaml", "codebook.yaml", "model.json", "evaluation/test.json", "tables/test_errors.json"} <= names
    assert {"tables/test_labels.json", "tables/test_actors.json"} <= names
    assert any(name.startswith("plots/test_confusion") for name in names)
    assert any(name.startswith("plots/test_precision") for name in names)


def test_the_stored_model_answers_as_the_one_in_memory(workspace, tiny_parts):
    experiment = config.load(workspace / "tfidf-linear.yaml")
    book = codebook.load()
    model, calibration = fit(experiment, book, read_parts(experiment, book), silent)
    with chdir(workspace):
        frame = list_runs()
        loaded = stance.load(f"runs:/{frame.loc[frame['name'] == 'tfidf-linear', 'run_id'].item()}/model")
    assert loaded.calibration == calibration
    np.testing.assert_allclose(
        loaded.predict_proba(tiny_parts["test"]), calibration.apply(model.predict_proba(tiny_parts["test"])), atol=1e-6
    )


def test_the_same_data_has_the_same_digest_and_other_labels_another(tiny_parts):
    shuffled = {part: examples[::-1] for part, examples in tiny_parts.items()}
    assert data_digest(shuffled) == data_digest(tiny_parts)
    assert data_digest({"train": tiny_parts["train"][1:]}) != data_digest({"train": tiny_parts["train"]})


def test_the_test_part_is_never_seen_while_fitting(workspace):
    experiment = config.load(workspace / "tfidf-linear.yaml")
    book = codebook.load()
    parts = read_parts(experiment, book)
    model, calibration = fit(experiment, book, parts, silent)
    other, same = fit(experiment, book, {**parts, "test": []}, silent)
    assert calibration == same
    np.testing.assert_array_equal(model.predict_proba(parts["test"]), other.predict_proba(parts["test"]))


def test_a_crash_marks_the_run_failed_and_says_why(workspace, monkeypatch):
    def crash(*_, **__):
        raise DataError("the disk caught fire")

    monkeypatch.setattr(Majority, "fit", crash)
    experiment = config.load(workspace / "majority.yaml", ["name=doomed"])
    with chdir(workspace):
        with pytest.raises(DataError, match="caught fire"):
            train(experiment, silent)
        with open_store() as store:
            (run,) = [run for run in search_runs(store) if run.name == "doomed"]
    assert run.status == "FAILED"
    assert "the disk caught fire" in run.tags["error"]


def test_a_helper_process_computes_and_tracks_nothing(workspace, monkeypatch, tmp_path):
    monkeypatch.setenv("RANK", "1")
    monkeypatch.chdir(tmp_path)
    assert train(config.load(workspace / "majority.yaml"), silent) is None
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_written_fails_before_anything_is_fitted(workspace, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/file/mlflow.db")
    monkeypatch.setattr(Majority, "fit", lambda *_, **__: pytest.fail("fitted"))
    with pytest.raises(StoreError, match="not a store that can be written"):
        train(config.load(workspace / "majority.yaml"), silent)


@pytest.mark.parametrize("recipe", sorted(BOOKS.parent.glob("*.yaml")), ids=lambda path: path.stem)
@pytest.mark.parametrize("task", ["stance", "frames"])
def test_every_recipe_is_valid_for_both_tasks(recipe, task):
    experiment = config.load(recipe, [f"task={task}"])
    model = build(experiment, codebook.load())
    assert model.kind == experiment.kind
    assert model.labels == codebook.load().task(task).labels


def test_an_unknown_task_is_one_error(workspace):
    with pytest.raises(CodebookError, match="has no task 'mood'"), chdir(workspace):
        train(config.load("majority.yaml", ["task=mood"]), silent)


def test_training_reports_time_and_scores(workspace):
    with chdir(workspace):
        trained = train(config.load("majority.yaml", ["name=timed"]), silent)
    assert isinstance(trained, Trained)
    assert isinstance(trained.evaluation, Evaluation)
    assert trained.seconds >= 0
    assert trained.evaluation.macro_f1.low <= trained.evaluation.macro_f1.high


@pytest.mark.parametrize(("task", "kind"), [("position", "tfidf-linear"), ("topics", "majority")])
def test_another_codebook_trains_promotes_and_predicts(workspace, stance_main, tmp_path, task, kind):
    book = BOOKS / "power-plant.yaml"
    given = [f"task={task}", f"codebook={book}", f"data={BOOKS}/power-plant-{task}.jsonl", "name=plant"]
    trained = stance_main("train", workspace / f"{kind}.yaml", *given, "--json", cwd=workspace)
    assert trained.status == 0, trained.err
    # Twenty examples make no model that passes every probe.
    overrule = ("--force", "--why", "an example of use")
    promoted = stance_main("promote", "--task", task, "--codebook", book, *overrule, cwd=workspace)
    assert promoted.status == 0, promoted.err
    with chdir(workspace):
        model = stance.load(f"models:/power-plant-{task}@champion")
    row = {"text": "The Green Alliance condemned the Harrow Point plant.", "actor": "Green Alliance"}
    answer = model.predict(row)
    assert list(answer.columns) == [*codebook.load(book).task(task).labels, task]
    assert set(answer[task].item()) <= set(model.labels)


def test_labels_of_another_codebook_are_one_error(workspace):
    given = [f"data={BOOKS}/power-plant-position.jsonl"]
    with pytest.raises(DataError, match=r"power-plant-position.jsonl:1.*support"), chdir(workspace):
        train(config.load("majority.yaml", given), silent)
    with pytest.raises(ConfigError, match="data"):
        config.load(workspace / "majority.yaml", ["data=[1]"])


def test_several_processes_train_one_model_and_track_one_run(
    tiny_encoder, tiny_file, store_template, tmp_path, monkeypatch
):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copy(store_template, tmp_path / DATABASE)
    settings = f"{{kind: encoder, name: {tiny_encoder}, epochs: 2, freeze_layers: 1}}"
    (tmp_path / "tiny.yaml").write_text(f"name: tiny\ndata: {tiny_file}\nmodel: {settings}\n")
    # What `accelerate launch` does for several GPUs; on CPUs alone it starts one process, or needs MPI.
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    done = subprocess.run(
        [*launch, "-m", "stance.cli.main", "train", "tiny.yaml", "--json"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1", "STANCE_CACHE": str(tmp_path / ".cache"), "STANCE_DEVICE": "cpu"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("done in") == 1
    run_id = json.loads(done.stdout)["run_id"]
    with chdir(tmp_path):
        assert list_runs()["run_id"].tolist() == [run_id]
        assert stance.load(f"runs:/{run_id}/model").predict({"text": "They met.", "actor": "Iran"}).shape == (1, 5)
    assert list((tmp_path / ".cache" / "checkpoints").iterdir()) == []
