"""What SIGTERM leaves behind: a run that is closed."""

import shutil
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.slow
PATIENCE = 120.0  # seconds for a process to come so far


def runs_in(database):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{database}")
    experiments = [each.experiment_id for each in client.search_experiments()]
    return client.search_runs(experiments)


def test_a_training_that_is_stopped_closes_its_run(store_template, tiny_file, tiny_encoder, tmp_path):
    database = tmp_path / "mlflow.db"
    shutil.copy(store_template, database)
    (tmp_path / "long.yaml").write_text(
        f"name: long\ndata: {tiny_file}\nmodel: {{kind: encoder, name: {tiny_encoder}, epochs: 100000}}\n"
    )
    words = [sys.executable, "-m", "stance.cli.main", "train", "long.yaml"]
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        until = time.monotonic() + PATIENCE
        while not [run for run in runs_in(database) if run.data.metrics.get("train_loss")]:
            assert process.poll() is None, process.communicate()[1]
            assert time.monotonic() < until
            time.sleep(0.2)
        process.send_signal(signal.SIGTERM)  # a process in the background may not hear Ctrl-C
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert said.rstrip().endswith("stopped")
    assert "Traceback" not in said
    assert [run.info.status for run in runs_in(database)] == ["FAILED"]
