import math

import numpy as np
import pytest
from sklearn.metrics import classification_report, label_ranking_average_precision_score, multilabel_confusion_matrix

from stance.errors import DataError
from stance.evaluation.metrics import average_precision, score_labels, score_overall

GOLD = np.array([[1, 0], [1, 1], [0, 1], [0, 0]], dtype=np.int8)
PREDICTED = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], dtype=bool)
PROBABILITIES = np.array([[0.9, 0.1], [0.4, 0.8], [0.7, 0.6], [0.2, 0.3]])


def test_a_case_worked_by_hand():
    first, second = score_labels(GOLD, PREDICTED, PROBABILITIES, ("a", "b"))
    assert (first.label, first.support, first.predicted, first.prevalence) == ("a", 2, 2, 0.5)
    assert (first.precision, first.recall, first.f1) == (0.5, 0.5, 0.5)
    assert first.average_precision == pytest.approx((1 / 1 + 2 / 3) / 2)  # gold at ranks 1 and 3
    assert (second.f1, second.average_precision) == (1.0, 1.0)
    overall = score_overall(GOLD, PREDICTED, PROBABILITIES)
    assert overall.macro_f1 == 0.75
    assert overall.micro_f1 == 0.75  # 3 hits, 1 spurious, 1 missed
    assert overall.exact_match == 0.5
    assert overall.macro_average_precision == pytest.approx((5 / 6 + 1) / 2)


def test_scores_follow_from_the_confusion_tables(simulate, labels):
    sample = simulate(3)
    tables = multilabel_confusion_matrix(sample.gold, sample.predicted)
    report = classification_report(sample.gold, sample.predicted, zero_division=0, output_dict=True)
    for j, score in enumerate(score_labels(sample.gold, sample.predicted, sample.probabilities, labels)):
        (_, spurious), (missed, hits) = tables[j]
        assert score.precision == pytest.approx(hits / (hits + spurious))
        assert score.recall == pytest.approx(hits / (hits + missed))
        assert score.f1 == pytest.approx(2 * hits / (2 * hits + spurious + missed))
        assert (score.support, score.predicted) == (hits + missed, hits + spurious)
    overall = score_overall(sample.gold, sample.predicted, sample.probabilities)
    assert overall.macro_f1 == pytest.approx(report["macro avg"]["f1-score"])
    assert overall.micro_f1 == pytest.approx(report["micro avg"]["f1-score"])


def test_a_lost_label_counts_as_zero_in_the_macro_average():
    overall = score_overall(GOLD, PREDICTED & [True, False], PROBABILITIES)
    assert overall.macro_f1 == 0.25


def test_a_label_without_gold_has_no_average_precision():
    gold = GOLD * np.array([1, 0], dtype=np.int8)
    assert math.isnan(score_labels(gold, PREDICTED, PROBABILITIES, ("a", "b"))[1].average_precision)
    assert score_overall(gold, PREDICTED, PROBABILITIES).macro_average_precision == pytest.approx(5 / 6)
    assert math.isnan(score_overall(gold * 0, PREDICTED, PROBABILITIES).macro_average_precision)


def test_average_precision_ranks_one_positive_like_its_reciprocal_rank():
    scores = np.array([0.1, 0.9, 0.8, 0.3])
    gold = np.array([0, 0, 0, 1])
    assert average_precision(gold, scores) == label_ranking_average_precision_score([gold], [scores]) == 1 / 3


@pytest.mark.parametrize("rows", [0, 3])
def test_arrays_that_do_not_fit_are_refused(rows):
    with pytest.raises(DataError, match="shape"):
        score_overall(GOLD[:rows], PREDICTED, PROBABILITIES)
    with pytest.raises(DataError, match="shape"):
        score_labels(GOLD, PREDICTED, PROBABILITIES, ("a", "b", "c"))
