"""The downstream programs in a fresh environment with the inference extra alone, and what that environment holds."""

import json
import shutil
import subprocess

import pytest

import stance
from experiments.benchmarks.downstream import PROGRAMS, ROW, IndexUnreachableError, ask, install

TRAINING = {"torch", "transformers", "scikit-learn", "datasets", "mlflow", "matplotlib", "label-studio-sdk"}


@pytest.fixture
def downstream(tmp_path):
    """The interpreter of an environment of nearly 500 MB, which is not kept as other temporary folders are."""
    folder = tmp_path / "venv"
    try:
        yield install(folder, "--no-compile")
    except IndexUnreachableError as error:
        pytest.skip(f"needs a package index, which pip could not reach: {error}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
def test_both_programs_answer_where_nothing_that_trains_is_installed(workspace, downstream):
    listed = subprocess.run(
        [downstream, "-m", "pip", "list", "--format=json"], capture_output=True, text=True, check=True
    )
    installed = {package["name"].lower() for package in json.loads(listed.stdout)}
    assert {"stance-kit", "mlflow-skinny"} <= installed
    assert not TRAINING & installed
    store = workspace / "mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store}")
        classifier = stance.load("models:/taliban-stance@champion")
    assert classifier.manifest.kind == "tfidf-linear"
    (expected,) = json.loads(classifier.predict(json.loads(ROW)).to_json(orient="records", double_precision=15))
    for program in ("with_mlflow.py", "with_stance.py"):
        answer = json.loads(ask(downstream, store, program))
        assert answer["stance"] == expected["stance"]
        assert [answer[label] for label in classifier.labels] == pytest.approx(
            [expected[label] for label in classifier.labels], abs=1e-9
        )


@pytest.mark.slow
def test_an_index_that_cannot_be_reached_is_told_from_other_failures(tmp_path, monkeypatch):
    # No settings of the user's: they may name other indexes, or folders of wheels.
    for name, value in {"CONFIG_FILE": "/dev/null", "RETRIES": "1", "NO_CACHE_DIR": "1", "FIND_LINKS": ""}.items():
        monkeypatch.setenv(f"PIP_{name}", value)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(IndexUnreachableError, match="No matching distribution"):
        install(tmp_path / "offline")
    monkeypatch.setenv("PIP_INDEX_URL", tmp_path.as_uri())
    with pytest.raises(RuntimeError, match="No matching distribution") as caught:
        install(tmp_path / "empty")
    assert not isinstance(caught.value, IndexUnreachableError)


@pytest.mark.parametrize("program", ["with_mlflow.py", "with_stance.py"])
def test_a_program_stays_short(program):
    assert len((PROGRAMS / program).read_text("utf-8").splitlines()) <= 20
