import numpy as np
import pytest

from stance.errors import BundleError, DataError
from stance.evaluation.abstention import coverage_curve, fit_bars, score_abstaining
from stance.evaluation.bootstrap import Resampling
from stance.evaluation.calibration import fit_calibration
from stance.models.thresholds import Bars, Calibration, confidence


def draw(seed, n=1_500):
    """Probabilities of two labels that come true as often as they say; five rows to a document."""
    rng = np.random.default_rng(seed)
    chances = rng.beta(0.6, 1.4, (n, 2))
    gold = (rng.random((n, 2)) < chances).astype(np.int8)
    return chances, gold, np.repeat(np.arange(n // 5), 5)


def test_confidence_is_the_chance_of_the_whole_set():
    calibrated = np.array([[0.9, 0.2], [0.4, 0.4]])
    assert confidence(calibrated, np.array([[True, False], [True, False]])) == pytest.approx([0.9 * 0.8, 0.4 * 0.6])


def test_bars_fixed_on_one_part_keep_their_word_on_the_next():
    """One standard error of caution: about five parts in six reach the share that was asked for."""
    kept = []
    for seed in range(40):
        chances, gold, unit = draw(seed, 600)
        calibration = Calibration((1.0,) * 2, (0.0,) * 2, (0.5,) * 2)
        bars = fit_bars(chances, calibration.decide(chances), gold, unit)
        fresh, fresh_gold, _ = draw(1_000 + seed, 6_000)
        answered = Calibration((1.0,) * 2, (0.0,) * 2, (0.5,) * 2, bars=bars).answers(fresh, 0.8)
        right = (calibration.decide(fresh) == fresh_gold.astype(bool)).all(axis=1)
        kept.append(right[answered].mean() >= 0.8)
    assert 0.7 <= np.mean(kept) <= 1


def test_surer_answers_are_fewer_and_oftener_right():
    chances, gold, unit = draw(1)
    groups = [f"d{one}" for one in unit]
    calibration = fit_calibration(chances, gold, groups)
    fresh, fresh_gold, _ = draw(2)
    rows = score_abstaining(calibration.apply(fresh), fresh_gold, calibration, groups, Resampling(200))
    assert [each.sure for each in rows] == [0.8, 0.9, 0.95]
    assert rows[0].coverage > rows[1].coverage > rows[2].coverage > 0
    assert rows[0].accuracy.estimate < rows[1].accuracy.estimate < rows[2].accuracy.estimate
    for row in rows:
        assert row.accuracy.low < row.accuracy.estimate < row.accuracy.high
        assert row.accuracy.high > row.sure


def test_the_curve_starts_with_every_example_and_keeps_equal_ones_together():
    chances, gold, _ = draw(3, 500)
    given = chances >= 0.5
    curve = coverage_curve(chances, given, gold)
    assert curve[0].coverage == 1
    assert curve[0].accuracy == pytest.approx((gold.astype(bool) == given).all(axis=1).mean())
    assert curve[-1].accuracy > curve[0].accuracy
    same = coverage_curve(np.full((40, 1), 0.3), np.zeros((40, 1), bool), np.zeros((40, 1), np.int8))
    assert [(point.coverage, point.accuracy) for point in same] == [(1.0, 1.0)]


def test_a_share_between_two_takes_the_next_up_and_one_out_of_reach_is_refused():
    bars = Bars((0.8, 0.9), (0.5, 0.7))
    assert [bars.at(share) for share in (0.5, 0.8, 0.81, 0.9)] == [0.5, 0.5, 0.7, 0.7]
    with pytest.raises(DataError, match=r"right 0\.90 of the time at most, not 0\.95"):
        bars.at(0.95)
    for share in (0, 1, 1.5, -0.2):
        with pytest.raises(DataError, match="above 0 and below 1"):
            bars.at(share)
    with pytest.raises(DataError, match="holds no bars"):
        Bars().at(0.9)
    with pytest.raises(BundleError, match="rise together"):
        Bars((0.8, 0.9), (0.7, 0.5))


def test_too_few_answers_make_no_bar():
    chances, gold, unit = draw(4, 25)
    assert fit_bars(chances, chances >= 0.5, gold, unit) == Bars()
