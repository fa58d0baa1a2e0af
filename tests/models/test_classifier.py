import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import stance
from stance.codebook import Codebook
from stance.errors import BundleError, DataError, StoreError
from stance.models.bundle import Origin, write_bundle
from stance.models.classifier import Classifier
from stance.models.tfidf import TfidfLinear
from stance.models.thresholds import Calibration
from stance.records import Example

STANCE = ["engage", "oppose", "recognize", "sanction"]
TEXT = "Norway hosted a Taliban delegation in Oslo."
HEAVY = ("torch", "transformers", "sklearn", "mlflow", "datasets", "matplotlib", "scipy.optimize")


@pytest.fixture
def classifier(saved):
    return Classifier.load(saved)


@pytest.fixture(scope="module")
def linear(tmp_path_factory, book):
    """A bundle of a real linear model, which has seen talks and bombs."""
    acts = {"hosted": ("engage",), "welcomed": ("engage",), "bombed": ("oppose",), "shelled": ("oppose",), "met": ()}
    places = ("Oslo", "Doha", "Kabul", "Termez")
    train = [
        Example(f"Norway {verb} the Taliban in {place}.", "Norway", "Norway", 0, 6, index=i, labels=labels)
        for i, (verb, labels) in enumerate(acts.items())
        for place in places
    ]
    labels = book.task("stance").labels
    model = TfidfLinear(labels, TfidfLinear.Settings(), seed=1)
    model.fit(train, [])
    folder = tmp_path_factory.mktemp("linear") / "bundle"
    return write_bundle(folder, model, Calibration.identity(len(labels)), book, Origin(task="stance"))


def test_one_row_in_one_row_out(classifier):
    answer = classifier.predict({"text": TEXT, "actor": "Norway"})
    assert list(answer.columns) == [*STANCE, "stance"]
    assert (answer.dtypes[STANCE] == "float64").all()
    # rates 2/3, 1/3, 0, 0; oppose is calibrated to sigmoid(2 logit(1/3) + 0.5) = 0.29 and its threshold is 0.25
    assert answer.loc[0, "engage"] == pytest.approx(2 / 3, abs=1e-6)
    assert answer.loc[0, "oppose"] == pytest.approx(1 / (1 + np.exp(2 * np.log(2) - 0.5)), abs=1e-6)
    assert answer.loc[0, "stance"] == ["engage", "oppose", "sanction"]


def test_a_frame_keeps_its_index_even_with_repeats(classifier):
    frame = pd.DataFrame({"text": [TEXT, "A. B.", TEXT], "actor": "Norway"}, index=["x", "x", "y"])
    answer = classifier.predict(frame)
    assert list(answer.index) == ["x", "x", "y"]
    assert all(isinstance(labels, list) for labels in answer["stance"])
    assert list(frame.columns) == ["text", "actor"]


@pytest.mark.parametrize("empty", [[], (), pd.DataFrame({"text": [], "actor": []}), pd.DataFrame()])
def test_nothing_in_nothing_out(classifier, empty):
    answer = classifier.predict(empty)
    assert len(answer) == 0
    assert list(answer.columns) == [*STANCE, "stance"]
    assert (answer.dtypes[STANCE] == "float64").all()


def test_bad_rows_are_named(classifier):
    with pytest.raises(DataError, match="row 'b': 'text' is empty"):
        classifier.predict(pd.DataFrame({"text": [TEXT, None], "actor": "Norway"}, index=["a", "b"]))


def test_frames_need_no_actor(tmp_path, book):
    labels = book.task("frames").labels
    model = TfidfLinear(labels, TfidfLinear.Settings(), seed=1)
    model.fit([Example("Aid came.", index=i, labels=("humanitarian",) * (i % 2)) for i in range(6)], [])
    origin = Origin(task="frames")
    folder = write_bundle(tmp_path / "frames", model, Calibration.identity(len(labels)), book, origin)
    answer = stance.load(folder).predict([{"text": "Aid came.", "actor": None}, {"text": "It rained."}])
    assert list(answer.columns) == [*labels, "frames"]


