"""One score for all rows. Probabilities and gold labels enter; macro-F1 leaves, under the same rule of decision.

A label is given from the score on at which its F1 on validation is highest. On validation itself that flatters
everybody alike; the figures for test do not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def thresholds(scores: NDArray[Any], gold: NDArray[np.int8]) -> NDArray[np.float64]:
    """Return one threshold per label; arrays have shape `(n_texts, n_labels)`. A label nobody has is never given."""
    from sklearn.metrics import precision_recall_curve

    found = np.full(gold.shape[1], np.inf)
    for column in np.flatnonzero(gold.any(axis=0)):
        precision, recall, steps = precision_recall_curve(gold[:, column], scores[:, column])
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
        found[column] = steps[f1[:-1].argmax()]
    return found


def macro_f1(scores: NDArray[Any], gold: NDArray[np.int8], least: NDArray[np.float64]) -> float:
    """Return the mean F1 of labels that are given from `least` on."""
    from sklearn.metrics import f1_score

    return float(f1_score(gold, scores >= least, average="macro", zero_division=0))
