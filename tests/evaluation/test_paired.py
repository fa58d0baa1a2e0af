"""Differences between two systems on the same rows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.errors import DataError
from stance.evaluation.bootstrap import Resampling, paired_difference, score_intervals
from stance.evaluation.paired import Pair, brier_differences, score_differences

QUICK = Resampling(resamples=300)


@pytest.fixture
def pair(simulate):
    """A system, and one that repeats its answers but is right more often; rows and documents are the same."""
    sample = simulate(5)
    rng = np.random.default_rng(1)
    mended = np.where(rng.random(sample.gold.shape) < 0.5, sample.gold.astype(bool), sample.predicted)
    return Pair(sample.gold, mended, sample.predicted, sample.documents)


def test_a_difference_is_that_of_the_scores(pair, labels):
    found = score_differences(pair, labels, QUICK)
    new, old = (
        score_intervals(pair.gold, each, pair.documents, labels, QUICK) for each in (pair.candidate, pair.baseline)
    )
    assert found.keys() == new.keys()
    for name, each in found.items():
        assert each.estimate == pytest.approx(new[name].estimate - old[name].estimate)
        assert each.low <= each.estimate <= each.high
    gate = paired_difference(pair.gold, pair.candidate, pair.baseline, pair.documents, QUICK)
    assert found["macro_f1"].estimate == pytest.approx(gate.estimate)
    assert found["macro_f1"].low == pytest.approx(gate.low, abs=0.02)
    assert found["macro_f1"].low > 0


def test_pairing_is_narrower_than_two_intervals_apart(pair, labels):
    found = score_differences(pair, labels, QUICK)["exact_match"]
    apart = [
        score_intervals(pair.gold, each, pair.documents, labels, QUICK) for each in (pair.candidate, pair.baseline)
    ]
    assert found.high - found.low < sum(each["exact_match"].high - each["exact_match"].low for each in apart)


def test_the_same_answers_differ_by_nothing(pair, labels):
    found = score_differences(Pair(pair.gold, pair.baseline, pair.baseline, pair.documents), labels, QUICK)
    assert {(each.estimate, each.low, each.high) for each in found.values()} == {(0.0, 0.0, 0.0)}


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_to_exchange_the_systems_turns_the_sign(seed):
    rng = np.random.default_rng(seed)
    gold = (rng.random((40, 2)) < 0.4).astype(np.int8)
    one, two = (rng.random((40, 2)) < 0.4 for _ in range(2))
    documents = [f"d{i // 4}" for i in range(40)]
    there = score_differences(Pair(gold, one, two, documents), ("a", "b"), QUICK)
    back = score_differences(Pair(gold, two, one, documents), ("a", "b"), QUICK)
    for name, each in there.items():
        assert each.estimate == pytest.approx(-back[name].estimate, nan_ok=True)


def test_rows_and_documents_are_chosen_together(pair, labels):
    chosen = np.array([name < "doc00030" for name in pair.documents])
    part = pair.rows(chosen)
    assert len(part.gold) == len(part.documents) == chosen.sum()
    assert score_differences(part, labels, QUICK)["exact_match"].estimate == pytest.approx(
        (part.candidate == part.gold).all(axis=1).mean() - (part.baseline == part.gold).all(axis=1).mean()
    )


def test_squared_errors_are_compared_label_by_label(simulate):
    sample = simulate(6)
    worse = np.clip(sample.probabilities + 0.2, 0, 1)
    found = brier_differences(sample.gold, (sample.probabilities, worse), sample.documents, QUICK)
    for j, each in enumerate(found):
        ours, theirs = (((p[:, j] - sample.gold[:, j]) ** 2).mean() for p in (sample.probabilities, worse))
        assert each.estimate == pytest.approx(ours - theirs)
        assert each.high < 0
    with pytest.raises(DataError):
        brier_differences(sample.gold, (sample.probabilities[1:], worse), sample.documents, QUICK)
