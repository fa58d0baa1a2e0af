import json
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.errors import BundleError, DataError
from stance.models.thresholds import Bars, Calibration, Curve, likeliest, logit, sigmoid

CALIBRATION = Calibration((1.0, 2.0, 0.5), (0.0, -1.0, 0.3), (0.5, 0.25, 0.9))


def test_a_value_worked_by_hand():
    found = CALIBRATION.apply(np.array([[0.5, 0.5, 0.8]]))
    # logit(0.8) = ln 4, so half of it plus 0.3 has odds 2 * exp(0.3)
    odds = np.array([1.0, np.exp(-1), 2 * np.exp(0.3)])
    assert found == pytest.approx((odds / (1 + odds))[None])


def test_certainty_stays_finite_and_in_order():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = Calibration((50.0,), (0.0,), (0.5,)).apply(np.array([[0.0], [0.5], [1.0]], dtype=np.float32))
    assert np.isfinite(found).all()
    assert found.ravel() == pytest.approx([0, 0.5, 1])


@given(st.lists(st.floats(1e-6, 1 - 1e-6), min_size=2, max_size=20))
@settings(max_examples=50, deadline=None)
def test_identity_changes_nothing_and_calibration_keeps_the_ranking(values):
    column = np.array(values)[:, None]
    assert Calibration.identity(1).apply(column) == pytest.approx(column)
    found = Calibration((0.7,), (-2.0,), (0.5,)).apply(column).ravel()
    assert (np.diff(found[np.argsort(values)]) >= 0).all()


def test_sigmoid_inverts_logit():
    values = np.array([1e-6, 0.2, 0.5, 0.999])
    assert sigmoid(logit(values)) == pytest.approx(values)


def test_a_label_is_given_from_its_threshold_on():
    decided = CALIBRATION.decide(np.array([[0.5, 0.24, 0.95], [0.49, 0.25, 0.89]]))
    assert decided.dtype == bool
    assert decided.tolist() == [[True, False, True], [False, True, False]]


def test_it_survives_json_to_the_last_digit():
    calibration = Calibration((1 / 3,), (-0.1 + 1e-16,), (0.2,))
    assert Calibration.from_json(json.loads(json.dumps(calibration.to_json()))) == calibration


def test_no_rows_are_no_answers():
    assert CALIBRATION.decide(CALIBRATION.apply(np.zeros((0, 3)))).shape == (0, 3)


@pytest.mark.parametrize("values", [np.ones((2, 2)), np.ones(3), np.full((1, 3), np.nan), np.full((1, 3), 1.5)])
def test_probabilities_that_are_none_are_refused(values):
    with pytest.raises(DataError, match=r"shape|row 0"):
        CALIBRATION.apply(values)


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"slopes": [1], "intercepts": [0], "thresholds": [0.5, 0.5]},
        {"slopes": [-1], "intercepts": [0], "thresholds": [0.5]},
        {"slopes": [1], "intercepts": ["x"], "thresholds": [0.5]},
        {"slopes": [1], "intercepts": [float("nan")], "thresholds": [0.5]},
        {"slopes": [1], "intercepts": [0], "thresholds": [2]},
        {"slopes": 1, "intercepts": 0, "thresholds": 0.5},
        {"slopes": [], "intercepts": [], "thresholds": []},
    ],
)
def test_a_damaged_bundle_is_one_clear_error(content):
    with pytest.raises(BundleError, match="calibration"):
        Calibration.from_json(content)


def test_a_row_is_answered_when_its_whole_set_reaches_the_bar():
    calibration = Calibration((1.0,) * 2, (0.0,) * 2, (0.5,) * 2, bars=Bars((0.8, 0.9), (0.5, 0.7)))
    calibrated = np.array([[0.9, 0.1], [0.8, 0.3], [0.6, 0.4]])
    assert calibration.answers(calibrated, 0.8).tolist() == [True, True, False]
    assert calibration.answers(calibrated, 0.9).tolist() == [True, False, False]
    assert Calibration.from_json(json.loads(json.dumps(calibration.to_json()))) == calibration


@pytest.mark.parametrize(("x", "y"), [((), ()), ((0.2, 0.2), (0.1, 0.3)), ((0.1, 0.2), (0.4, 0.3)), ((0.1,), (1.2,))])
def test_a_curve_that_does_not_rise_is_refused(x, y):
    with pytest.raises(BundleError, match="must rise"):
        Curve(x, y)


@given(st.lists(st.tuples(*[st.floats(0, 1)] * 3), max_size=20))
@settings(max_examples=50, deadline=None)
def test_of_exclusive_labels_exactly_one_is_given_the_likeliest(rows):
    probabilities = np.array(rows).reshape(-1, 3)
    calibration = Calibration((1.0,) * 3, (0.0,) * 3, (0.9,) * 3, exclusive=True)
    given = calibration.decide(probabilities)
    assert (given.sum(axis=1) == 1).all()
    assert (probabilities[given] == probabilities.max(axis=1, initial=0.0)).all()


def test_of_equally_likely_labels_the_first_is_given():
    assert likeliest(np.array([[0.2, 0.4, 0.4]])).tolist() == [[False, True, False]]
