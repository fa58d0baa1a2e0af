"""`stance export` on the command line, and its model behind MLflow's pyfunc interface."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROWS = [
    {"text": "Norway met the Taliban.", "actor": "Norway"},
    {"text": "Iran condemned the Taliban's decree.", "actor": "Iran"},
]

PREDICT = """
import sys
import stance

model = stance.load(sys.argv[1])
model.predict({"text": "Norway met the Taliban.", "actor": "Norway"})
print(sorted({"torch", "transformers", "onnxruntime"} & sys.modules.keys()))
"""


@pytest.fixture(scope="module")
def place(encoder_bundle, tiny_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    shutil.copytree(encoder_bundle, folder / "model")
    shutil.copy(tiny_file, folder / "tiny.jsonl")
    return folder


def test_it_says_what_it_made_and_how_well_it_agrees(stance_main, place):
    ran = stance_main("export", "model", "--data", "tiny.jsonl", "-o", "whole", cwd=place)
    assert ran.status == 0, ran.err
    assert ran.out.startswith("whole: 1 encoder in fp32")
    assert "of the labels are the torch model's" in ran.out
    ran = stance_main("export", "model", "--data", "tiny.jsonl", "-o", "small", "--int8", "--json", cwd=place)
    made = json.loads(ran.out)
    assert (made["folder"], made["precision"], made["n_encoders"]) == ("small", "int8", 1)
    assert made["agreement"]["macro_f1"] == pytest.approx(made["agreement"]["macro_f1_torch"], abs=0.01)


def test_a_fresh_process_predicts_with_it_and_without_torch(stance_main, place):
    assert stance_main("export", "model", "--data", "tiny.jsonl", "-o", "fresh", cwd=place).status == 0
    command = [sys.executable, "-c", PREDICT, place / "fresh"]
    assert subprocess.check_output(command, text=True).strip() == "['onnxruntime']"


def test_the_command_line_predicts_with_it(stance_main, place):
    assert stance_main("export", "model", "--data", "tiny.jsonl", "-o", "used", cwd=place).status == 0
    (place / "article.txt").write_text("Norway met the Taliban in Oslo. Iran condemned the visit.")
    answers = [
        [json.loads(line) for line in ran.out.splitlines()]
        for model in ("used", "model")
        if not (ran := stance_main("predict", "article.txt", "--model", model, "--json", cwd=place)).status
    ]
    assert len(answers) == 2
    assert [row["actor"] for row in answers[0]] == [row["actor"] for row in answers[1]]
    for one, other in zip(*answers, strict=True):
        assert one["stance.engage"] == pytest.approx(other["stance.engage"], abs=0.02)


def test_mlflow_answers_with_it_and_asks_for_no_torch(stance_main, place, store_template, tmp_path, monkeypatch):
    import mlflow
    import pandas as pd

    import stance
    from stance.models.runtime.encoder import ExportedEncoder
    from stance.tracking.flavor import log_bundle
    from stance.tracking.store import DATABASE

    assert stance_main("export", "model", "--data", "tiny.jsonl", "-o", "logged", "--int8", cwd=place).status == 0
    shutil.copy(store_template, tmp_path / DATABASE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / DATABASE}")  # set_tracking_uri sets it for good
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path / DATABASE}")
    with mlflow.start_run():
        uri = log_bundle(place / "logged")
    loaded = mlflow.pyfunc.load_model(uri)
    assert isinstance(loaded.unwrap_python_model().classifier.model, ExportedEncoder)
    pd.testing.assert_frame_equal(loaded.predict(pd.DataFrame(ROWS)), stance.load(place / "logged").predict(ROWS))
    needed = Path(mlflow.pyfunc.get_model_dependencies(uri)).read_text("utf-8")
    names = {line.partition("==")[0].strip() for line in needed.splitlines()}
    assert {"onnxruntime", "tokenizers"} <= names
    assert not {"torch", "transformers"} & names


def test_what_cannot_be_exported_is_one_clear_line(stance_main, place, assert_refused):
    assert_refused(stance_main("export", "model", "-o", "never", cwd=place), "--data FILE")
    assert_refused(stance_main("export", "nowhere", cwd=place), "nowhere: no such folder")
    assert not (place / "never").exists()


def test_what_is_logged_is_not_changed(stance_main, place):
    ran = stance_main("export", "models:/taliban-stance@champion", cwd=place)
    assert ran.status == 2
    assert "give -o FOLDER" in ran.err


@pytest.fixture
def registered(stance_main, encoder_bundle, store_template, tiny_file, tmp_path):
    """A folder whose champion is a tiny encoder."""
    shutil.copy(store_template, tmp_path / "mlflow.db")
    shutil.copy(tiny_file, tmp_path / "tiny.jsonl")
    settings = json.loads((encoder_bundle / "model" / "encoder.json").read_text())["settings"]
    model = {key: settings[key] for key in ("name", "epochs", "batch_size", "learning_rate")} | {"kind": "encoder"}
    experiment = {"name": "tiny", "data": "tiny.jsonl", "model": model}
    (tmp_path / "tiny.yaml").write_text(json.dumps(experiment))
    assert stance_main("train", "tiny.yaml", cwd=tmp_path).status == 0
    assert stance_main("promote", "--force", "--why", "a test", cwd=tmp_path).status == 0
    return tmp_path


def test_a_registered_export_takes_the_alias_of_its_model(stance_main, registered, assert_refused):
    uri = "models:/taliban-stance@champion"
    arguments = ("export", uri, "--data", "tiny.jsonl", "--register")
    ran = stance_main(*arguments, "--dry-run", cwd=registered)
    assert "would be its next version, an export of version 1, champion" in ran.out, ran.err
    ran = stance_main(*arguments, "--json", cwd=registered)
    assert json.loads(ran.out)["version"] == 2, ran.err
    command = [sys.executable, "-c", PREDICT, uri]
    environment = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{registered / 'mlflow.db'}"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=registered)
    assert ran.stdout.strip() == "['onnxruntime']", ran.stderr
    shown = stance_main("promote", "--dry-run", cwd=registered)
    assert "is the champion already" in shown.out + shown.err
    run = json.loads(stance_main("runs", "--json", cwd=registered).out.splitlines()[0])
    assert_refused(
        stance_main("export", f"runs:/{run['run_id']}/model", "--register", cwd=registered), "not registered"
    )