def test_examples_and_rows_get_the_same_answers(linear):
    classifier = Classifier.load(linear)
    rows = [
        {"text": f"Norway {verb} the Taliban.", "actor": "Norway", "mention": "Norway"} for verb in ("hosted", "bombed")
    ]
    frame = classifier.predict(rows)
    taliban = [row["text"].index("Taliban") for row in rows]
    examples = [
        Example(row["text"], "Norway", "Norway", 0, 6, targets=((at, at + 7),))
        for row, at in zip(rows, taliban, strict=True)
    ]
    predictions = classifier.predict_examples(examples)
    assert [prediction.example for prediction in predictions] == examples
    assert [list(prediction.labels) for prediction in predictions] == frame["stance"].tolist()
    assert np.allclose([prediction.probabilities for prediction in predictions], frame[STANCE].to_numpy())
    assert frame["engage"][0] > frame["engage"][1]
    assert frame["oppose"][0] < frame["oppose"][1]


def test_equal_examples_are_scored_once(classifier, monkeypatch):
    asked = []
    score = classifier.model.predict_proba
    monkeypatch.setattr(classifier.model, "predict_proba", lambda examples: asked.extend(examples) or score(examples))
    seen = [Example(TEXT, "Norway", doc_id=str(i), outlet=f"paper {i}") for i in range(5)]
    other = Example(TEXT, "Norway", title="Talks")
    answer = classifier.predict_proba([*seen, other, *seen])
    assert answer.shape == (11, 4)
    assert asked == [seen[0], other]


def test_answers_stay_with_their_rows(linear):
    classifier = Classifier.load(linear)
    verbs = ["hosted", "bombed", "hosted", "met", "bombed"]
    rows = [{"text": f"Norway {verb} the Taliban.", "actor": "Norway"} for verb in verbs]
    together = classifier.predict(rows)[STANCE]
    alone = pd.concat([classifier.predict(row)[STANCE] for row in rows], ignore_index=True)
    pd.testing.assert_frame_equal(together, alone)


def test_context_may_hold_the_sentence_itself(linear):
    classifier = Classifier.load(linear)
    row = {"text": TEXT, "actor": "Norway"}
    whole = classifier.predict(row | {"context": f"It rained. {TEXT} They left."})
    apart = classifier.predict(row | {"prev": "It rained.", "next": "They left."})
    pd.testing.assert_frame_equal(whole, apart)


def test_a_folder_without_a_bundle(tmp_path):
    with pytest.raises(BundleError, match="not a bundle"):
        stance.load(tmp_path)
    with pytest.raises(BundleError, match="no such folder"):
        stance.load(str(tmp_path / "nowhere"))


def test_what_is_exported():
    assert stance.Classifier is Classifier
    with pytest.raises(AttributeError, match="no attribute 'Klassifier'"):
        stance.Klassifier  # noqa: B018


def test_a_model_address_without_a_store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(StoreError, match=r"mlflow\.db: there is no MLflow store here"):
        stance.load("models:/taliban-stance@champion")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_linear_bundle_predicts_without_the_training_side(linear):
    code = f"""
import json, sys
import stance
model = stance.load({str(linear)!r})
answer = model.predict({{"text": "Norway hosted the Taliban.", "actor": "Norway"}})
print(json.dumps([sorted(set({HEAVY}) & set(sys.modules)), answer["stance"][0]]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[], ["engage"]]


def test_an_exclusive_task_gets_exactly_one_label(book, fitted, calibration, tmp_path):
    content = book.model_dump(mode="json", by_alias=True)
    content["tasks"]["stance"]["exclusive"] = True
    own = Codebook.model_validate(content)
    folder = write_bundle(tmp_path / "bundle", fitted, calibration, own, Origin(task="stance"))
    rows = [{"text": TEXT, "actor": "Norway"}, {"text": "Nobody met.", "actor": "Chile"}]
    for classifier in (Classifier.load(folder), Classifier(fitted, calibration, own, "stance")):
        answer = classifier.predict(rows)
        # engage alone, though the thresholds of oppose and sanction are reached too
        assert answer["stance"].tolist() == [["engage"], ["engage"]]
        assert answer["engage"].tolist() == pytest.approx([2 / 3] * 2, abs=1e-6)
        examples = [Example(TEXT, "Norway")]
        assert [one.labels for one in classifier.predict_examples(examples)] == [("engage",)]
    assert Classifier(fitted, calibration, book, "stance").predict(rows[0]).loc[0, "stance"] != ["engage"]
