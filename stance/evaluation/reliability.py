"""How far probabilities can be taken at their word: probabilities and gold enter; bins, errors and a table leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.metrics import check_shapes
from stance.models.thresholds import Calibration

BINS = 10
DRAWS = 100


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Examples of like probability: their number, mean probability, and share that is gold."""

    n: int
    probability: float
    rate: float


@dataclass(frozen=True, slots=True)
class CalibrationRow:
    """Calibration of one label, before and after. `ece` is `adaptive_ece`; Brier is the mean squared error.

    `ece_chance` is what the calibrated probabilities would show on so many examples if every one of them were true;
    `method` is one of `Calibration.methods`, and with "isotonic" slope and intercept are not used. `threshold` is nan
    where labels are exclusive, as none is used.
    """

    label: str
    method: str
    slope: float
    intercept: float
    threshold: float
    ece_before: float
    ece_after: float
    ece_chance: float
    brier_before: float
    brier_after: float

    @property
    def ece_excess(self) -> float:
        """The calibration error that chance does not explain, 0 or more."""
        return max(0.0, self.ece_after - self.ece_chance)


def reliability(probabilities: NDArray[Any], gold: NDArray[Any], bins: int = BINS) -> tuple[ReliabilityBin, ...]:
    """Return bins of about equal size, by rising probability, for one label; arrays have shape `(n_examples,)`.

    Equal probabilities share a bin, so there may be fewer than `bins`.
    """
    chosen = _bins(probabilities, bins)
    return tuple(
        ReliabilityBin(int(inside.sum()), float(probabilities[inside].mean()), float(gold[inside].mean()))
        for inside in (chosen == index for index in np.unique(chosen))
    )


def adaptive_ece(probabilities: NDArray[Any], gold: NDArray[Any], bins: int = BINS) -> float:
    """Return the expected calibration error over bins of equal size (Nixon et al. 2019), in [0, 1], for one label."""
    found = reliability(probabilities, gold, bins)
    return sum(each.n * abs(each.probability - each.rate) for each in found) / len(probabilities)


def chance_ece(probabilities: NDArray[Any], seed: int = 0, bins: int = BINS) -> float:
    """Return the mean `adaptive_ece` of probabilities that are true, for one label, shape `(n_examples,)`.

    Gold labels are drawn from the probabilities themselves (consistency resampling, Bröcker & Smith 2007): few examples
    look uncalibrated by luck alone, and this says how much.
    """
    ordered = np.sort(np.asarray(probabilities, dtype=np.float64))  # the answer must not hang on the order of rows
    chosen = np.unique(_bins(ordered, bins), return_inverse=True)[1]
    drawn = np.random.default_rng(seed).random((DRAWS, len(ordered))) < ordered
    starts = np.searchsorted(chosen, np.arange(chosen.max() + 1))
    gaps = np.add.reduceat(drawn - ordered, starts, axis=1)
    return float(np.abs(gaps).sum(axis=1).mean() / len(ordered))


def calibration_table(
    raw: NDArray[Any], gold: NDArray[Any], calibration: Calibration, labels: Sequence[str]
) -> tuple[CalibrationRow, ...]:
    """Return what calibration did per label, in label order, on the model's `raw` probabilities."""
    after = calibration.apply(raw)
    check_shapes(gold, after)
    return tuple(
        CalibrationRow(
            label=label,
            method=calibration.methods[j],
            slope=calibration.slopes[j],
            intercept=calibration.intercepts[j],
            threshold=nan if calibration.exclusive else calibration.thresholds[j],
            ece_before=adaptive_ece(raw[:, j].astype(np.float64), gold[:, j]),
            ece_after=adaptive_ece(after[:, j], gold[:, j]),
            ece_chance=chance_ece(after[:, j]),
            brier_before=float(np.mean((raw[:, j] - gold[:, j]) ** 2)),
            brier_after=float(np.mean((after[:, j] - gold[:, j]) ** 2)),
        )
        for j, label in enumerate(labels)
    )


def _bins(probabilities: NDArray[Any], bins: int) -> NDArray[Any]:
    edges = np.unique(np.quantile(probabilities, np.linspace(0, 1, bins + 1)[1:-1]))
    return np.asarray(np.searchsorted(edges, probabilities, side="right"))
