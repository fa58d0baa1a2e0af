"""The metrics of the published sets: gold labels and decisions enter; scores of any weighting of documents leave.

A statistic takes document weights, shape `(n_resamples, n_documents)`, and returns `(n_resamples, n_scores)`, so that
`stance.evaluation.bootstrap` gives intervals for exactly the figure that a paper reports.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.counts import document_index, ratio

SINGLE = ("macro_f1", "micro_f1", "accuracy", "macro_recall", "f1_without_neutral")
MULTI = ("macro_f1", "micro_f1", "exact_1", "exact_2", "exact")


def decide(probabilities: NDArray[Any], exclusive: bool) -> NDArray[np.bool_]:
    """Return which labels are given, `(n_examples, n_labels)`: the likeliest one where labels are exclusive; else
    those from 0.5 on, and the likeliest one where none is (Akyürek et al. 2020)."""
    top = np.zeros(probabilities.shape, dtype=np.bool_)
    top[np.arange(len(top)), probabilities.argmax(axis=1)] = True
    if exclusive:
        return top
    given = probabilities >= 0.5
    return np.where(given.any(axis=1, keepdims=True), given, top)


class SingleScores:
    """Scores of one label per example, as scikit-learn defines them: SINGLE, averaged over `folds` where there are
    several. `gold` and `given` have shape `(n_examples, n_labels)`."""

    names = SINGLE

    def __init__(
        self, gold: NDArray[Any], given: NDArray[Any], documents: Sequence[str], folds: Sequence[int], neutral: int = -1
    ) -> None:
        size = gold.shape[1]
        cell = gold.argmax(axis=1) * size + given.argmax(axis=1)
        self.counts = _add_up(np.eye(size * size)[cell], documents, folds)
        self.size, self.polar = size, [label for label in range(size) if label != neutral]

    def __call__(self, weights: NDArray[Any]) -> NDArray[Any]:
        return np.mean([self._of_fold(weights @ counts) for counts in self.counts], axis=0)

    def _of_fold(self, totals: NDArray[Any]) -> NDArray[Any]:
        table = totals.reshape(-1, self.size, self.size)  # gold by given
        hits, gold, given = np.einsum("rii->ri", table), table.sum(axis=2), table.sum(axis=1)
        f1 = ratio(2 * hits, gold + given)
        right = ratio(hits.sum(axis=1), totals.sum(axis=1))
        means = [np.nanmean(f1, axis=1), right, right, np.nanmean(ratio(hits, gold), axis=1)]
        return np.column_stack([*means, np.nanmean(f1[:, self.polar], axis=1)])


class MultiScores:
    """Scores of label sets by the rules of Akyürek et al. (2020), MULTI, averaged over folds.

    F1 is over the labels that are both gold and given at least once in the fold; `exact_1` and `exact_2` are the
    exact matches among examples with one and with two labels.
    """

    names = MULTI

    def __init__(self, gold: NDArray[Any], given: NDArray[Any], documents: Sequence[str], folds: Sequence[int]) -> None:
        gold, given = gold.astype(bool), given.astype(bool)
        exact = (gold == given).all(axis=1)
        sizes = [gold.sum(axis=1) == 1, gold.sum(axis=1) == 2, np.ones(len(gold), dtype=bool)]
        matches = [column for chosen in sizes for column in (exact & chosen, chosen)]
        rows = np.column_stack([gold & given, gold, given, *matches]).astype(np.float64)
        self.counts, self.size = _add_up(rows, documents, folds), gold.shape[1]

    def __call__(self, weights: NDArray[Any]) -> NDArray[Any]:
        return np.mean([self._of_fold(weights @ counts) for counts in self.counts], axis=0)

    def _of_fold(self, totals: NDArray[Any]) -> NDArray[Any]:
        hits, gold, given = (totals[:, k * self.size : (k + 1) * self.size] for k in range(3))
        used = (gold > 0) & (given > 0)
        f1 = np.where(used, ratio(2 * hits, gold + given), np.nan)
        micro = ratio((2 * hits * used).sum(axis=1), ((gold + given) * used).sum(axis=1))
        right = totals[:, 3 * self.size :]
        return np.column_stack(
            [np.nanmean(f1, axis=1), micro, *(ratio(right[:, k], right[:, k + 1]) for k in (0, 2, 4))]
        )


class MeanScores:
    """The mean of several runs' scores on the same documents: what papers report over seeds."""

    def __init__(self, runs: Sequence[SingleScores | MultiScores]) -> None:
        self.runs, self.names = runs, runs[0].names

    def __call__(self, weights: NDArray[Any]) -> NDArray[Any]:
        return np.mean([run(weights) for run in self.runs], axis=0)


def _add_up(rows: NDArray[Any], documents: Sequence[str], folds: Sequence[int]) -> NDArray[np.float64]:
    """Sum rows by fold and document: `(n_folds, n_documents, n_counts)`."""
    unit = document_index(documents, len(rows))
    fold = np.asarray(folds, dtype=np.int64)
    counts = np.zeros((fold.max() + 1, unit.max() + 1, rows.shape[1]))
    np.add.at(counts, (fold, unit), rows)
    return counts
