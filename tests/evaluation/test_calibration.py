import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss

from stance.errors import DataError
from stance.evaluation.calibration import assign_folds, cross_fit, fit_calibration
from stance.evaluation.calibrators import fit_isotonic, fit_platt
from stance.evaluation.reliability import adaptive_ece, calibration_table, chance_ece, reliability
from stance.models.thresholds import Calibration, logit, sigmoid


def draw(seed, n, rate=0.2):
    """Scores whose true probability is known: gold is drawn from the returned `truth`; five rows a document."""
    rng = np.random.default_rng(seed)
    truth = sigmoid(rng.normal(logit(np.array(rate)), 1.6, n))
    return truth[:, None], (rng.random(n) < truth).astype(np.int8)[:, None], [f"d{row // 5}" for row in range(n)]


def f1(gold, decided):
    return 2 * (gold.astype(bool) & decided).sum() / (gold.sum() + decided.sum())


def test_a_known_distortion_is_undone():
    truth, gold, groups = draw(0, 20_000)
    distorted = sigmoid((logit(truth) + 0.9) / 0.6)
    found = fit_calibration(distorted, gold, groups)
    assert found.slopes[0] == pytest.approx(0.6, abs=0.05)
    assert found.intercepts[0] == pytest.approx(-0.9, abs=0.1)
    assert np.abs(found.apply(distorted) - truth).mean() < 0.02


def test_plenty_of_data_gives_the_fit_of_an_unpenalised_logistic_regression():
    truth, gold, groups = draw(1, 15_000)
    found = fit_calibration(truth**2, gold, groups)
    plain = LogisticRegression(C=np.inf).fit(logit(truth**2), gold.ravel())
    assert found.slopes[0] == pytest.approx(plain.coef_[0, 0], rel=0.02)
    assert found.intercepts[0] == pytest.approx(plain.intercept_[0], abs=0.02)


def test_a_separable_rare_label_does_not_run_away():
    probabilities = np.array([[0.3]] * 5 + [[0.1]] * 200)
    gold = (probabilities > 0.2).astype(np.int8)
    found = fit_calibration(probabilities, gold, [str(row) for row in range(205)])
    assert 0.5 < found.slopes[0] < 5  # maximum likelihood has none: it grows without end
    assert found.decide(found.apply(probabilities)).tolist() == gold.astype(bool).tolist()


@pytest.mark.parametrize("always", [0, 1])
def test_a_label_that_never_varies_is_left_alone(always):
    probabilities = np.random.default_rng(0).random((50, 1))
    found = fit_calibration(probabilities, np.full((50, 1), always, dtype=np.int8), ["d"] * 50)
    assert found == Calibration.identity(1)


def test_probabilities_of_0_and_1_are_usable():
    probabilities = np.array([[0.0], [1.0], [0.0], [1.0]] * 10)
    gold = np.array([[0], [1], [0], [0]] * 10, dtype=np.int8)
    found = fit_calibration(probabilities, gold, [str(row) for row in range(40)])
    assert found.apply(probabilities)[1, 0] < 0.9  # certain, yet wrong half of the time


def test_the_threshold_nears_half_the_best_f1():
    """For calibrated probabilities the best threshold is half of the best F1 (Lipton et al. 2014)."""
    truth, gold, groups = draw(2, 20_000)
    best = max(f1(gold, truth >= threshold) for threshold in np.linspace(0.05, 0.9, 86))
    assert fit_calibration(truth, gold, groups).thresholds[0] == pytest.approx(best / 2, abs=0.03)


def test_thresholds_of_small_parts_are_steadier_and_better_than_the_raw_maximum():
    grid = np.linspace(0.1, 0.9, 81)
    truth, gold, _ = draw(3, 20_000, rate=0.05)
    ours, raw = [], []
    for seed in range(25):
        few, few_gold, groups = draw(100 + seed, 300, rate=0.05)  # about 30 gold rows
        found = fit_calibration(few, few_gold, groups)
        ours.append(f1(gold, found.decide(found.apply(truth))))
        best = grid[np.argmax([f1(few_gold, few >= threshold) for threshold in grid])]
        raw.append(f1(gold, truth >= best))
    assert np.mean(ours) > np.mean(raw) + 0.01
    assert np.std(ours) < np.std(raw)


