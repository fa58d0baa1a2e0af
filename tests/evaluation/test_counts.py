import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from stance.errors import DataError
from stance.evaluation.counts import CountScores, document_index

EVERY = np.ones(3, dtype=bool)


@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(0, 3)), min_size=1, max_size=25))
@settings(max_examples=25, deadline=None)
def test_scores_of_the_whole_equal_sklearn(rows):
    """Each row holds gold and predicted sets as bits, and its document."""
    gold, predicted = (np.array([[row[k] >> j & 1 for j in range(3)] for row in rows]) for k in (0, 1))
    statistic = CountScores(gold, predicted.astype(bool), [str(row[2]) for row in rows], EVERY)
    scores = statistic(np.ones((1, len(statistic.counts))))[0]
    named = dict(zip(CountScores.names("abc"), scores, strict=True))
    assert named["macro_f1"] == pytest.approx(f1_score(gold, predicted, average="macro", zero_division=0))
    assert named["micro_f1"] == pytest.approx(f1_score(gold, predicted, average="micro", zero_division=0))
    assert named["exact_match"] == pytest.approx(accuracy_score(gold, predicted))
    precision, recall, f1, _ = precision_recall_fscore_support(gold, predicted, zero_division=0)
    for j, label in enumerate("abc"):
        found = [named[f"{label}.{score}"] for score in ("precision", "recall", "f1")]
        assert found == pytest.approx([precision[j], recall[j], f1[j]])


def test_a_weight_counts_all_rows_of_a_document_that_often(simulate):
    sample = simulate(5, n_documents=20)
    statistic = CountScores(sample.gold, sample.predicted, sample.documents, EVERY)
    weights = np.random.default_rng(0).integers(0, 4, (5, 20))
    owner = document_index(sample.documents, len(sample.gold))
    for found, weight in zip(statistic(weights), weights, strict=True):
        rows = np.repeat(np.arange(len(owner)), weight[owner])
        gold, predicted = sample.gold[rows], sample.predicted[rows]
        assert found[0] == pytest.approx(f1_score(gold, predicted, average="macro", zero_division=np.nan))
        assert found[2] == pytest.approx(accuracy_score(gold, predicted))


def test_a_draw_that_misses_a_label_leaves_it_out_but_a_label_missing_everywhere_is_zero():
    gold = np.array([[1, 0, 0], [0, 1, 0]])
    statistic = CountScores(gold, gold.astype(bool), ["x", "y"], EVERY)
    both, first_only = statistic(np.array([[1, 1], [2, 0]]))
    assert both[0] == pytest.approx(2 / 3)  # the third label is nowhere: 0, as scikit-learn counts it
    assert first_only[0] == pytest.approx(1 / 2)  # the second is missing by the draw's luck: no evidence
    assert np.isnan(first_only[CountScores.names("abc").index("b.f1")])


def test_only_the_chosen_labels_are_averaged():
    gold = np.array([[1, 0, 0], [0, 1, 0]])
    statistic = CountScores(gold, gold.astype(bool), ["x", "y"], np.array([True, True, False]))
    assert statistic(np.ones((1, 2)))[0, 0] == 1.0


def test_documents_are_numbered_by_name():
    assert document_index(["b", "a", "b", "c"], 4).tolist() == [1, 0, 1, 2]
    with pytest.raises(DataError, match="2 document names for 3 rows"):
        document_index(["a", "b"], 3)
