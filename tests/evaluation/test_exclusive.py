"""Where labels exclude each other, exactly one is decided: in the fit, the scores, the report and what is labelled."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from labeling.scores import Scores
from stance.errors import DataError
from stance.evaluation.calibration import cross_fit
from stance.evaluation.plots import draw_reliability
from stance.evaluation.result import evaluate
from stance.models.thresholds import Calibration, likeliest
from stance.records import Example
from stance.report.analysis.error_rates import check_source

LABELS = ("for", "neutral", "against")


@pytest.fixture(scope="module")
def sample():
    """Softmax probabilities of 300 examples in 60 documents; gold is drawn from them, so a third is wrong."""
    generator = np.random.default_rng(7)
    scores = np.exp(generator.normal([0, 1, -1], 1.5, (300, 3)))
    probabilities = scores / scores.sum(axis=1, keepdims=True)
    chosen = [generator.choice(3, p=row) for row in probabilities]
    examples = [
        Example(f"Sentence {row}.", "Norway", doc_id=f"d{row // 5}", index=row, labels=(LABELS[label],))
        for row, label in enumerate(chosen)
    ]
    return examples, probabilities, np.eye(3, dtype=np.int8)[chosen]


def test_the_fit_decides_for_one_label_and_takes_no_thresholds(sample):
    examples, probabilities, gold = sample
    found = cross_fit(probabilities, gold, [one.doc_id for one in examples], exclusive=True)
    assert (found.predicted == likeliest(found.probabilities)).all()
    assert found.calibration.exclusive
    assert set(found.calibration.thresholds) == {0.5}
    free = cross_fit(probabilities, gold, [one.doc_id for one in examples])
    assert (free.predicted.sum(axis=1) != 1).any()  # what thresholds would have made of it


def test_the_evaluation_scores_what_was_decided(sample):
    examples, probabilities, _ = sample
    found = evaluate(examples, probabilities, Calibration.identity(3, exclusive=True), LABELS, resamples=50)
    assert (found.predicted.sum(axis=1) == 1).all()
    # One label each on both sides: micro-F1 is accuracy.
    assert found.intervals["micro_f1"].estimate == pytest.approx(found.intervals["exact_match"].estimate)
    assert [step.step for step in found.steps] == ["model", "calibrated"]
    assert found.steps[0].exact_match.estimate == found.intervals["exact_match"].estimate
    content = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert [row["threshold"] for row in content["calibration"]] == [None] * 3
    assert "test.for.threshold" not in found.flat()
    assert "threshold 0" not in draw_reliability(found).axes[0].get_title()


def test_the_report_knows_whether_a_model_gave_these_labels(sample):
    probabilities = sample[1][:20]
    labels = [[LABELS[place]] for place in probabilities.argmax(axis=1)]
    frame = pd.DataFrame({f"side.{label}": probabilities[:, j] for j, label in enumerate(LABELS)}).assign(side=labels)
    bundle = SimpleNamespace(
        calibration=Calibration.identity(3, exclusive=True), manifest=SimpleNamespace(labels=LABELS)
    )
    task = SimpleNamespace(name="side", labels=LABELS)
    check_source(SimpleNamespace(frame=frame), task, bundle)
    frame.at[0, "side"] = [LABELS[probabilities[0].argmin()]]
    with pytest.raises(DataError, match="where it is the likeliest"):
        check_source(SimpleNamespace(frame=frame), task, bundle)


def test_an_example_is_in_doubt_where_two_labels_are_equally_likely():
    probabilities = np.array([[0.48, 0.47, 0.05], [0.90, 0.06, 0.04]])
    scores = Scores(LABELS, probabilities, (0.5,) * 3, exclusive=True)
    assert scores.bars().tolist() == [[0.47, 0.48, 0.48], [0.06, 0.90, 0.90]]
    near, far = scores.margins().min(axis=1)
    assert near < 0.1
    assert far > 2
