import json
import os
import subprocess
import sys

import mlflow
import pandas as pd
import pytest

import stance
from stance.errors import BundleError, StoreError
from stance.tracking.store import open_experiment, open_store

pytestmark = pytest.mark.slow
ROWS = [
    {"text": "Norway hosted talks with the Taliban.", "actor": "Norway"},
    {"text": "Chile condemned the Taliban.", "actor": "Chile"},
]
FRESH = """
import json, sys
import mlflow, pandas as pd
model = mlflow.pyfunc.load_model({uri!r})
answer = model.predict(pd.DataFrame({rows!r}))
heavy = {{"torch", "transformers", "sklearn", "datasets", "stance.evaluation", "stance.tracking", "stance.experiment"}}
print(json.dumps([answer.to_dict("list"), sorted(heavy & set(sys.modules))]))
"""


def test_every_address_of_a_model_gives_the_same_answers(played):
    places = [
        "runs:/tfidf-linear/model",
        "models:/taliban-stance@champion",
        "models:/taliban-stance/2",
        "tfidf-linear-bundle",
    ]
    answers = [stance.load(place).predict(ROWS) for place in places]
    for answer in answers[1:]:
        pd.testing.assert_frame_equal(answers[0], answer)
    assert answers[0]["stance"].tolist() == [["engage"], ["oppose"]]
    assert stance.load("models:/taliban-stance@previous").manifest.kind == "majority"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        (
            "models:/taliban-stance@champoin",
            r"no alias 'champoin'; it has champion \(version 2\), previous \(version 1\)",
        ),
        ("models:/taliban-stance/9", r"no version '9'; it has champion.*versions: 1, 2"),
        ("models:/taliban-stance/Production", "no version 'Production'"),
        ("models:/taliban-stance", "has several versions; it has champion"),
        ("models:/taliban-stence@champion", "no model 'taliban-stence' is registered; there are taliban-stance"),
        ("runs:/0123456789abcdef/model", "no run '0123456789abcdef'.*the nearest are"),
        ("runs:/tfidf-linear/weights", "holds no model 'weights'; its address is runs:/"),
        ("models:", "is not a model's address; give models:/name@alias"),
        ("runs:/", "is not a model's address"),
        ("models:/m-00000000000000000000000000000000", "the MLflow store"),
    ],
)
def test_a_wrong_address_says_what_there_is(played, uri, message):
    with pytest.raises(StoreError, match=message):
        stance.load(uri)


def test_nothing_registered_yet(store):
    with pytest.raises(StoreError, match="there are none: promote a run first"):
        stance.load("models:/taliban-stance@champion")


def test_artifacts_that_were_removed_are_one_error(store, train):
    run = train()
    for path in store.glob("mlartifacts/*/models/*/artifacts/artifacts/*/model/*"):
        path.unlink()
    with pytest.raises(BundleError, match="listed in SHA256SUMS but missing"):
        stance.load(f"runs:/{run}/model")


def test_a_model_of_another_make_is_refused(store):
    with open_store() as opened:
        experiment = open_experiment(opened, "other")
        with mlflow.start_run(experiment_id=experiment):
            code = store / "other.py"
            code.write_text("import mlflow\nmlflow.models.set_model(lambda x: x)\n")
            logged = mlflow.pyfunc.log_model(name="model", python_model=str(code), pip_requirements=["mlflow"])
    with pytest.raises(StoreError, match="not a model of stance-kit"):
        stance.load(logged.model_uri)


def test_pyfunc_in_a_fresh_process_gives_the_same_answers(played):
    uri = "models:/taliban-stance@champion"
    environment = os.environ | {
        "MLFLOW_TRACKING_URI": f"sqlite:///{played / 'mlflow.db'}",
        "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    code = FRESH.format(uri=uri, rows=ROWS)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    answers, heavy = json.loads(done.stdout)
    assert answers == stance.load(uri).predict(ROWS).to_dict("list")
    assert heavy == []


def test_pyfunc_enforces_its_signature_and_optional_columns_are_optional(played):
    with open_store():
        model = mlflow.pyfunc.load_model("models:/taliban-stance@champion")
    expected = stance.load("tfidf-linear-bundle").predict(ROWS)
    frame = pd.DataFrame(ROWS)
    pd.testing.assert_frame_equal(model.predict(frame), expected)
    pd.testing.assert_frame_equal(model.predict(ROWS), expected)
    partly = frame.assign(mention=["Norway", None], context=["It rained.", None], extra=1)
    assert model.predict(partly)["stance"].tolist() == [["engage"], ["oppose"]]
    with pytest.raises(mlflow.MlflowException, match="actor"):
        model.predict(frame[["text"]])


def test_the_logged_model_is_described(played):
    with open_store():
        info = mlflow.models.get_model_info("models:/taliban-stance@champion")
    inputs = {column.name: column.required for column in info.signature.inputs}
    assert [name for name, required in inputs.items() if required] == ["text", "actor"]
    assert {"mention", "context"} <= inputs.keys()
    assert [column.name for column in info.signature.outputs] == ["engage", "oppose", "recognize", "sanction", "stance"]
    assert info.saved_input_example_info is not None


def test_nothing_logged_is_a_pickle(played):
    suffixes = {path.suffix for path in played.rglob("mlartifacts/**/*") if path.is_file()}
    assert not suffixes & {".pkl", ".pickle", ".joblib", ".bin", ".pt"}
