"""Counts corrected for a classifier's errors: by hand, and against a simulation in which the truth is known."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stance.evaluation.bootstrap import Resampling
from stance.report.analysis.error_rates import ErrorRates
from stance.report.analysis.prevalence import adjust, estimate

PLAN = Resampling(resamples=400, seed=3)
EXACT = ErrorRates(0.8, 0.1, 1e9, 1e9)


def rows_of(answers, units=None):
    units = units or [f"d{k}" for k in range(len(answers))]
    return pd.DataFrame({"group": "all", "unit": units, "given": answers})


def simulate(prevalence, documents, generator):
    """Answers of a classifier that finds 75% and invents 8%, and what its test part of 480 examples says of it.

    Documents differ: the share within one is drawn around the prevalence, so that sentences depend on each other.
    """
    given, units = [], []
    for document in range(documents):
        size, share = generator.integers(3, 13), generator.beta(4 * prevalence, 4 * (1 - prevalence))
        truth = generator.random(size) < share
        labelled = generator.random(size) < np.where(truth, 0.75, 0.08)
        given += [["yes"] if each else ["none"] for each in labelled]
        units += [f"d{document}"] * size
    hits, alarms = generator.binomial(80, 0.75) / 80, generator.binomial(400, 0.08) / 400
    return rows_of(given, units), {"yes": ErrorRates(hits, alarms, 80, 400)}


def test_a_count_is_corrected_as_forman_says():
    rows = rows_of([["yes"]] * 38 + [["none"]] * 62)
    found = estimate(rows, ["group"], ["yes", "none"], {"yes": EXACT}, PLAN).set_index("label")
    assert found.loc["yes", ["n", "documents", "count"]].tolist() == [100, 100, 38]
    assert found.loc["yes", "share"] == pytest.approx(0.38)
    assert found.loc["yes", "corrected"] == pytest.approx((0.38 - 0.1) / (0.8 - 0.1))
    # 1.96 standard errors of 38 in 100, and as much more as the division makes of them.
    assert found.loc["yes", "high"] - found.loc["yes", "low"] == pytest.approx(2 * 1.96 * 0.0485 / 0.7, rel=0.15)
    assert np.isnan(found.loc["none", "corrected"])
    assert found.loc["none", "low"] < 0.62 < found.loc["none", "high"]


def test_rates_that_lie_close_together_correct_nothing():
    weak = ErrorRates(0.3, 0.1, 100, 100)
    found = estimate(rows_of([["yes"], ["none"]] * 5), ["group"], ["yes"], {"yes": weak}, PLAN).iloc[0]
    assert (found["share"], np.isnan(found["corrected"])) == (0.5, True)


def test_few_documents_have_no_interval_and_none_given_has_one():
    four = estimate(rows_of([["yes"], ["none"]] * 6, list("abcd") * 3), ["group"], ["yes"], {}, PLAN).iloc[0]
    assert (four["documents"], np.isnan(four["low"]), np.isnan(four["high"])) == (4, True, True)
    never = estimate(rows_of([["none"]] * 20), ["group"], ["yes"], {}, PLAN).iloc[0]
    assert never["low"] == never["share"] == 0
    assert 0.05 < never["high"] < 0.25  # 20 documents without it do not show that there is none


def test_copies_drawn_together_widen_the_interval():
    answers = [["yes"], ["none"]] * 20
    alone = estimate(rows_of(answers), ["group"], ["yes"], {}, PLAN).iloc[0]
    units = [f"d{k // 8 * 2 + k % 2}" for k in range(40)]  # each text four times
    copied = estimate(rows_of(answers, units), ["group"], ["yes"], {}, PLAN).iloc[0]
    assert copied["high"] - copied["low"] > 1.5 * (alone["high"] - alone["low"])


def test_groups_keep_their_own_numbers():
    rows = pd.DataFrame({"actor": ["A", "B", "A"], "unit": ["x", "x", "y"], "given": [["yes"], ["none"], ["none"]]})
    found = estimate(rows, ["actor"], ["yes"], {}, PLAN)
    assert found[["actor", "n", "documents", "count", "share"]].values.tolist() == [
        ["A", 2, 2, 1, 0.5],
        ["B", 1, 1, 0, 0],
    ]
    empty = estimate(rows.iloc[:0], ["actor"], ["yes"], {}, PLAN)
    assert len(empty) == 0


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.3, 1), st.floats(0, 0.25))
def test_correction_keeps_order_and_bounds(one, other, hits, alarms):
    low, high = adjust(min(one, other), hits, alarms), adjust(max(one, other), hits, alarms)
    assert 0 <= low <= high <= 1
    assert adjust(one * hits + (1 - one) * alarms, hits, alarms) == pytest.approx(one, abs=1e-6) or hits - alarms < 0.06


@pytest.mark.slow
@pytest.mark.parametrize(("prevalence", "documents"), [(0.1, 60), (0.4, 60), (0.3, 12)])
def test_a_known_prevalence_is_recovered_and_intervals_cover_it(prevalence, documents):
    generator = np.random.default_rng(17)
    found, plain = [], []
    for _ in range(300):
        rows, rates = simulate(prevalence, documents, generator)
        found.append(estimate(rows, ["group"], ["yes"], rates, PLAN).iloc[0])
        plain.append(found[-1]["share"])
    corrected = np.mean([each["corrected"] for each in found])
    covered = np.mean([each["low"] <= prevalence <= each["high"] for each in found])
    counted = 0.75 * prevalence + 0.08 * (1 - prevalence)
    assert np.mean(plain) == pytest.approx(counted, abs=0.015)  # as counted it is wrong, in a known way
    assert corrected == pytest.approx(prevalence, abs=0.015)
    assert 0.9 <= covered <= 0.985  # 95% but for three standard errors of 300 runs, and for few documents
