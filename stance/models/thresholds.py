"""Calibration and thresholds as a bundle carries them: model probabilities enter, calibrated ones and decisions leave.

Only numpy, so that a bundle applies them without the training side. They are fitted in `stance.evaluation.calibration`
and `stance.evaluation.abstention`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
class Curve:
    """A rising line through points: model probabilities `x` and what they are worth, `y`; level beyond both ends.

    Raises BundleError for points that do not rise, or lie outside [0, 1].
    """

    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        x, y = np.asarray(self.x), np.asarray(self.y)
        within = len(x) == len(y) > 0 and bool(((x >= 0) & (x <= 1) & (y >= 0) & (y <= 1)).all())
        if not within or (np.diff(x) <= 0).any() or (np.diff(y) < 0).any():
            raise BundleError("calibration: the points of a curve must rise within [0, 1]; fit it again")

    def __call__(self, probabilities: NDArray[Any]) -> NDArray[np.float64]:
        return np.asarray(np.interp(probabilities, self.x, self.y))


@dataclass(frozen=True, slots=True)
class Bars:
    """How sure a label set must be. `sure` are shares of right answers, rising; `bars` the confidence that each takes.

    Shares that validation did not reach are not listed. Raises BundleError for numbers that do not rise.
    """

    sure: tuple[float, ...] = ()
    bars: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        unequal = len(self.sure) != len(self.bars)
        if unequal or (np.diff(self.sure) <= 0).any() or (np.diff(self.bars) < 0).any():
            raise BundleError("calibration: bars and the shares that they stand for must rise together; fit them again")

    def at(self, sure: float) -> float:
        """Return the bar for a share of right answers in (0, 1), that of the next share up.

        Raises DataError for another number, for a share that was not reached, and where no bars were fitted.
        """
        if not 0 < sure < 1:
            raise DataError(f"sure is {sure}; give the share of answers that must be right, above 0 and below 1")
        if not self.sure:
            raise DataError("this model holds no bars to abstain by (older, or of small validation); train again")
        place = int(np.searchsorted(self.sure, sure - 1e-9))
        if place == len(self.sure):
            raise DataError(f"on validation this model was right {self.sure[-1]:.2f} of the time at most, not {sure}")
        return self.bars[place]


@dataclass(frozen=True, slots=True)
class Calibration:
    """One slope, intercept and threshold per label, in label order; where a label has a curve, that takes their place.

    A calibrated probability is `sigmoid(slope * logit(p) + intercept)`, or `curve(p)`. Slopes are positive and curves
    rise, so the ranking of examples within a label never turns. A label is given where its calibrated probability
    reaches the threshold; where labels are `exclusive` (the codebook's task says so) thresholds are not used, and the
    likeliest label is given, exactly one. `curves` is empty or holds one entry per label; `bars` is what abstaining
    goes by. Raises BundleError for fields of unequal length or values out of range.
    """

    slopes: tuple[float, ...]
    intercepts: tuple[float, ...]
    thresholds: tuple[float, ...]
    curves: tuple[Curve | None, ...] = ()
    bars: Bars = Bars()
    exclusive: bool = False

    def __post_init__(self) -> None:
        if not len(self.slopes) == len(self.intercepts) == len(self.thresholds) > 0:
            raise BundleError("calibration: slopes, intercepts and thresholds must hold one number per label each")
        if not np.isfinite([self.slopes, self.intercepts, self.thresholds]).all():
            raise BundleError("calibration: a slope, intercept or threshold is not a finite number; fit it again")
        if min(self.slopes) <= 0 or not all(0 <= threshold <= 1 for threshold in self.thresholds):
            raise BundleError("calibration: slopes must be above 0 and thresholds in [0, 1]; fit it again")
        if self.curves and len(self.curves) != len(self.slopes):
            raise BundleError("calibration: curves must hold one entry per label, or none at all; fit it again")

    @classmethod
    def identity(cls, n_labels: int, exclusive: bool = False) -> Self:
        """Return the calibration that changes nothing and decides at 0.5, or for the likeliest of exclusive labels."""
        return cls((1.0,) * n_labels, (0.0,) * n_labels, (0.5,) * n_labels, exclusive=exclusive)

    @property
    def methods(self) -> tuple[str, ...]:
        """How each label is calibrated: "isotonic", "platt", "temperature" (slope alone) or "none"."""
        curves = self.curves or (None,) * len(self.slopes)
        named = []
        for slope, intercept, curve in zip(self.slopes, self.intercepts, curves, strict=True):
            plain = "platt" if intercept else "none" if slope == 1 else "temperature"
            named.append("isotonic" if curve else plain)
        return tuple(named)

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
        calibrated = sigmoid(logit(values) * np.asarray(self.slopes) + np.asarray(self.intercepts))
        for j, curve in enumerate(self.curves):
            if curve is not None:
                calibrated[:, j] = curve(values[:, j])
        return calibrated

    def decide(self, calibrated: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which labels are given, bool, shape `(n_examples, n_labels)`, from calibrated probabilities."""
        if self.exclusive:
            return likeliest(calibrated)
        return np.asarray(np.asarray(calibrated) >= np.asarray(self.thresholds))

    def answers(self, calibrated: NDArray[Any], sure: float) -> NDArray[np.bool_]:
        """Return which examples are answered, bool, shape `(n_examples,)`, when a share `sure` should be wholly right.

        Raises DataError where `Bars.at` does.
        """
        return np.asarray(confidence(calibrated, self.decide(calibrated)) >= self.bars.at(sure))

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready mapping; `from_json` is its inverse, to the last digit, but for `exclusive`: the codebook
        holds that."""
        numbers = {name: [float(value) for value in getattr(self, name)] for name in _NUMBERS}
        curves = [None if each is None else {"x": list(each.x), "y": list(each.y)} for each in self.curves]
        return {**numbers, "curves": curves, "bars": {"sure": list(self.bars.sure), "bars": list(self.bars.bars)}}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Build a calibration from what `to_json` wrote; raises BundleError for a missing or unusable field."""
        try:
            numbers = [tuple(map(float, content[name])) for name in _NUMBERS]
            curves = [None if each is None else Curve(*_floats(each, "x", "y")) for each in content.get("curves", ())]
            bars = Bars(*_floats(content["bars"], "sure", "bars")) if "bars" in content else Bars()
            return cls(numbers[0], numbers[1], numbers[2], tuple(curves), bars)
        except (KeyError, TypeError, ValueError) as error:
            raise BundleError(f"calibration: field missing or not a list of numbers: {error}") from error


_NUMBERS = ("slopes", "intercepts", "thresholds")


def likeliest(probabilities: NDArray[Any]) -> NDArray[np.bool_]:
    """Return True for the likeliest label of every example alone, bool, shaped like `probabilities`.

    Of equal ones it is the first in label order, as with `numpy.argmax`.
    """
    values = np.asarray(probabilities)
    given = np.zeros(values.shape, dtype=np.bool_)
    given[np.arange(len(values)), values.argmax(axis=1)] = True
    return given


def confidence(calibrated: NDArray[Any], given: NDArray[Any]) -> NDArray[np.float64]:
    """Return the probability that a whole label set is right, shape `(n_examples,)`, were labels independent.

    They are not, so it only ranks examples; `Bars` say what it is worth.
    """
    return np.asarray(np.where(given, calibrated, 1 - np.asarray(calibrated)).prod(axis=1))


def _floats(content: Mapping[str, Any], *names: str) -> list[tuple[float, ...]]:
    return [tuple(map(float, content[name])) for name in names]
