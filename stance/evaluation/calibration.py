"""Fits what a bundle applies: validation probabilities and gold labels enter; a `Calibration` and its effect leave.

Only validation data belongs here: neither slopes nor thresholds may see the test part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.counts import document_index
from stance.evaluation.metrics import check_shapes
from stance.models.thresholds import Calibration, logit, sigmoid

SLOPE_SPREAD = 0.5  # prior standard deviation of log slope: about two labels in three keep 0.6–1.6
INTERCEPT_SPREAD = 1.0  # prior standard deviation of the intercept, in log-odds
GRID = np.linspace(0.1, 0.9, 161)  # a threshold beyond these bounds is luck of the validation part
BAGS = 200


@dataclass(frozen=True, slots=True)
class CalibrationRow:
    """Calibration of one label, before and after. `ece` is `adaptive_ece`; Brier is the mean squared error."""

    label: str
    slope: float
    intercept: float
    threshold: float
    ece_before: float
    ece_after: float
    brier_before: float
    brier_after: float


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Examples of like probability: their number, mean probability, and share that is gold."""

    n: int
    probability: float
    rate: float


def fit_calibration(
    probabilities: NDArray[Any], gold: NDArray[Any], groups: Sequence[str], *, seed: int = 0
) -> Calibration:
    """Fit slope, intercept and threshold per label; arrays have shape `(n_examples, n_labels)`, in label order.

    `groups` names the document of each row. A label that is always or never gold keeps slope 1, intercept 0 and
    threshold 0.5, as nothing can be learnt about it. Raises DataError for shapes that differ.
    """
    check_shapes(gold, probabilities)
    unit = document_index(groups, len(gold))
    fitted = [(1.0, 0.0, 0.5)] * gold.shape[1]
    for j in range(gold.shape[1]):
        truth = gold[:, j].astype(np.float64)
        if 0 < truth.sum() < len(truth):
            slope, intercept = _fit_platt(logit(probabilities[:, j]), truth)
            calibrated = sigmoid(slope * logit(probabilities[:, j]) + intercept)
            fitted[j] = (slope, intercept, _fit_threshold(calibrated, truth, unit, seed))
    slopes, intercepts, thresholds = zip(*fitted, strict=True)
    return Calibration(slopes, intercepts, thresholds)


def _fit_platt(scores: NDArray[Any], truth: NDArray[Any]) -> tuple[float, float]:
    """Platt scaling as a posterior mode: Gaussian priors on log slope and intercept pull a rare label to identity."""
    from scipy.optimize import minimize

    def loss(parameters: NDArray[Any]) -> tuple[float, NDArray[Any]]:
        log_slope, intercept = parameters
        scaled = np.exp(log_slope) * scores
        value = np.logaddexp(0.0, (1 - 2 * truth) * (scaled + intercept)).sum()
        residual = sigmoid(scaled + intercept) - truth
        gradient = [residual @ scaled + log_slope / SLOPE_SPREAD**2, residual.sum() + intercept / INTERCEPT_SPREAD**2]
        prior = (log_slope / SLOPE_SPREAD) ** 2 + (intercept / INTERCEPT_SPREAD) ** 2
        return float(value + prior / 2), np.array(gradient)

    log_slope, intercept = minimize(loss, np.zeros(2), jac=True, method="L-BFGS-B").x
    return float(np.exp(log_slope)), float(intercept)


def _fit_threshold(calibrated: NDArray[Any], truth: NDArray[Any], unit: NDArray[Any], seed: int) -> float:
    """Return the threshold for best F1, made steady in two ways, as the raw maximum follows single examples.

    Each example counts half by its label and half by its calibrated probability (the plug-in expected F1 of Lewis
    1995), and the best thresholds of resampled documents are averaged (bagging, Breiman 1996).
    """
    weight = (truth + calibrated) / 2
    given = (calibrated[:, None] >= GRID).astype(np.float64)
    n_units = int(unit.max()) + 1
    rows = np.column_stack([weight[:, None] * given, given, weight])  # expected hits, decisions; expected positives
    order = np.argsort(unit, kind="stable")
    per_unit = np.add.reduceat(rows[order], np.searchsorted(unit[order], np.arange(n_units)))
    draws = np.random.default_rng(seed).multinomial(n_units, np.full(n_units, 1 / n_units), size=BAGS)
    totals = draws @ per_unit
    hits, decided, positives = totals[:, : len(GRID)], totals[:, len(GRID) : -1], totals[:, -1:]
    f1 = 2 * hits / np.maximum(decided + positives, 1e-9)
    return float(GRID[f1.argmax(axis=1)].mean())


def reliability(probabilities: NDArray[Any], gold: NDArray[Any], bins: int = 10) -> tuple[ReliabilityBin, ...]:
    """Return bins of about equal size, by rising probability, for one label; arrays have shape `(n_examples,)`.

    Equal probabilities share a bin, so there may be fewer than `bins`.
    """
    edges = np.unique(np.quantile(probabilities, np.linspace(0, 1, bins + 1)[1:-1]))
    chosen = np.searchsorted(edges, probabilities, side="right")
    return tuple(
        ReliabilityBin(int(inside.sum()), float(probabilities[inside].mean()), float(gold[inside].mean()))
        for inside in (chosen == index for index in np.unique(chosen))
    )


def adaptive_ece(probabilities: NDArray[Any], gold: NDArray[Any], bins: int = 10) -> float:
    """Return the expected calibration error over bins of equal size (Nixon et al. 2019), in [0, 1], for one label."""
    found = reliability(probabilities, gold, bins)
    return sum(each.n * abs(each.probability - each.rate) for each in found) / len(probabilities)


def calibration_table(
    raw: NDArray[Any], gold: NDArray[Any], calibration: Calibration, labels: Sequence[str]
) -> tuple[CalibrationRow, ...]:
    """Return what calibration did per label, in label order, on the model's `raw` probabilities."""
    after = calibration.apply(raw)
    check_shapes(gold, after)
    return tuple(
        CalibrationRow(
            label=label,
            slope=calibration.slopes[j],
            intercept=calibration.intercepts[j],
            threshold=calibration.thresholds[j],
            ece_before=adaptive_ece(raw[:, j].astype(np.float64), gold[:, j]),
            ece_after=adaptive_ece(after[:, j], gold[:, j]),
            brier_before=float(np.mean((raw[:, j] - gold[:, j]) ** 2)),
            brier_after=float(np.mean((after[:, j] - gold[:, j]) ** 2)),
        )
        for j, label in enumerate(labels)
    )
