import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap
from sklearn.metrics import average_precision_score, f1_score

from stance.errors import DataError
from stance.evaluation.bootstrap import Resampling, paired_difference, ranking_intervals, score_intervals
from stance.evaluation.metrics import score_overall

QUICK = Resampling(resamples=400, seed=7)


def rows_of(drawn, documents):
    """The rows of drawn documents, document by document: the plain way."""
    names = sorted(set(documents))
    where = {name: [row for row, document in enumerate(documents) if document == name] for name in names}
    return [row for document in drawn for row in where[names[document]]]


def macro(gold, predicted):
    return f1_score(gold, predicted, average="macro", zero_division=np.nan)


def test_intervals_equal_those_of_a_plain_loop_over_rows(simulate, labels):
    sample = simulate(1, n_documents=40)

    def slow(drawn):
        rows = rows_of(drawn, sample.documents)
        return macro(sample.gold[rows], sample.predicted[rows])

    plan = Resampling(resamples=100, seed=7)
    found = score_intervals(sample.gold, sample.predicted, sample.documents, labels, plan)["macro_f1"]
    plain = bootstrap(
        (np.arange(40),), slow, vectorized=False, n_resamples=100, batch=100, method="BCa", rng=np.random.default_rng(7)
    ).confidence_interval
    assert found.method == "BCa"
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high))
    assert found.low < found.estimate < found.high


def test_estimates_are_those_of_the_metrics(simulate, labels):
    sample = simulate(2)
    found = score_intervals(sample.gold, sample.predicted, sample.documents, labels, QUICK)
    overall = score_overall(sample.gold, sample.predicted, sample.probabilities)
    for name in ("macro_f1", "micro_f1", "exact_match"):
        assert found[name].estimate == pytest.approx(getattr(overall, name))
    assert set(found) == {"macro_f1", "micro_f1", "exact_match"} | {
        f"{label}.{score}" for label in labels for score in ("precision", "recall", "f1")
    }


def test_a_perfect_system_has_an_interval_of_one_point_and_says_percentile(simulate, labels):
    sample = simulate(2)
    found = score_intervals(sample.gold, sample.gold.astype(bool), sample.documents, labels, QUICK)
    assert {(each.estimate, each.low, each.high, each.method) for each in found.values()} == {(1, 1, 1, "percentile")}


@given(st.permutations(range(60)), st.integers(0, 20))
@settings(max_examples=10, deadline=None)
def test_the_order_of_rows_changes_nothing(order, seed):
    rng = np.random.default_rng(seed)
    gold, scores = rng.integers(0, 2, (60, 2)), rng.random((60, 2)).round(1)
    documents = [f"d{row // 4}" for row in range(60)]
    moved = [documents[row] for row in order]
    order = list(order)
    plan = Resampling(resamples=50)
    for score in (score_intervals, ranking_intervals):
        arrays = scores >= 0.5 if score is score_intervals else scores
        before = score(gold, arrays, documents, "ab", plan)
        after = score(gold[order], arrays[order], moved, "ab", plan)
        for name, interval in before.items():
            expected = (interval.estimate, interval.low, interval.high)
            assert (after[name].estimate, after[name].low, after[name].high) == pytest.approx(expected)


def test_twice_the_documents_keep_the_estimate_and_narrow_the_interval(simulate, labels):
    sample = simulate(4, n_documents=50)
    gold, predicted = np.vstack([sample.gold] * 2), np.vstack([sample.predicted] * 2)
    copies = sample.documents + [f"copy of {document}" for document in sample.documents]
    plan = Resampling(resamples=4_000)
    once = score_intervals(sample.gold, sample.predicted, sample.documents, labels, plan)
    twice = score_intervals(gold, predicted, copies, labels, plan)
    same = score_intervals(gold, predicted, sample.documents * 2, labels, plan)
    for name in ("macro_f1", "exact_match", "engage.f1"):
        width, narrow = once[name].high - once[name].low, twice[name].high - twice[name].low
        assert twice[name].estimate == pytest.approx(once[name].estimate)
        assert narrow / width == pytest.approx(math.sqrt(0.5), rel=0.1)
        assert (same[name].low, same[name].high) == pytest.approx((once[name].low, once[name].high))  # no new documents


def test_few_documents_give_no_interval_and_no_verdict(simulate, labels):
    sample = simulate(4, n_documents=4)
    found = score_intervals(sample.gold, sample.predicted, sample.documents, labels, QUICK)
    assert {each.method for each in found.values()} == {"none"}
    assert math.isnan(found["macro_f1"].low)
    verdict = paired_difference(sample.gold, sample.gold.astype(bool), sample.predicted, sample.documents, QUICK)
    assert verdict.estimate > 0
    assert verdict.p_value == 1.0


