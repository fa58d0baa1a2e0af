import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score

from stance.errors import DataError
from stance.evaluation.calibration import fit_calibration
from stance.evaluation.result import evaluate
from stance.models.thresholds import Calibration

CALIBRATION = Calibration((1.2, 0.8, 1.0), (0.1, -0.2, 0.3), (0.4, 0.5, 0.3))


@pytest.fixture(name="evaluation")
def _evaluation(simulate, to_examples, labels):
    sample = simulate(11)
    return evaluate(to_examples(sample), sample.probabilities, CALIBRATION, labels, seed=1, resamples=200)


def test_decisions_come_from_calibrated_probabilities(simulate, evaluation):
    sample = simulate(11)
    calibrated = CALIBRATION.apply(sample.probabilities)
    assert evaluation.probabilities == pytest.approx(calibrated)
    assert (evaluation.predicted == (calibrated >= [0.4, 0.5, 0.3])).all()
    expected = f1_score(sample.gold, calibrated >= [0.4, 0.5, 0.3], average="macro")
    assert evaluation.macro_f1.estimate == pytest.approx(expected)
    assert evaluation.overall.macro_f1 == pytest.approx(expected)
    assert evaluation.macro_f1.low < expected < evaluation.macro_f1.high


def test_metrics_have_names_that_mlflow_takes(evaluation, labels):
    flat = evaluation.flat("test")
    assert flat["test.macro_f1"] == evaluation.macro_f1.estimate
    assert flat["test.engage.f1.low"] == evaluation.intervals["engage.f1"].low
    assert flat["test.n_documents"] == 60
    for label in labels:
        assert {f"test.{label}.{score}" for score in ("f1", "average_precision", "ece", "threshold")} <= set(flat)
    assert all(re.fullmatch(r"[\w.\- /]+", name) and math.isfinite(value) for name, value in flat.items())
    assert set(evaluation.flat("validation")) == {name.replace("test.", "validation.", 1) for name in flat}


def test_json_holds_all_tables_and_no_number_that_json_lacks(evaluation, labels):
    content = json.loads(json.dumps(evaluation.to_json(), allow_nan=False))
    assert content["headline"]["macro_f1"]["estimate"] == evaluation.macro_f1.estimate
    assert [row["label"] for row in content["per_label"]] == list(labels)
    assert content["n_errors"] == int((evaluation.gold != evaluation.predicted).sum())
    none = next(row for row in content["slices"] if row["value"] == "none")
    assert none["macro_f1"]["estimate"] is None


def test_errors_name_what_was_missed_and_what_is_spurious(simulate, to_examples, evaluation, labels):
    examples = {example.id: example for example in to_examples(simulate(11))}
    frame = evaluation.error_frame()
    assert len(frame) == (evaluation.gold != evaluation.predicted).sum()
    assert frame["surprise"].is_monotonic_decreasing
    for row in frame.itertuples():
        example = examples[row.id]
        assert row.text == example.text
        assert (row.kind == "missed") == (row.label in example.labels)
        assert (row.kind == "spurious") == (row.label in row.predicted.split(", "))
    assert [f"p_{label}" for label in labels] == list(frame.columns[-3:])


def test_frames_hold_a_row_per_label_and_slice(evaluation, labels):
    frame = evaluation.label_frame().set_index("label")
    assert list(frame.index) == list(labels)
    assert (frame["f1_low"] <= frame["f1"]).all()
    assert (frame["f1"] <= frame["f1_high"]).all()
    assert list(evaluation.headline_frame()["score"]) == [
        "macro_f1",
        "micro_f1",
        "exact_match",
        "macro_average_precision",
    ]
    assert list(evaluation.calibration_frame()["threshold"]) == [0.4, 0.5, 0.3]
    assert len(evaluation.slice_frame()) == len(evaluation.slices)


def test_a_perfect_model_has_no_errors_and_full_marks(simulate, to_examples, labels):
    sample = simulate(12)
    found = evaluate(to_examples(sample), sample.gold, Calibration.identity(3), labels, resamples=50)
    assert {each.estimate for each in found.intervals.values()} == {1.0}
    assert found.error_frame().empty
    assert "p_engage" in found.error_frame().columns


