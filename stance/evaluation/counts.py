"""Scores from counts per document: rows of gold and decisions enter; scores of any weighting of documents leave.

True positives, false positives and false negatives add up over documents, and precision, recall, F1 and exact match
follow from the sums. So a bootstrap need not touch rows again: thousands of resamples are one matrix product.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.errors import DataError
from stance.evaluation.metrics import check_shapes


class CountScores:
    """The statistic of all scores that follow from counts: macro-F1, micro-F1, exact match, and three per label.

    `averaged` (bool, `(n_labels,)`) says which labels enter macro-F1. Scores are named by `names`.
    """

    def __init__(
        self, gold: NDArray[Any], predicted: NDArray[Any], documents: Sequence[str], averaged: NDArray[Any]
    ) -> None:
        check_shapes(gold, predicted)
        yes, given = gold.astype(bool), predicted.astype(bool)
        exact = (yes == given).all(axis=1, keepdims=True)
        rows = np.hstack([yes & given, ~yes & given, yes & ~given, exact, np.ones_like(exact)]).astype(np.float64)
        unit = document_index(documents, len(gold))
        self.counts = np.zeros((unit.max() + 1, rows.shape[1]))  # per document: TP, FP, FN per label; exact; rows
        np.add.at(self.counts, unit, rows)
        self.averaged = averaged
        whole = self._ratios(self.counts.sum(axis=0, keepdims=True))
        self.never = np.isnan(whole)  # undefined in the data itself, not by a draw's luck: 0, as in `metrics`

    @staticmethod
    def names(labels: Sequence[str]) -> list[str]:
        """Return the scores' names in the order of the statistic's columns."""
        per_label = [f"{label}.{score}" for score in ("precision", "recall", "f1") for label in labels]
        return ["macro_f1", "micro_f1", "exact_match", *per_label]

    def __call__(self, weights: NDArray[Any]) -> NDArray[Any]:
        ratios = np.where(self.never, 0.0, self._ratios(weights @ self.counts))
        f1 = ratios[:, -len(self.averaged) :][:, self.averaged]
        defined = ~np.isnan(f1)
        macro = ratio(np.where(defined, f1, 0.0).sum(axis=1), defined.sum(axis=1))
        return np.column_stack([macro, ratios])

    def _ratios(self, totals: NDArray[Any]) -> NDArray[Any]:
        n_labels = len(self.averaged)
        hits, spurious, missed = (totals[:, k * n_labels : (k + 1) * n_labels] for k in range(3))
        wrong = spurious + missed
        pooled = ratio(2 * hits.sum(axis=1), (2 * hits + wrong).sum(axis=1))
        exact = ratio(totals[:, -2], totals[:, -1])
        per_label = [ratio(hits, hits + spurious), ratio(hits, hits + missed), ratio(2 * hits, 2 * hits + wrong)]
        return np.column_stack([pooled, exact, *per_label])


def document_index(documents: Sequence[str], n_rows: int) -> NDArray[Any]:
    """Return each row's document as a number from 0, in sorted order, so that the order of rows changes nothing.

    Raises DataError unless there is one document name per row.
    """
    if len(documents) != n_rows:
        raise DataError(f"{len(documents)} document names for {n_rows} rows; give the document of every row")
    return np.asarray(np.unique(np.asarray(documents, dtype=str), return_inverse=True)[1]).reshape(-1)


def ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """Return `part / whole` element by element, nan where `whole` is 0."""
    out = np.full(np.shape(part), nan)
    np.divide(part, whole, out=out, where=np.asarray(whole) > 0)
    return out
