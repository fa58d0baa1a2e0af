"""What each step after the model adds: raw probabilities and a calibration enter; scores step by step leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.bootstrap import DEFAULT, Interval, Resampling, score_intervals
from stance.evaluation.reliability import adaptive_ece
from stance.models.thresholds import Calibration

SURE = 0.9


@dataclass(frozen=True, slots=True)
class Step:
    """Scores after one step. `coverage` is the share of examples answered; all else is of those.

    `ece` (adaptive) and `brier` are means over labels, of the probabilities that the step decides by.
    """

    step: str
    coverage: float
    n: int
    macro_f1: Interval
    micro_f1: Interval
    exact_match: Interval
    ece: float
    brier: float


def score_steps(
    raw: NDArray[Any],
    gold: NDArray[Any],
    calibration: Calibration,
    documents: Sequence[str],
    resampling: Resampling = DEFAULT,
) -> tuple[Step, ...]:
    """Return the steps in order: the model alone and calibrated, both decided at 0.5 (exclusive labels: for the
    likeliest, with which the step of thresholds falls away); thresholds; abstention.

    Arrays have shape `(n_examples, n_labels)`. Abstention asks for `SURE` of right answers, or for the most that
    validation reached below it; it is left out for a calibration without bars, or when nothing is answered.
    """
    calibrated = calibration.apply(raw)
    given = calibration.decide(calibrated)
    plain = replace(calibration, thresholds=(0.5,) * len(calibration.thresholds))
    every = np.ones(len(gold), dtype=bool)
    plans: list[tuple[str, NDArray[Any], NDArray[Any], NDArray[Any]]] = [
        ("model", raw, plain.decide(raw), every),
        ("calibrated", calibrated, plain.decide(calibrated), every),
    ]
    if not calibration.exclusive:
        plans.append(("thresholds", calibrated, given, every))
    if calibration.bars.sure:
        sure = min(SURE, calibration.bars.sure[-1])
        answered = calibration.answers(calibrated, sure)
        if answered.any():
            plans.append((f"sure {sure:g}", calibrated, given, answered))
    names = np.asarray(documents, dtype=str)
    return tuple(
        _score(name, (gold[rows], values[rows], decided[rows]), names[rows], resampling, float(rows.mean()))
        for name, values, decided, rows in plans
    )


def _score(
    name: str,
    rows: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
    documents: NDArray[Any],
    resampling: Resampling,
    coverage: float,
) -> Step:
    gold, probabilities, decided = rows
    labels = [str(j) for j in range(gold.shape[1])]
    found = score_intervals(gold, decided, list(documents), labels, resampling)
    errors = [adaptive_ece(probabilities[:, j], gold[:, j]) for j in range(gold.shape[1])]
    return Step(
        step=name,
        coverage=coverage,
        n=len(gold),
        macro_f1=found["macro_f1"],
        micro_f1=found["micro_f1"],
        exact_match=found["exact_match"],
        ece=float(np.mean(errors)),
        brier=float(np.mean((probabilities - gold) ** 2)),
    )
