"""Calibration and thresholds as a bundle carries them: model probabilities enter, calibrated ones and decisions leave.

Only numpy, so that a bundle applies them without the training side. They are fitted in `stance.evaluation.calibration`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from stance.errors import BundleError, DataError

EPSILON = 1e-7
"""Probabilities are kept this far from 0 and 1 before the logit; just above the resolution of float32 near 1."""


def logit(probabilities: NDArray[Any]) -> NDArray[np.float64]:
    """Return log-odds, float64, finite also at 0 and 1 (see `EPSILON`)."""
    clipped = np.clip(np.asarray(probabilities, dtype=np.float64), EPSILON, 1 - EPSILON)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))


def sigmoid(scores: NDArray[Any]) -> NDArray[np.float64]:
    """Return the inverse of `logit`, without overflow for scores of any size."""
    return np.asarray(np.exp(-np.logaddexp(0.0, -np.asarray(scores, dtype=np.float64))))


@dataclass(frozen=True, slots=True)
class Calibration:
    """One slope, intercept and threshold per label, in label order.

    A calibrated probability is `sigmoid(slope * logit(p) + intercept)`. Slopes are positive, so the ranking of
    examples within a label never changes. A label is given where its calibrated probability reaches the threshold.
    Raises BundleError for fields of unequal length or values out of range.
    """

    slopes: tuple[float, ...]
    intercepts: tuple[float, ...]
    thresholds: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(self.slopes) == len(self.intercepts) == len(self.thresholds) > 0:
            raise BundleError("calibration: slopes, intercepts and thresholds must hold one number per label each")
        if not np.isfinite([self.slopes, self.intercepts, self.thresholds]).all():
            raise BundleError("calibration: a slope, intercept or threshold is not a finite number; fit it again")
        if min(self.slopes) <= 0 or not all(0 <= threshold <= 1 for threshold in self.thresholds):
            raise BundleError("calibration: slopes must be above 0 and thresholds in [0, 1]; fit it again")

    @classmethod
    def identity(cls, n_labels: int) -> Self:
        """Return the calibration that changes nothing and decides at 0.5."""
        return cls((1.0,) * n_labels, (0.0,) * n_labels, (0.5,) * n_labels)

    def apply(self, probabilities: NDArray[Any]) -> NDArray[np.float64]:
        """Return calibrated probabilities, float64, shape `(n_examples, n_labels)` like the input.

        Raises DataError for another number of columns, or for a value that is not a number in [0, 1].
        """
        values = np.asarray(probabilities, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != len(self.slopes):
            raise DataError(f"probabilities have shape {values.shape}; expected (n_examples, {len(self.slopes)})")
        if not ((values >= 0) & (values <= 1)).all():
            row = int(np.flatnonzero(~((values >= 0) & (values <= 1)).all(axis=1))[0])
            raise DataError(f"probabilities of row {row} (0-based) are not all in [0, 1]: {values[row].tolist()}")
        return sigmoid(logit(values) * np.asarray(self.slopes) + np.asarray(self.intercepts))

    def decide(self, calibrated: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which labels are given, bool, shape `(n_examples, n_labels)`, from calibrated probabilities."""
        return np.asarray(np.asarray(calibrated) >= np.asarray(self.thresholds))

    def to_json(self) -> dict[str, list[float]]:
        """Return a JSON-ready mapping; `from_json` is its inverse, to the last digit."""
        return {name: [float(value) for value in values] for name, values in asdict(self).items()}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Build a calibration from what `to_json` wrote; raises BundleError for a missing or unusable field."""
        try:
            return cls(*(tuple(map(float, content[name])) for name in ("slopes", "intercepts", "thresholds")))
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"calibration: field missing or not a list of numbers: {error}") from error
