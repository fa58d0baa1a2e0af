"""Drift of the texts: can a classifier tell new documents from those that the model learnt from? Texts of both sides
enter; a measure leaves.

The domain classifier of Rabanser et al. (2019) and Lopez-Paz and Oquab (2017): its AUC on documents that it was not
trained on is 0.5 where nothing drifted. It is a ridge regression on TF-IDF of words: out-of-fold scores are then a
fixed matrix times the labels, so that it is trained anew for every draw of the permutation test at the price of a
product, and all documents serve both to train and to test.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.drift.permutation import Array, Plan, Units, permute
from stance.evaluation.drift.records import BOUNDS, Measure, Rows

FOLDS = 5
RIDGE = 1.0
WORDS = 20_000  # most words that the classifier reads
SHOWN = 8  # words that the measure names


def measure_text(reference: Rows, new: Rows, plan: Plan) -> Measure:
    """Return the measure of the texts; the value shown for the new side is the AUC, the effect what it is above 0.5.

    A document is scored as a whole: its distinct sentences. `detail` names the words that speak most for new texts.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    units = Units(reference.units, new.units, plan)
    texts = _documents(units, [*reference.texts, *new.texts])
    # Read from both sides at once: words chosen by side would tell the sides apart in every draw.
    reader = TfidfVectorizer(sublinear_tf=True, min_df=2, max_features=WORDS, strip_accents="unicode")
    try:
        features = reader.fit_transform(texts)
    except ValueError:  # no word stands in two documents: nothing to tell them apart by
        return Measure("text", "text", float("nan"), 0.5, 0.0, BOUNDS["text"], 0.0, 1.0)
    alike = np.asarray((features @ features.T).todense())
    folds = np.random.default_rng([plan.seed, 3]).permutation(units.n) % FOLDS
    smoothers = [_smoother(alike, folds == fold) for fold in range(FOLDS)]

    def tell_apart(is_new: Array) -> tuple[Array, Array]:
        areas: Array = np.zeros(len(is_new))
        weights: Array = np.zeros(len(is_new))
        for smoother, fold in zip(smoothers, range(FOLDS), strict=True):
            held = folds == fold
            area, pairs = _area(is_new[:, ~held] @ smoother.T, is_new[:, held])
            areas, weights = areas + area * pairs, weights + pairs
        above = (areas / np.maximum(weights, 1) - 0.5)[:, None]
        return above, above

    found = permute(tell_apart, units, plan)
    side = (np.arange(units.n) >= units.n_reference).astype(float)
    pull = np.linalg.solve(alike + RIDGE * np.eye(units.n), side - side.mean())
    strength = np.asarray(features.T @ pull).ravel()
    words = reader.get_feature_names_out()[np.argsort(-strength, kind="stable")[:SHOWN]]
    effect, chance = float(found.effect[0]), float(found.chance[0])
    detail = f"new texts are known by: {', '.join(words)}"
    return Measure(
        "text", "text", float("nan"), effect + 0.5, effect, BOUNDS["text"], chance, float(found.p[0]), detail=detail
    )


def _documents(units: Units, sentences: Sequence[str]) -> list[str]:
    """The text of each unit, every sentence once."""
    texts: list[dict[str, None]] = [{} for _ in range(units.n)]
    for unit, sentence in zip(units.rows.tolist(), sentences, strict=True):
        if unit >= 0:
            texts[unit][sentence] = None
    return [" ".join(own) for own in texts]


def _smoother(alike: Array, held: NDArray[np.bool_]) -> Array:
    """What turns labels of the other documents into scores of the held-out ones, shape `(n_held, n_others)`."""
    others = ~held
    n = int(others.sum())
    inner = np.linalg.solve(alike[np.ix_(others, others)] + RIDGE * np.eye(n), alike[np.ix_(others, held)])
    return np.asarray(
        (inner - inner.mean(axis=0)).T, dtype=np.float64
    )  # so that labels are centred within the training documents


def _area(scores: Array, is_new: Array) -> tuple[Array, Array]:
    """The area under the ROC curve of each row, and the pairs that it rests on, by rank sums (Hanley and McNeil
    1982)."""
    from scipy.stats import rankdata

    after = is_new.sum(axis=1)
    pairs = after * (is_new.shape[1] - after)
    ranks = rankdata(scores, axis=1)
    return ((ranks * is_new).sum(axis=1) - after * (after + 1) / 2) / np.maximum(pairs, 1), pairs