def test_ranking_intervals_equal_a_plain_loop(simulate, labels):
    sample = simulate(6, n_documents=30)
    scores = sample.probabilities.round(1)  # with many ties
    found = ranking_intervals(sample.gold, scores, sample.documents, labels, Resampling(resamples=100, seed=3))
    assert set(found) == {f"{label}.average_precision" for label in labels} | {"macro_average_precision"}

    def slow(drawn, columns):
        rows = rows_of(drawn, sample.documents)
        return np.mean([average_precision_score(sample.gold[rows, j], scores[rows, j]) for j in columns])

    for name, columns in {"oppose.average_precision": [1], "macro_average_precision": [0, 1, 2]}.items():
        plan = {"n_resamples": 100, "method": "BCa", "vectorized": False, "rng": np.random.default_rng(3)}
        plain = bootstrap((np.arange(30),), lambda drawn, of=columns: slow(drawn, of), **plan).confidence_interval
        assert found[name].method == "BCa"
        assert (found[name].low, found[name].high) == pytest.approx((plain.low, plain.high))


def test_the_paired_difference_equals_a_plain_loop(simulate):
    sample = simulate(8, n_documents=30)
    other = sample.predicted ^ (np.random.default_rng(0).random(sample.gold.shape) < 0.02)
    found = paired_difference(sample.gold, sample.predicted, other, sample.documents, Resampling(100, seed=5))
    plain = []
    for draw in np.random.default_rng(5).integers(30, size=(100, 30)):
        rows = rows_of(draw, sample.documents)
        plain.append(macro(sample.gold[rows], sample.predicted[rows]) - macro(sample.gold[rows], other[rows]))
    plain = np.array(plain)
    assert (found.low, found.high) == pytest.approx(np.quantile(plain, [0.025, 0.975]))
    assert found.p_value == pytest.approx(min(1, 2 * (1 + min((plain <= 0).sum(), (plain >= 0).sum())) / 101))
    assert found.estimate == pytest.approx(macro(sample.gold, sample.predicted) - macro(sample.gold, other))


def test_a_clear_gain_is_significant_and_no_gain_is_not(simulate):
    sample = simulate(9, n_documents=100)
    worse = sample.predicted & (np.random.default_rng(0).random(sample.gold.shape) < 0.7)
    gain = paired_difference(sample.gold, sample.predicted, worse, sample.documents)
    loss = paired_difference(sample.gold, worse, sample.predicted, sample.documents)
    assert gain.p_value < 0.01
    assert gain.low > 0
    assert (loss.estimate, loss.low, loss.high) == pytest.approx((-gain.estimate, -gain.high, -gain.low))
    same = paired_difference(sample.gold, worse, worse, sample.documents)
    assert (same.estimate, same.low, same.high, same.p_value) == (0, 0, 0, 1)


def test_a_draw_without_a_rare_label_does_not_favour_the_system_that_never_gives_it():
    """One system never gives `rare`, the other gives it rightly once, wrongly once: luck may not flip the sign."""
    gold = np.zeros((40, 2), dtype=np.int8)
    gold[:, 0] = 1
    gold[0, 1] = 1
    never, tries = gold.astype(bool) & [True, False], gold.astype(bool)
    tries[20, 1] = True
    documents = [f"d{row:02d}" for row in range(40)]
    found = paired_difference(gold, tries, never, documents, QUICK)
    assert found.low >= 0


def test_unusable_plans_and_documents_are_refused(simulate, labels):
    sample = simulate(1)
    with pytest.raises(DataError, match="resamples"):
        Resampling(resamples=0)
    with pytest.raises(DataError, match="document names"):
        score_intervals(sample.gold, sample.predicted, sample.documents[1:], labels)


@pytest.mark.slow
def test_intervals_cover_the_truth_about_as_often_as_they_say(simulate, labels):
    big = simulate(0, n_documents=20_000)
    overall = score_overall(big.gold, big.predicted, big.probabilities)
    names, runs = ("macro_f1", "micro_f1", "exact_match"), 300
    covered = dict.fromkeys(names, 0)
    for seed in range(1, runs + 1):
        sample = simulate(seed, n_documents=80)
        plan = Resampling(resamples=600, seed=seed)
        found = score_intervals(sample.gold, sample.predicted, sample.documents, labels, plan)
        for name in names:
            covered[name] += found[name].low <= getattr(overall, name) <= found[name].high
    for name in names:
        assert 0.91 <= covered[name] / runs <= 0.98, covered


@pytest.mark.slow
def test_two_equally_good_systems_seldom_differ_significantly(simulate):
    verdicts = []
    for seed in range(300):
        sample = simulate(seed, n_documents=80)
        rng = np.random.default_rng(seed)
        first, second = (sample.predicted ^ (rng.random(sample.gold.shape) < 0.05) for _ in range(2))
        plan = Resampling(resamples=600, seed=seed)
        verdicts.append(paired_difference(sample.gold, first, second, sample.documents, plan).p_value)
    assert 0.01 <= np.mean(np.array(verdicts) < 0.05) <= 0.09
