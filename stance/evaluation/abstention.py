"""Answering only where sure: calibrated probabilities and decisions enter; bars, and coverage against accuracy, leave.

An answer is the whole label set of an example, and it is right when the set is. Bars are fixed on validation; the curve
shows on test what they are worth (risk and coverage: El-Yaniv & Wiener 2010).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.bootstrap import DEFAULT, Interval, Resampling, Statistic, bootstrap_documents
from stance.evaluation.counts import document_index, ratio
from stance.models.thresholds import Bars, Calibration, confidence

ASKED = tuple(round(step / 100, 2) for step in range(50, 100))
FEWEST_ANSWERS = 30
SHOWN = (0.8, 0.9, 0.95)
STEPS = 20


@dataclass(frozen=True, slots=True)
class CoveragePoint:
    """`accuracy` is the share of wholly right answers among the surest `coverage` (share of examples, in (0, 1])."""

    coverage: float
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Abstaining:
    """What asking to be sure gives on the evaluated part: `n` answers, a `coverage` of all, and how many are right.

    `accuracy` is nan with nothing answered.
    """

    sure: float
    n: int
    coverage: float
    accuracy: Interval


def fit_bars(calibrated: NDArray[Any], predicted: NDArray[Any], gold: NDArray[Any], unit: NDArray[Any]) -> Bars:
    """Return, for every share of `ASKED` that validation reaches, the lowest bar on confidence that reaches it.

    A bar reaches a share when the accuracy of the answers above it, less one standard error over documents, is no
    lower: the best bar of many is lucky, and the next part is not. Arrays have shape `(n_examples, n_labels)`, `unit`
    `(n_examples,)`; bars that leave fewer than `FEWEST_ANSWERS` answers are not used.
    """
    sure = confidence(calibrated, predicted)
    right = (gold.astype(bool) == predicted).all(axis=1).astype(np.float64)
    candidates = np.unique(np.quantile(sure, np.linspace(0, 1, 101)))
    reached = np.array([_safe_accuracy(sure >= bar, right, unit) for bar in candidates])
    found = []
    for share in ASKED:
        places = np.flatnonzero(reached >= share)
        if len(places):
            found.append((share, float(candidates[places[0]])))
    return Bars(tuple(share for share, _ in found), tuple(bar for _, bar in found))


def _safe_accuracy(answered: NDArray[Any], right: NDArray[Any], unit: NDArray[Any]) -> float:
    """Accuracy less its standard error over documents (Taylor's, of a ratio); nan of too few answers."""
    n = int(answered.sum())
    owner = unit[answered]
    if n < FEWEST_ANSWERS or len(np.unique(owner)) < 2:
        return float("nan")
    accuracy = float(right[answered].mean())
    residual = np.bincount(owner, weights=right[answered] - accuracy)
    return accuracy - float(np.sqrt((residual**2).sum())) / n


def coverage_curve(calibrated: NDArray[Any], predicted: NDArray[Any], gold: NDArray[Any]) -> tuple[CoveragePoint, ...]:
    """Return points from full coverage down, in `STEPS` equal steps; examples of equal confidence stay together."""
    sure = confidence(calibrated, predicted)
    right = (gold.astype(bool) == predicted).all(axis=1)
    order = np.argsort(-sure, kind="stable")
    points: list[CoveragePoint] = []
    for n in np.unique(np.ceil(np.arange(1, STEPS + 1) / STEPS * len(sure)).astype(int))[::-1]:
        bar = float(sure[order[n - 1]])
        inside = sure >= bar
        point = CoveragePoint(float(inside.mean()), bar, float(right[inside].mean()))
        if not points or point != points[-1]:
            points.append(point)
    return tuple(points)


def score_abstaining(
    calibrated: NDArray[Any],
    gold: NDArray[Any],
    calibration: Calibration,
    documents: Sequence[str],
    resampling: Resampling = DEFAULT,
) -> tuple[Abstaining, ...]:
    """Return one row per share of `SHOWN` that the calibration has a bar for."""
    predicted = calibration.decide(calibrated)
    right = (gold.astype(bool) == predicted).all(axis=1)
    unit = document_index(documents, len(gold))
    rows = []
    for share in SHOWN:
        if not calibration.bars.sure or share > calibration.bars.sure[-1]:
            continue
        answered = calibration.answers(calibrated, share)
        n_units = int(unit.max()) + 1
        found = bootstrap_documents(_accuracy(answered, right, unit), n_units, resampling)[0]
        rows.append(Abstaining(share, int(answered.sum()), float(answered.mean()), found))
    return tuple(rows)


def _accuracy(answered: NDArray[Any], right: NDArray[Any], unit: NDArray[Any]) -> Statistic:
    """The share of right answers, for weights of documents."""
    n = np.bincount(unit, weights=answered)
    hits = np.bincount(unit, weights=answered & right)

    def statistic(weights: NDArray[Any]) -> NDArray[Any]:
        return ratio(weights @ hits, weights @ n)[:, None]

    return statistic