@given(st.permutations(range(40)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_rows_changes_nothing(order):
    rng = np.random.default_rng(4)
    probabilities, gold = rng.random((40, 2)).round(1), rng.integers(0, 2, (40, 2)).astype(np.int8)
    groups = [f"d{row // 4}" for row in range(40)]
    before = fit_calibration(probabilities, gold, groups)
    order = list(order)
    after = fit_calibration(probabilities[order], gold[order], [groups[row] for row in order])
    for name in ("slopes", "intercepts", "thresholds"):
        assert getattr(after, name) == pytest.approx(getattr(before, name), abs=1e-4)
    ece = adaptive_ece(probabilities[:, 0], gold[:, 0])
    assert adaptive_ece(probabilities[order][:, 0], gold[order][:, 0]) == pytest.approx(ece)


def test_calibration_error_worked_by_hand():
    probabilities = np.array([0.1] * 10 + [0.8] * 10)
    gold = np.array([1] + [0] * 9 + [1] * 5 + [0] * 5)
    bins = reliability(probabilities, gold, bins=2)
    assert [(each.n, each.probability, each.rate) for each in bins] == [
        (10, pytest.approx(0.1), 0.1),
        (10, pytest.approx(0.8), 0.5),
    ]
    assert adaptive_ece(probabilities, gold, bins=2) == pytest.approx((0 + 0.3) / 2)


def test_bins_hold_about_as_many_examples_each_and_all_of_them():
    truth, gold, _ = draw(5, 1_003)
    bins = reliability(truth[:, 0], gold[:, 0], bins=10)
    assert sum(each.n for each in bins) == 1_003
    assert {100, 101} >= {each.n for each in bins}


def test_true_probabilities_have_next_to_no_calibration_error():
    truth, gold, _ = draw(7, 40_000)
    assert adaptive_ece(truth[:, 0], gold[:, 0]) < 0.01
    assert adaptive_ece(truth[:, 0] * 0.5, gold[:, 0]) == pytest.approx(truth.mean() / 2, abs=0.01)


def test_equal_probabilities_share_a_bin():
    assert [each.n for each in reliability(np.full(30, 0.4), np.arange(30) % 2)] == [30]


def test_the_table_shows_before_and_after():
    truth, gold, groups = draw(6, 4_000)
    raw = sigmoid(logit(truth) + 1.5)
    calibration = fit_calibration(raw, gold, groups)
    (row,) = calibration_table(raw, gold, calibration, ("engage",))
    assert (row.label, row.threshold) == ("engage", calibration.thresholds[0])
    assert row.brier_before == pytest.approx(brier_score_loss(gold.ravel(), raw.ravel()))
    assert row.brier_after == pytest.approx(brier_score_loss(gold.ravel(), calibration.apply(raw).ravel()))
    assert row.ece_after < 0.03
    assert row.ece_before > 0.15


def test_a_curve_replaces_platt_only_where_it_clearly_calibrates_better():
    rng = np.random.default_rng(8)
    raw = rng.random((4_000, 1))
    staircase = np.where(raw < 0.3, 0.05, np.where(raw < 0.6, 0.5, 0.55))  # no logistic curve has this shape
    groups = [f"d{row // 5}" for row in range(4_000)]
    bent = cross_fit(raw, (rng.random(raw.shape) < staircase).astype(np.int8), groups)
    assert bent.calibration.methods == ("isotonic",)
    assert np.abs(bent.calibration.apply(raw) - staircase).mean() < 0.03
    assert bent.losses[0]["isotonic"] < bent.losses[0]["platt"]
    truth, gold, groups = draw(9, 4_000)
    assert cross_fit(sigmoid(1.4 * logit(truth) + 0.5), gold, groups).calibration.methods == ("platt",)


def test_a_curve_survives_json_and_never_turns_a_ranking():
    truth, gold, _ = draw(10, 600)
    curve = fit_isotonic(truth[:, 0], gold[:, 0])
    calibration = Calibration((1.0,), (0.0,), (0.5,), (curve.curve,))
    assert Calibration.from_json(json.loads(json.dumps(calibration.to_json()))) == calibration
    after = calibration.apply(truth)[np.argsort(truth[:, 0]), 0]
    assert (np.diff(after) >= 0).all()
    assert 0 < after.min() < after.max() < 1
    assert calibration.methods == ("isotonic",)


def test_no_row_is_scored_by_a_calibrator_that_saw_its_document():
    truth, gold, groups = draw(11, 500)
    before = cross_fit(truth, gold, groups)
    unit = np.array([int(name[1:]) for name in groups])
    folds = assign_folds(gold[:, 0].astype(float), np.unique(groups, return_inverse=True)[1], 0)
    assert all(len(set(folds[unit == one])) == 1 for one in set(unit))
    own = folds == folds[0]
    turned = np.where(own[:, None], 1 - gold, gold)
    slopes = [fit_platt(truth[~own, 0], labels[~own, 0].astype(float)).slope for labels in (gold, turned)]
    assert slopes[0] == slopes[1]
    expected = fit_platt(truth[~own, 0], gold[~own, 0].astype(float))(truth[own, 0])
    assert before.probabilities[own, 0] == pytest.approx(expected)


def test_held_out_scores_are_less_flattering_than_those_of_the_fit():
    """Scores that know nothing: what is fitted on few rows looks better than what it is worth."""
    rng = np.random.default_rng(12)
    inside, outside = [], []
    for _ in range(20):
        raw, gold = rng.random((80, 1)), (rng.random((80, 1)) < 0.3).astype(np.int8)
        found = cross_fit(raw, gold, [str(row) for row in range(80)])
        inside.append(f1(gold, found.calibration.decide(found.calibration.apply(raw))))
        outside.append(f1(gold, found.predicted))
    assert np.mean(outside) < np.mean(inside)


def test_chance_alone_explains_the_error_of_true_probabilities():
    truth, _, _ = draw(13, 200)
    rng = np.random.default_rng(0)
    errors = [adaptive_ece(truth[:, 0], (rng.random(200) < truth[:, 0]).astype(np.int8)) for _ in range(200)]
    assert chance_ece(truth[:, 0]) == pytest.approx(np.mean(errors), rel=0.1)
    assert chance_ece(truth[:, 0]) > 2 * chance_ece(draw(13, 5_000)[0][:, 0])


def test_arrays_that_do_not_fit_are_refused():
    with pytest.raises(DataError, match="shape"):
        fit_calibration(np.ones((3, 2)) / 2, np.ones((3, 1), dtype=np.int8), ["a"] * 3)
    with pytest.raises(DataError, match="document names"):
        fit_calibration(np.ones((3, 1)) / 2, np.ones((3, 1), dtype=np.int8), ["a"])