def test_the_same_seed_gives_the_same_evaluation_in_any_order_of_examples(simulate, to_examples, labels, evaluation):
    sample = simulate(11)
    order = np.random.default_rng(0).permutation(len(sample.gold))
    examples = to_examples(sample)
    moved = [examples[row] for row in order]
    again = evaluate(moved, sample.probabilities[order], CALIBRATION, labels, seed=1, resamples=200)
    assert again.flat() == pytest.approx(evaluation.flat())
    assert again.errors == evaluation.errors
    other = evaluate(examples, sample.probabilities, CALIBRATION, labels, seed=2, resamples=200)
    assert other.macro_f1.estimate == evaluation.macro_f1.estimate
    assert other.macro_f1.low != evaluation.macro_f1.low


def test_copies_of_a_report_are_no_new_evidence(simulate, to_examples, labels, evaluation):
    sample = simulate(11)
    copies = [
        replace(example, doc_id=f"copy {i}", cluster=example.doc_id) for i, example in enumerate(to_examples(sample))
    ]
    found = evaluate(copies, sample.probabilities, CALIBRATION, labels, seed=1, resamples=200)
    assert found.macro_f1 == evaluation.macro_f1
    assert found.n_documents == evaluation.n_documents


def test_input_that_cannot_be_evaluated_is_refused(simulate, to_examples, labels):
    sample = simulate(1)
    examples = to_examples(sample)
    identity = Calibration.identity(3)
    with pytest.raises(DataError, match="at least one labelled example"):
        evaluate([], np.zeros((0, 3)), identity, labels)
    with pytest.raises(DataError, match="is not labelled"):
        evaluate([replace(examples[0], labels=None), *examples[1:]], sample.probabilities, identity, labels)
    with pytest.raises(DataError, match="same rows"):
        evaluate(examples[1:], sample.probabilities, identity, labels)
    with pytest.raises(DataError, match="resamples"):
        evaluate(examples, sample.probabilities, identity, labels, resamples=0)


def test_predictions_say_who_was_asked_and_what_was_answered(evaluation, labels):
    frame = evaluation.prediction_frame()
    facts, groups = ["id", "doc_id", "unit", "actor", "gold", "predicted"], {each.kind for each in evaluation.slices}
    assert list(frame.columns)[: len(facts) + len(labels)] == [*facts, *(f"p_{x}" for x in labels)]
    assert set(frame.columns[len(facts) + len(labels) :]) == {f"slice_{kind}" for kind in groups}
    assert all((frame[f"slice_{e.kind}"] == e.value).sum() == e.n for e in evaluation.slices)
    assert len(frame) == evaluation.n_examples == frame["id"].nunique()
    assert frame["unit"].nunique() == evaluation.n_documents
    given = [[label in row for label in labels] for row in frame["predicted"]]
    assert given == evaluation.predicted.tolist()
    assert frame[[f"p_{label}" for label in labels]].to_numpy() == pytest.approx(evaluation.probabilities)


def test_the_steps_show_what_each_adds(simulate, to_examples, labels):
    """Probabilities that are far too high: calibration mends their error, thresholds give the labels."""
    validation, test = (simulate(seed, 120) for seed in (21, 22))
    raw = [np.clip(sample.probabilities**0.5, 0, 1) for sample in (validation, test)]
    calibration = fit_calibration(raw[0], validation.gold, validation.documents)
    found = evaluate(to_examples(test), raw[1], calibration, labels, resamples=100)
    steps = {each.step: each for each in found.steps}
    assert list(steps) == ["model", "calibrated", "thresholds", "sure 0.9"]
    assert steps["calibrated"].ece < steps["model"].ece / 2
    assert steps["calibrated"].brier < steps["model"].brier
    assert steps["thresholds"].macro_f1 == found.macro_f1
    assert steps["sure 0.9"].coverage < 1
    assert steps["sure 0.9"].exact_match.estimate > steps["thresholds"].exact_match.estimate + 0.05
    assert list(found.step_frame()["step"]) == list(steps)
    assert found.flat()["test.sure_0.9.accuracy"] == pytest.approx(steps["sure 0.9"].exact_match.estimate)
    assert found.coverage_frame()["coverage"].is_monotonic_decreasing
