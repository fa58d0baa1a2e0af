"""Point scores of one system: gold labels, decisions and probabilities enter; scores per label and overall leave.

scikit-learn computes them, with `zero_division=0`: precision of a label that is never predicted, recall of one that is
never gold, and F1 of one that is neither, are 0 and count in macro averages, so a lost label can't look fine.
Intervals for the same scores come from `stance.evaluation.bootstrap`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan, nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.errors import DataError


@dataclass(frozen=True, slots=True)
class LabelScore:
    """Scores of one label. `support` and `predicted` count rows; `prevalence` is support over all rows.

    `average_precision` is nan for a label without gold rows, where it has no meaning.
    """

    label: str
    support: int
    predicted: int
    prevalence: float
    precision: float
    recall: float
    f1: float
    average_precision: float


@dataclass(frozen=True, slots=True)
class OverallScores:
    """Scores over all labels. `exact_match` is the share of rows whose whole label set is right.

    `macro_average_precision` averages over labels that have gold rows (nan where there is none).
    """

    macro_f1: float
    micro_f1: float
    exact_match: float
    macro_average_precision: float


def score_labels(
    gold: NDArray[Any], predicted: NDArray[Any], probabilities: NDArray[Any], labels: Sequence[str]
) -> tuple[LabelScore, ...]:
    """Return one row per label, in the order of `labels`; arrays have shape `(n_examples, n_labels)`.

    Raises DataError for arrays whose shapes differ or hold no row.
    """
    from sklearn.metrics import precision_recall_fscore_support

    check_shapes(gold, predicted, probabilities, np.empty((len(gold), len(labels))))
    scores = [
        precision_recall_fscore_support(gold[:, j], predicted[:, j].astype(int), average="binary", zero_division=0)[:3]
        for j in range(len(labels))
    ]
    return tuple(
        LabelScore(
            label=label,
            support=int(gold[:, j].sum()),
            predicted=int(predicted[:, j].sum()),
            prevalence=float(gold[:, j].mean()),
            precision=float(scores[j][0]),
            recall=float(scores[j][1]),
            f1=float(scores[j][2]),
            average_precision=average_precision(gold[:, j], probabilities[:, j]),
        )
        for j, label in enumerate(labels)
    )


def score_overall(gold: NDArray[Any], predicted: NDArray[Any], probabilities: NDArray[Any]) -> OverallScores:
    """Return the scores over all labels; arrays have shape `(n_examples, n_labels)`; raises like `score_labels`."""
    from sklearn.metrics import accuracy_score, f1_score

    check_shapes(gold, predicted, probabilities)
    decided = predicted.astype(int)
    ranked = [average_precision(gold[:, j], probabilities[:, j]) for j in range(gold.shape[1])]
    defined = [value for value in ranked if not isnan(value)]
    return OverallScores(
        macro_f1=float(f1_score(gold, decided, average="macro", zero_division=0)),
        micro_f1=float(f1_score(gold, decided, average="micro", zero_division=0)),
        exact_match=float(accuracy_score(gold, decided)),
        macro_average_precision=float(np.mean(defined)) if defined else nan,
    )


def average_precision(gold: NDArray[Any], probabilities: NDArray[Any]) -> float:
    """Return the average precision of one label, arrays of shape `(n_examples,)`; nan without a gold row."""
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(gold, probabilities)) if gold.any() else nan


def check_shapes(gold: NDArray[Any], *others: NDArray[Any]) -> None:
    """Raise DataError unless all arrays have the shape of `gold`, two axes and at least one row."""
    if gold.ndim != 2 or gold.shape[0] == 0:
        raise DataError(f"nothing to evaluate: gold labels have shape {gold.shape}; give at least one labelled example")
    for other in others:
        if other.shape != gold.shape:
            raise DataError(f"gold labels have shape {gold.shape}, but another array has {other.shape}; same rows?")
