"""The downstream programs in a fresh environment with the inference extra alone, and what that environment holds."""

import json
import subprocess

import pytest

import stance
from experiments.benchmarks.downstream import PROGRAMS, ROW, ask, install

TRAINING = {"torch", "transformers", "scikit-learn", "datasets", "mlflow", "matplotlib", "label-studio-sdk"}


@pytest.mark.slow
def test_both_programs_answer_where_nothing_that_trains_is_installed(workspace, tmp_path):
    python = install(tmp_path / "venv", "--no-compile")
    listed = subprocess.run([python, "-m", "pip", "list", "--format=json"], capture_output=True, text=True, check=True)
    assert not TRAINING & {package["name"] for package in json.loads(listed.stdout)}
    store = workspace / "mlflow.db"
    said = [json.loads(ask(python, store, program)) for program in ("with_mlflow.py", "with_stance.py")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store}")
        classifier = stance.load("models:/taliban-stance@champion")
    assert classifier.manifest.kind == "tfidf-linear"
    (expected,) = json.loads(classifier.predict(json.loads(ROW)).to_json(orient="records", double_precision=15))
    for answer in said:
        assert answer["stance"] == expected["stance"]
        assert [answer[label] for label in classifier.labels] == pytest.approx(
            [expected[label] for label in classifier.labels], abs=1e-9
        )


@pytest.mark.parametrize("program", ["with_mlflow.py", "with_stance.py"])
def test_a_program_stays_short(program):
    assert len((PROGRAMS / program).read_text("utf-8").splitlines()) <= 20
