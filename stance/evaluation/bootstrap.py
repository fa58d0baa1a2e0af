"""Uncertainty of scores: rows grouped by document enter; 95% intervals and paired comparisons leave.

Sentences of one document depend on each other, so whole documents are drawn (the cluster bootstrap of Davison & Hinkley
1997, §3.8). Scores are functions of per-document counts: a resample is a vector of document weights, and thousands of
them one matrix product. A resample that misses a label altogether leaves that label out, as it knows nothing about it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.errors import DataError
from stance.evaluation.counts import CountScores, document_index, ratio
from stance.evaluation.metrics import check_shapes

Statistic = Callable[[NDArray[Any]], NDArray[Any]]
"""Takes document weights `(n_resamples, n_documents)`, returns scores `(n_resamples, n_scores)`, nan = undefined."""

JACKKNIFE_LIMIT = 8_000  # BCa costs documents² (or × rows); beyond it both intervals agree

FEWEST_DOCUMENTS = 5  # with fewer, resamples repeat so few values that an interval would look far too sure


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its bootstrap interval.

    `method` says how it came about: "BCa" (bias-corrected and accelerated, Efron 1987), "percentile" where BCa is not
    defined, or "none" (`low` and `high` are nan: fewer than `FEWEST_DOCUMENTS` say nothing about spread).
    """

    estimate: float
    low: float
    high: float
    method: str = "BCa"


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Macro-F1 of the candidate minus the baseline, its percentile interval and a two-sided p-value.

    Both come from the same resamples, so that p < 1 - level and an interval without 0 say the same thing.
    """

    estimate: float
    low: float
    high: float
    p_value: float


@dataclass(frozen=True, slots=True)
class Resampling:
    """How to resample: number of draws, their seed, and the level of the intervals."""

    resamples: int = 2_000
    seed: int = 0
    level: float = 0.95

    def __post_init__(self) -> None:
        if self.resamples < 2 or not 0 < self.level < 1:
            raise DataError(f"bootstrap: {self.resamples} resamples at level {self.level}; need 2 or more, and 0–1")

    @property
    def tails(self) -> tuple[float, float]:
        """The quantiles that bound an interval of this level."""
        return (1 - self.level) / 2, (1 + self.level) / 2


DEFAULT = Resampling()


def score_intervals(
    gold: NDArray[Any],
    predicted: NDArray[Any],
    documents: Sequence[str],
    labels: Sequence[str],
    resampling: Resampling = DEFAULT,
) -> dict[str, Interval]:
    """Return intervals by name: `macro_f1`, `micro_f1`, `exact_match`, `<label>.precision`, `.recall` and `.f1`.

    `documents` names the document of each row. The estimates equal those of `stance.evaluation.metrics`.
    """
    statistic = CountScores(gold, predicted, documents, np.ones(len(labels), dtype=bool))
    found = bootstrap_documents(statistic, len(statistic.counts), resampling)
    return dict(zip(statistic.names(labels), found, strict=True))


def ranking_intervals(
    gold: NDArray[Any],
    probabilities: NDArray[Any],
    documents: Sequence[str],
    labels: Sequence[str],
    resampling: Resampling = DEFAULT,
) -> dict[str, Interval]:
    """Return intervals of `<label>.average_precision` and of their mean, `macro_average_precision`.

    A label without gold rows has nan and no part in the mean.
    """
    check_shapes(gold, probabilities)
    unit = document_index(documents, len(gold))
    statistic = _ranking_statistic(gold, probabilities, unit)
    found = bootstrap_documents(statistic, int(unit.max()) + 1, resampling, n_rows=len(gold))
    names = [*(f"{label}.average_precision" for label in labels), "macro_average_precision"]
    return dict(zip(names, found, strict=True))


def paired_difference(
    gold: NDArray[Any],
    candidate: NDArray[Any],
    baseline: NDArray[Any],
    documents: Sequence[str],
    resampling: Resampling = DEFAULT,
) -> PairedDifference:
    """Compare two systems' decisions on the same rows by macro-F1, drawing whole documents for both at once.

    The p-value is twice the smaller share of resamples on one side of 0, with one added to both counts (Davison &
    Hinkley 1997, §4.4): it is never 0. Fewer than `FEWEST_DOCUMENTS` give no interval (nan) and p = 1.
    """
    every = np.ones(gold.shape[1], dtype=bool)
    new, old = (CountScores(gold, system, documents, every) for system in (candidate, baseline))
    n_documents = len(new.counts)
    estimate = float(_macro_difference(new, old, np.ones((1, n_documents)))[0])
    if n_documents < FEWEST_DOCUMENTS:
        return PairedDifference(estimate, nan, nan, 1.0)
    generator = np.random.default_rng(resampling.seed)
    differences = np.empty(resampling.resamples)
    for start in range(0, resampling.resamples, _batch(n_documents)):
        part = differences[start : start + _batch(n_documents)]
        weights = _weights(generator.integers(n_documents, size=(len(part), n_documents)), n_documents)
        part[:] = _macro_difference(new, old, weights)
    low, high = np.quantile(differences, resampling.tails)
    tail = 1 + min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    return PairedDifference(estimate, float(low), float(high), min(1.0, 2 * tail / (len(differences) + 1)))


def bootstrap_documents(
    statistic: Statistic, n_documents: int, resampling: Resampling = DEFAULT, n_rows: int = 0
) -> list[Interval]:
    """Return one interval per score of `statistic`, by `scipy.stats.bootstrap` over documents.

    `n_rows` bounds the memory of a statistic that works on rows and not on counts per document.

    Where BCa is not defined (all resamples alike, or undefined in some), the percentile interval of the defined
    resamples stands in.
    """
    from scipy.stats import bootstrap

    estimates = statistic(np.ones((1, n_documents)))[0]
    if n_documents < FEWEST_DOCUMENTS:
        return [Interval(float(estimate), nan, nan, "none") for estimate in estimates]
    size = max(n_documents, n_rows)
    used = "BCa" if n_documents * size <= JACKKNIFE_LIMIT**2 else "percentile"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # degenerate scores are expected, and answered below
        result = bootstrap(
            (np.arange(n_documents),),
            _of_documents(statistic, n_documents),
            vectorized=True,
            n_resamples=resampling.resamples,
            batch=_batch(size),
            confidence_level=resampling.level,
            method=used,
            rng=np.random.default_rng(resampling.seed),
        )
        spare = np.nanquantile(result.bootstrap_distribution, resampling.tails, axis=-1)
    bounds = np.stack([result.confidence_interval.low, result.confidence_interval.high])
    defined = np.isfinite(bounds).all(axis=0)
    low, high = np.where(defined, bounds, spare)
    return [
        Interval(float(estimates[k]), float(low[k]), float(high[k]), used if defined[k] else "percentile")
        for k in range(len(estimates))
    ]


def _macro_difference(new: CountScores, old: CountScores, weights: NDArray[Any]) -> NDArray[Any]:
    """Difference in macro-F1 per resample, both averaged over the labels that the resample holds for either system."""
    n_labels = len(new.averaged)
    first, second = new(weights)[:, -n_labels:], old(weights)[:, -n_labels:]
    held = (~np.isnan(first) | ~np.isnan(second)).sum(axis=1)
    return np.asarray((np.nan_to_num(first) - np.nan_to_num(second)).sum(axis=1) / np.maximum(held, 1))


def _of_documents(statistic: Statistic, n_documents: int) -> Callable[..., NDArray[Any]]:
    """A statistic of document weights in the form that scipy calls: of drawn documents along `axis`, scores first."""

    def of_drawn(drawn: NDArray[Any], axis: int = -1) -> NDArray[Any]:
        index = np.moveaxis(np.asarray(drawn), axis, -1)
        scores = statistic(_weights(index.reshape(-1, index.shape[-1]), n_documents))
        return np.moveaxis(scores.reshape(*index.shape[:-1], -1), -1, 0)

    return of_drawn


def _ranking_statistic(gold: NDArray[Any], probabilities: NDArray[Any], unit: NDArray[Any]) -> Statistic:
    """Average precision of every label, and their mean over those that a draw holds."""
    each = []
    for j in range(gold.shape[1]):
        order = np.argsort(-probabilities[:, j], kind="stable")
        last = np.flatnonzero(np.append(np.diff(probabilities[order, j]) != 0, True))  # ties share one threshold
        each.append(_weighted_average_precision(gold[order, j], unit[order], last))

    def statistic(weights: NDArray[Any]) -> NDArray[Any]:
        columns = np.hstack([one(weights) for one in each])
        defined = ~np.isnan(columns)
        mean = ratio(np.where(defined, columns, 0.0).sum(axis=1), defined.sum(axis=1))
        return np.column_stack([columns, mean])

    return statistic


def _weighted_average_precision(truth: NDArray[Any], owner: NDArray[Any], last: NDArray[Any]) -> Statistic:
    """Average precision of rows sorted by falling score; `last` are the final rows of each tied run."""

    def statistic(weights: NDArray[Any]) -> NDArray[Any]:
        row_weights = weights[:, owner]
        seen = np.cumsum(row_weights, axis=1)[:, last]
        hits = np.cumsum(row_weights * truth, axis=1)[:, last]
        gained = np.diff(hits, axis=1, prepend=0.0)
        precision = np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)
        return ratio((gained * precision).sum(axis=1, keepdims=True), hits[:, -1:])

    return statistic


def _weights(drawn: NDArray[Any], n_documents: int) -> NDArray[Any]:
    """How often each document was drawn, `(n_resamples, n_documents)`, from drawn indices `(n_resamples, n_drawn)`."""
    shifted = drawn + np.arange(len(drawn))[:, None] * n_documents
    counts = np.bincount(shifted.ravel(), minlength=len(drawn) * n_documents)
    return counts.reshape(len(drawn), n_documents).astype(np.float64)


def _batch(size: int) -> int:
    return max(1, min(500, 1_000_000 // size))
