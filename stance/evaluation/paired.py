"""Two systems on the same rows, score by score: decisions of both enter; differences with their intervals leave.

Whole documents are drawn for both systems at once, so what makes a document hard for both cancels out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.bootstrap import DEFAULT, Interval, Resampling, Statistic, bootstrap_documents
from stance.evaluation.counts import CountScores, document_index, ratio
from stance.evaluation.metrics import check_shapes


@dataclass(frozen=True, eq=False)
class Pair:
    """Gold labels of the rows that two systems decided on, both systems' decisions, and what is drawn as a whole.

    Arrays have shape `(n_examples, n_labels)`; `documents` names the document of each row.
    """

    gold: NDArray[Any]
    candidate: NDArray[Any]
    baseline: NDArray[Any]
    documents: Sequence[str]

    def rows(self, chosen: NDArray[Any]) -> Pair:
        """Return the pair on some rows only, given as booleans of shape `(n_examples,)`."""
        kept = [name for name, there in zip(self.documents, chosen, strict=True) if there]
        return Pair(self.gold[chosen], self.candidate[chosen], self.baseline[chosen], kept)


def score_differences(pair: Pair, labels: Sequence[str], resampling: Resampling = DEFAULT) -> dict[str, Interval]:
    """Return candidate minus baseline by the names of `score_intervals`, with intervals over documents.

    Labels without gold rows stay out of macro-F1, as in slices. A draw in which one of the two systems has no value
    for a score says nothing about that difference and is left out.
    """
    averaged = np.asarray(pair.gold.any(axis=0), dtype=bool)
    new, old = (CountScores(pair.gold, system, pair.documents, averaged) for system in (pair.candidate, pair.baseline))

    def statistic(weights: NDArray[Any]) -> NDArray[Any]:
        return np.asarray(new(weights) - old(weights))

    found = bootstrap_documents(statistic, len(new.counts), resampling)
    return dict(zip(new.names(labels), found, strict=True))


def brier_differences(
    gold: NDArray[Any],
    probabilities: tuple[NDArray[Any], NDArray[Any]],
    documents: Sequence[str],
    resampling: Resampling = DEFAULT,
) -> list[Interval]:
    """Return the difference in mean squared error per label, first minus second of `probabilities`: below 0 is better.

    Arrays have shape `(n_examples, n_labels)`; intervals are over documents.
    """
    check_shapes(gold, *probabilities)
    first, second = ((each - gold) ** 2 for each in probabilities)
    unit = document_index(documents, len(gold))
    n_units = int(unit.max()) + 1
    return bootstrap_documents(_mean_per_row(first - second, unit, n_units), n_units, resampling)


def _mean_per_row(values: NDArray[Any], unit: NDArray[Any], n_units: int) -> Statistic:
    sums = np.zeros((n_units, values.shape[1]))
    np.add.at(sums, unit, values)
    sizes = np.bincount(unit, minlength=n_units)

    def statistic(weights: NDArray[Any]) -> NDArray[Any]:
        totals = np.broadcast_to((weights @ sizes)[:, None], (len(weights), values.shape[1]))
        return ratio(weights @ sums, totals)

    return statistic
