"""Fits what a bundle applies: validation probabilities and gold labels enter; a `Calibration` and its effect leave.

Only validation data belongs here: neither calibrators, thresholds nor bars may see the test part. The method of each
label is chosen by cross-fitting over documents, and thresholds and bars are fixed on probabilities that come from
calibrators which did not see them, as those of the fit itself look surer than they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.abstention import fit_bars
from stance.evaluation.calibrators import METHODS, Calibrator
from stance.evaluation.counts import document_index
from stance.evaluation.metrics import check_shapes, score_overall
from stance.models.thresholds import Calibration, likeliest

FOLDS = 5
GRID = np.linspace(0.1, 0.9, 161)  # a threshold beyond these bounds is luck of the validation part
BAGS = 200
LEAST = 1e-6  # the log loss of a probability nearer to 0 or 1 than this is no evidence between methods


@dataclass(frozen=True, eq=False)
class CalibrationFit:
    """A calibration, and what it would have said of validation examples that it had not seen.

    `gold`, `probabilities` (float64) and `predicted` (bool) have shape `(n_examples, n_labels)`; the latter two are out
    of fold, so they score a model on validation without flattering it. `losses` holds, per label, the cross-fitted log
    loss of every method, by name; empty for a label that never varies.
    """

    calibration: Calibration
    gold: NDArray[Any]
    probabilities: NDArray[Any]
    predicted: NDArray[Any]
    losses: tuple[dict[str, float], ...]

    def flat(self, prefix: str) -> dict[str, float]:
        """Return `<prefix>.macro_f1` and the other overall scores of the held-out decisions, where defined."""
        scores = asdict(score_overall(self.gold, self.predicted, self.probabilities))
        return {f"{prefix}.{name}": value for name, value in scores.items() if isfinite(value)}


@dataclass(frozen=True, slots=True)
class _LabelFit:
    calibrator: Calibrator
    threshold: float
    probabilities: NDArray[Any]
    predicted: NDArray[Any]
    losses: dict[str, float]


def fit_calibration(
    probabilities: NDArray[Any], gold: NDArray[Any], groups: Sequence[str], *, seed: int = 0
) -> Calibration:
    """Fit calibrator and threshold per label, and the bars of abstaining; see `cross_fit`."""
    return cross_fit(probabilities, gold, groups, seed=seed).calibration


def cross_fit(
    probabilities: NDArray[Any], gold: NDArray[Any], groups: Sequence[str], *, seed: int = 0, exclusive: bool = False
) -> CalibrationFit:
    """Fit a calibration on validation; arrays have shape `(n_examples, n_labels)`, in label order.

    `groups` names the document of each row. Platt scaling is used unless temperature or isotonic calibration has a
    cross-fitted log loss lower by more than one standard error over documents. A label that is always or never gold
    keeps slope 1, intercept 0 and threshold 0.5, as nothing can be learnt about it. Of `exclusive` labels the likeliest
    is given, so that none gets a threshold of its own. Raises DataError for shapes that
    differ.
    """
    check_shapes(gold, probabilities)
    unit = document_index(groups, len(gold))
    raw = np.asarray(probabilities, dtype=np.float64)
    fits = [_fit_label(raw[:, j], gold[:, j].astype(np.float64), unit, seed) for j in range(gold.shape[1])]
    held_out = np.column_stack([fit.probabilities for fit in fits])
    predicted = likeliest(held_out) if exclusive else np.column_stack([fit.predicted for fit in fits])
    curves = tuple(fit.calibrator.curve for fit in fits)
    calibration = Calibration(
        slopes=tuple(fit.calibrator.slope for fit in fits),
        intercepts=tuple(fit.calibrator.intercept for fit in fits),
        thresholds=tuple(0.5 if exclusive else fit.threshold for fit in fits),
        curves=curves if any(curves) else (),
        bars=fit_bars(held_out, predicted, gold, unit),
        exclusive=exclusive,
    )
    return CalibrationFit(calibration, np.asarray(gold), held_out, predicted, tuple(fit.losses for fit in fits))


def _fit_label(raw: NDArray[Any], truth: NDArray[Any], unit: NDArray[Any], seed: int) -> _LabelFit:
    if not 0 < truth.sum() < len(truth):
        return _LabelFit(Calibrator(), 0.5, raw, raw >= 0.5, {})
    folds = assign_folds(truth, unit, seed)
    held_out = {name: np.empty(len(raw)) for name in METHODS}
    for fold in np.unique(folds):
        inside = folds == fold
        for name, fit in METHODS.items():
            # One document alone cannot be held out from itself; it is then scored by its own fit.
            seen = ~inside if not inside.all() else inside
            held_out[name][inside] = fit(raw[seen], truth[seen])(raw[inside])
    losses = {name: _log_loss(values, truth) for name, values in held_out.items()}
    chosen = _choose(losses, unit)
    probabilities = held_out[chosen]
    predicted = np.empty(len(raw), dtype=bool)
    for fold in np.unique(folds):
        inside = folds == fold
        seen = ~inside if not inside.all() else inside
        threshold = _fit_threshold(probabilities[seen], truth[seen], unit[seen], seed)
        predicted[inside] = probabilities[inside] >= threshold
    return _LabelFit(
        calibrator=METHODS[chosen](raw, truth),
        threshold=_fit_threshold(probabilities, truth, unit, seed),
        probabilities=probabilities,
        predicted=predicted,
        losses={name: float(values.mean()) for name, values in losses.items()},
    )


def assign_folds(truth: NDArray[Any], unit: NDArray[Any], seed: int) -> NDArray[np.int64]:
    """Return the fold of each row, shape `(n_examples,)`: whole documents, those with gold rows spread evenly."""
    n_units = int(unit.max()) + 1
    held = np.bincount(unit, weights=truth, minlength=n_units) > 0
    shuffled = np.random.default_rng(seed).permutation(n_units)
    order = np.concatenate([shuffled[held[shuffled]], shuffled[~held[shuffled]]])
    folds = np.empty(n_units, dtype=np.int64)
    folds[order] = np.arange(n_units) % FOLDS
    return np.asarray(folds[unit])


def _log_loss(probabilities: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
    clipped = np.clip(probabilities, LEAST, 1 - LEAST)
    return np.asarray(-np.where(truth > 0, np.log(clipped), np.log1p(-clipped)))


def _choose(losses: dict[str, NDArray[np.float64]], unit: NDArray[Any]) -> str:
    """The method to use: the first, unless another's advantage over it is more than one standard error."""
    first, *others = losses
    best, most = first, 0.0
    for name in others:
        gain = losses[first] - losses[name]
        per_document = np.bincount(unit, weights=gain - gain.mean())
        error = np.sqrt((per_document**2).sum()) / len(gain)
        if gain.mean() > max(error, most):
            best, most = name, float(gain.mean())
    return best


def _fit_threshold(calibrated: NDArray[Any], truth: NDArray[Any], unit: NDArray[Any], seed: int) -> float:
    """Return the threshold for best F1, made steady in two ways, as the raw maximum follows single examples.

    Each example counts half by its label and half by its calibrated probability (the plug-in expected F1 of Lewis
    1995), and the best thresholds of resampled documents are averaged (bagging, Breiman 1996).
    """
    weight = (truth + calibrated) / 2
    given = (calibrated[:, None] >= GRID).astype(np.float64)
    names = np.unique(unit)
    rows = np.column_stack([weight[:, None] * given, given, weight])  # expected hits, decisions; expected positives
    order = np.argsort(unit, kind="stable")
    per_unit = np.add.reduceat(rows[order], np.searchsorted(unit[order], names))
    draws = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=BAGS)
    totals = draws @ per_unit
    hits, decided, positives = totals[:, : len(GRID)], totals[:, len(GRID) : -1], totals[:, -1:]
    f1 = 2 * hits / np.maximum(decided + positives, 1e-9)
    return float(GRID[f1.argmax(axis=1)].mean())
