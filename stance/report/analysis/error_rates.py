"""How often the model errs. The bundle that predicted enters; hit and false-alarm rates per label leave.

A bundle holds its own test scores: with N test examples, S of them with a label, precision P and recall R, the label
was given rightly R·S times and wrongly R·S·(1 − P)/P times. Nothing else is needed to correct a count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.errors import DataError
from stance.models.bundle import Bundle
from stance.report.analysis.predictions import PredictedTask, Predictions

LEAST = 0.25
"""Least distance of hit rate and false-alarm rate: with less, dividing by it blows up noise (Forman 2008, §4)."""

_NORMAL = 1.959964  # half the width of a 95% interval, in standard deviations
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class ErrorRates:
    """Rates of one label on the model's test part, in [0, 1].

    `hits` is the share of examples with the label that get it, `alarms` of those without it that get it too. Each rests
    on as many independent examples as `with_label` and `without_label` say: fewer than there were, because sentences
    of one document depend on each other (the stored intervals are over documents, and tell how much).
    """

    hits: float
    alarms: float
    with_label: float
    without_label: float

    @property
    def usable(self) -> bool:
        """Whether a count can be corrected by them."""
        return self.hits - self.alarms >= LEAST

    def draw(self, size: int, generator: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return `size` plausible hit rates and false-alarm rates: draws from Beta posteriors with Jeffreys' prior."""
        hits = generator.beta(self.hits * self.with_label + 0.5, (1 - self.hits) * self.with_label + 0.5, size)
        alarms = generator.beta(
            self.alarms * self.without_label + 0.5, (1 - self.alarms) * self.without_label + 0.5, size
        )
        return hits, alarms


def read_rates(bundle: Bundle) -> dict[str, ErrorRates]:
    """Return the rates of every label that the bundle has test scores for; none for a model that was not tested."""
    metrics = {name: value for name, value in bundle.manifest.metrics.items() if value is not None}
    found = {label: _of_label(metrics, label) for label in bundle.manifest.labels}
    return {label: rates for label, rates in found.items() if rates is not None}


def check_source(predictions: Predictions, task: PredictedTask, bundle: Bundle) -> None:
    """Raise DataError unless this bundle turns the probabilities into the labels that were given."""
    if task.labels != bundle.manifest.labels:
        raise DataError(
            f"the model's labels for '{task.name}' are {', '.join(bundle.manifest.labels)}, the predictions' "
            f"{', '.join(task.labels)}; give the model that predicted"
        )
    own = predictions.frame.loc[predictions.frame[task.name].notna()]
    chances = own[[f"{task.name}.{label}" for label in task.labels]].astype(float).to_numpy()
    for j, label in enumerate(task.labels):
        chance, said = chances[:, j], f"from {bundle.calibration.thresholds[j]:.4f} on"
        given = own[task.name].map(lambda labels, label=label: label in labels).to_numpy(dtype=bool)
        bar: Any = bundle.calibration.thresholds[j]
        if bundle.calibration.exclusive:
            bar, said = chances.max(axis=1, initial=0.0), "where it is the likeliest"
        if len(own) and ((chance < bar - _ROUNDING) & given | (chance > bar + _ROUNDING) & ~given).any():
            raise DataError(
                f"the predictions of '{task.name}' were not made by this model: it gives '{label}' {said}, "
                "they do not; give the model that predicted with --model"
            )


def _of_label(metrics: Mapping[str, float], label: str) -> ErrorRates | None:
    n, support = metrics.get("test.n_examples", 0.0), metrics.get(f"test.{label}.support", 0.0)
    recall, precision = metrics.get(f"test.{label}.recall"), metrics.get(f"test.{label}.precision")
    if not 0 < support < n or recall is None or not precision:
        return None
    given = recall * support / precision
    with_label = _independent(metrics, f"test.{label}.recall", support)
    share = _independent(metrics, f"test.{label}.precision", given) / given
    rest = n - support
    return ErrorRates(recall, min(given * (1 - precision) / rest, 1.0), with_label, max(rest * share, 1.0))


def _independent(metrics: Mapping[str, float], name: str, n: float) -> float:
    """How many independent examples would give a share the interval that it has, at most `n` (Kish's effective n)."""
    share = metrics[name]
    width = metrics.get(f"{name}.high", share) - metrics.get(f"{name}.low", share)
    if width <= 0 or not 0 < share < 1:
        return n
    return float(min(n, max(share * (1 - share) / (width / (2 * _NORMAL)) ** 2, 1.0)))
