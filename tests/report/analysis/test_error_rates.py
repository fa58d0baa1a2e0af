"""Error rates from a bundle's own test scores."""

from types import SimpleNamespace

import numpy as np
import pytest

from stance.report.analysis.error_rates import ErrorRates, read_rates


def rates_of(metrics, labels=("yes",)):
    named = {f"test.{name}": value for name, value in metrics.items()}
    return read_rates(SimpleNamespace(manifest=SimpleNamespace(labels=labels, metrics=named)))


def test_precision_recall_and_support_give_the_rates():
    # 100 examples, 20 with the label: 15 of them found, 5 others called so too.
    found = rates_of({"n_examples": 100, "yes.support": 20, "yes.recall": 0.75, "yes.precision": 0.75})["yes"]
    assert found.hits == pytest.approx(15 / 20)
    assert found.alarms == pytest.approx(5 / 80)
    assert (found.with_label, found.without_label) == (20, 80)
    assert found.usable


def test_a_wide_stored_interval_counts_as_fewer_examples():
    half = 1.959964 * np.sqrt(0.75 * 0.25 / 5)  # the interval that five independent examples would give
    spread = {"yes.recall.low": 0.75 - half, "yes.recall.high": 0.75 + half}
    spread |= {"yes.precision.low": 0.75 - half, "yes.precision.high": 0.75 + half}
    found = rates_of({"n_examples": 100, "yes.support": 20, "yes.recall": 0.75, "yes.precision": 0.75} | spread)["yes"]
    assert found.with_label == pytest.approx(5)
    assert found.without_label == pytest.approx(80 * 5 / 20)


@pytest.mark.parametrize(
    "metrics",
    [
        {},
        {"n_examples": 100, "yes.support": 0, "yes.recall": 0.0},
        {"n_examples": 100, "yes.support": 20, "yes.recall": 0.0},  # never given: precision is undefined
        {"n_examples": 20, "yes.support": 20, "yes.recall": 0.9, "yes.precision": 1.0},
    ],
)
def test_without_both_kinds_of_examples_there_are_none(metrics):
    assert rates_of(metrics) == {}


def test_draws_scatter_around_the_rates_as_their_numbers_allow():
    generator = np.random.default_rng(1)
    hits, alarms = ErrorRates(0.75, 0.05, 80, 400).draw(20_000, generator)
    assert hits.mean() == pytest.approx(0.75, abs=0.01)
    assert hits.std() == pytest.approx(np.sqrt(0.75 * 0.25 / 80), rel=0.05)
    assert alarms.mean() == pytest.approx(0.05, abs=0.005)
    assert not ErrorRates(0.3, 0.1, 80, 400).usable
