"""The coefficients give the numbers that their papers print."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labeling.coefficients import AlphaStatistic, cohen_kappa, label_alpha, masi, raw_agreement, set_alpha

# Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability": the reliability data of his sections A, B and C.
MEG, OWEN = "0100000010", "1110010000"
BEN, GERRY = "aabbdcccedda", "babbbcccedd" + "d"
FOUR = ("1233 2141 2...", "1233 2241 25.3", ".333 2342 251.", "1233 2441 251.")


def sets(*rows):
    """Label sets by unit from one string per observer; a dot is a missing value."""
    rows = [row.replace(" ", "") for row in rows]
    return [[frozenset(value) for value in unit if value != "."] for unit in zip(*rows, strict=True)]


def test_alpha_of_a_label_is_krippendorffs_binary_example():
    values = [[value == "1" for value in unit] for unit in zip(MEG, OWEN, strict=True)]
    assert label_alpha(values) == pytest.approx(0.095, abs=5e-4)
    assert raw_agreement(values) == pytest.approx(0.6)


def test_alpha_of_sets_of_one_is_krippendorffs_nominal_examples_with_and_without_missing_values():
    # Under MASI sets of one are either the same or 1 apart, which is the nominal metric.
    assert set_alpha(sets(BEN, GERRY)) == pytest.approx(0.692, abs=5e-4)
    assert set_alpha(sets(*FOUR)) == pytest.approx(0.743, abs=5e-4)


@pytest.mark.parametrize(
    ("first", "second", "monotonicity", "jaccard"),
    [("abc", "abc", 1, 1), ("ab", "abc", 2 / 3, 2 / 3), ("abc", "bcd", 1 / 3, 1 / 2), ("ab", "cd", 0, 0)],
    ids=["identical", "subset", "overlap", "disjoint"],
)
def test_masi_is_jaccard_times_passonneaus_monotonicity(first, second, monotonicity, jaccard):
    # Passonneau (2006): M is 1, 2/3, 1/3 or 0 for identical, nested, overlapping and disjoint sets.
    assert masi(frozenset(first), frozenset(second)) == pytest.approx(1 - jaccard * monotonicity)


def test_two_empty_sets_are_alike_and_an_empty_one_is_as_far_as_can_be_from_any_other():
    assert masi(frozenset(), frozenset()) == 0
    assert masi(frozenset(), frozenset("a")) == masi(frozenset("a"), frozenset()) == 1


def test_alpha_counts_none_as_an_answer():
    # Two observers, four units: {} {} / {} {a} / {a} {a} / {a} {a}. By hand: D_o = 2/8 and D_e = 2·3·5/(8·7).
    found = set_alpha([[frozenset(), frozenset()], [frozenset(), frozenset("a")], *[[frozenset("a")] * 2] * 2])
    assert found == pytest.approx(1 - (2 / 8) / (2 * 3 * 5 / (8 * 7)))


def of_table(table):
    """Two judges' categories from a table of frequencies, the first judge's down."""
    cells = [(i, k) for i, row in enumerate(table) for k, count in enumerate(row) for _ in range(count)]
    return zip(*cells, strict=True)


def test_kappa_is_cohens_worked_examples():
    # Cohen (1960), tables 1 (proportions, in hundredths) and 2 (200 cases): kappa -.09 and .492.
    assert cohen_kappa(*of_table([[25, 13, 12], [12, 2, 16], [3, 15, 2]])) == pytest.approx(-0.09, abs=5e-3)
    assert cohen_kappa(*of_table([[88, 14, 18], [10, 40, 10], [2, 6, 12]])) == pytest.approx(0.492, abs=5e-4)


def test_what_the_data_cannot_tell_is_nan_and_not_perfect():
    assert math.isnan(label_alpha([[False, False], [False, False]]))
    assert math.isnan(set_alpha([[frozenset(), frozenset()]] * 3))
    assert math.isnan(set_alpha([[frozenset("a")], [frozenset("b")]]))  # no unit has two answers
    assert math.isnan(cohen_kappa([1, 1], [1, 1]))
    assert math.isnan(raw_agreement([[1], [2]]))


LABELS = ("a", "b", "c")
answers = st.lists(st.lists(st.frozensets(st.sampled_from(LABELS)), min_size=0, max_size=4), min_size=1, max_size=12)


@given(answers, st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_the_statistic_of_the_bootstrap_equals_the_libraries(units, n_documents):
    statistic = AlphaStatistic(units, np.arange(len(units)) % n_documents, LABELS)
    *per_label, whole = statistic(np.ones((1, statistic.n_documents)))[0]
    expected = [label_alpha([[label in one for one in given] for given in units]) for label in LABELS]
    assert per_label == pytest.approx(expected, nan_ok=True)
    assert whole == pytest.approx(set_alpha(units), nan_ok=True)


def test_a_document_drawn_twice_counts_like_its_units_written_twice():
    units = sets("abcab", "abbaa", "acca.")
    documents = np.array([0, 0, 1, 1, 2])
    twice = [*units, *units[2:4]]
    weighted = AlphaStatistic(units, documents, LABELS)(np.array([[1.0, 2.0, 1.0]]))
    written = AlphaStatistic(twice, np.zeros(len(twice), dtype=int), LABELS)(np.ones((1, 1)))
    assert weighted == pytest.approx(written)
