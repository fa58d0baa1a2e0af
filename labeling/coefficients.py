"""Coefficients of agreement: the values that annotators gave to units enter; alpha, kappa and raw agreement leave.

Estimates come from maintained libraries (krippendorff, nltk, scikit-learn). Only what a bootstrap needs thousands of
times is computed here, from sums over documents, and tested to equal the libraries.

A coefficient that the data cannot tell (nobody ever chose the label, or everybody always) is nan, not 1: without
variation there is no evidence of reliability (Krippendorff 2019, §12.3).
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Sequence
from itertools import combinations, permutations
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

Sets = Sequence[Sequence[frozenset[str]]]
"""Per unit the label sets that annotators gave it, missing values left out."""


def masi(first: frozenset[str], second: frozenset[str]) -> float:
    """Return the MASI distance of two sets, 0 to 1 (Passonneau 2006): 1 − Jaccard × monotonicity.

    Two empty sets are alike: distance 0, where the library divides by 0. An empty and another set are 1 apart.

    >>> masi(frozenset(), frozenset()), masi(frozenset(), frozenset("a"))
    (0.0, 1.0)
    """
    from nltk.metrics import masi_distance

    return 0.0 if first == second else float(masi_distance(first, second))


def set_alpha(sets: Sets) -> float:
    """Return Krippendorff's alpha of label sets under the MASI distance; nan where it is not defined."""
    from nltk.metrics.agreement import AnnotationTask

    pairable = [given for given in sets if len(given) > 1]
    if len({one for given in pairable for one in given}) < 2:
        return nan
    rows = [(coder, unit, one) for unit, given in enumerate(pairable) for coder, one in enumerate(given)]
    return float(AnnotationTask(rows, distance=masi).alpha())


def label_alpha(values: Sequence[Sequence[bool]]) -> float:
    """Return Krippendorff's alpha of one label, given or not (nominal); nan where it is not defined."""
    import krippendorff

    counts = np.array([[given.count(False), given.count(True)] for given in map(list, values) if len(given) > 1])
    if not len(counts) or not counts.sum(axis=0).all():
        return nan
    return float(krippendorff.alpha(value_counts=counts, level_of_measurement="nominal"))


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float:
    """Return Cohen's (1960) kappa of two annotators' values for the same units; nan where it is not defined."""
    from sklearn.metrics import cohen_kappa_score

    domain = {value: number for number, value in enumerate(dict.fromkeys([*first, *second]))}
    if len(domain) < 2:
        return nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an undefined kappa is answered with nan
        return float(cohen_kappa_score([domain[one] for one in first], [domain[one] for one in second]))


def raw_agreement(values: Sequence[Sequence[Hashable]]) -> float:
    """Return the share of pairs of answers to the same unit that are the same; nan without a pair."""
    alike = [one == other for given in values for one, other in combinations(given, 2)]
    return float(np.mean(alike)) if alike else nan


class AlphaStatistic:
    """Alpha of every label and of the sets as a function of document weights, for `bootstrap_documents`.

    Scores: one per label in the order of `labels`, then the sets. Alpha is 1 − D_o / D_e; a unit's part in the observed
    disagreement and its value counts add up over documents (Krippendorff 2011, coincidence matrices).
    """

    def __init__(self, sets: Sets, documents: NDArray[Any], labels: Sequence[str]) -> None:
        self.n_documents = int(documents.max()) + 1
        domain = sorted({one for given in sets for one in given}, key=sorted)
        apart = np.array([[masi(one, other) for other in domain] for one in domain]).reshape(len(domain), len(domain))
        has = np.array([[label in one for one in domain] for label in labels], dtype=bool)
        place = {one: number for number, one in enumerate(domain)}
        counts = np.zeros((self.n_documents, len(domain)))
        observed = np.zeros((self.n_documents, len(labels) + 1))
        distances = [*(row[:, None] != row[None, :] for row in has), apart]
        for given, document in zip(sets, documents, strict=True):
            if len(given) > 1:
                drawn = [place[one] for one in given]
                np.add.at(counts[document], drawn, 1)
                left, right = np.array(list(permutations(drawn, 2))).T
                observed[document] += [one[left, right].sum() / (len(drawn) - 1) for one in distances]
        self.observed = observed
        self.parts: list[tuple[NDArray[Any], NDArray[Any]]] = [
            (np.stack([counts[:, ~row].sum(axis=1), counts[:, row].sum(axis=1)], axis=1), 1.0 - np.eye(2))
            for row in has
        ]
        self.parts.append((counts, apart))

    def __call__(self, weights: NDArray[Any]) -> NDArray[Any]:
        disagreement = weights @ self.observed
        scores = np.full(disagreement.shape, nan)
        for k, (counts, distance) in enumerate(self.parts):
            totals = weights @ counts
            expected = ((totals @ distance) * totals).sum(axis=1)
            spread = expected > 0
            chance = (totals.sum(axis=1)[spread] - 1) / expected[spread]
            scores[spread, k] = 1 - disagreement[spread, k] * chance
        return scores
