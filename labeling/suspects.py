"""Labels that look wrong. Labelled examples enter; those whose labels a model doubts leave, the most doubtful first.

    folds by document ─► out-of-fold probabilities ─► confident learning, per label ─► given and suggested labels

No example is judged by a model that saw it or a near-duplicate. What is an issue is decided by confident learning
(Northcutt et al. 2021, cleanlab), which compares a probability with those of the examples that carry the label, so that
a model that is never sure of a rare label does not make all of that label's examples suspects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labeling.tasks import to_task
from stance.codebook import Codebook
from stance.config import Experiment
from stance.dataset.arrays import label_matrix
from stance.dataset.splits import folds
from stance.errors import DataError
from stance.models.base import Progress
from stance.records import Example

FOLDS = 5


@dataclass(frozen=True, slots=True)
class Suspect:
    """An example whose labels look wrong. `given` and `suggested` are label sets in codebook order.

    `score` is the probability, out of fold, of the most doubtful of its labels being as given, in [0, 1]: lower is
    more suspect. `doubts` maps each label in doubt to the probability that it applies. `issue` is True where
    confident learning calls it a mistake, and only there do `given` and `suggested` differ.
    """

    example: Example
    given: tuple[str, ...]
    suggested: tuple[str, ...]
    score: float
    doubts: Mapping[str, float]
    issue: bool

    def to_row(self) -> dict[str, Any]:
        """Return a JSON-ready mapping: the example's row, and what is suspected under `suspect`."""
        doubts = {label: round(p, 4) for label, p in self.doubts.items()}
        about = {"suggested": list(self.suggested), "score": round(self.score, 4), "doubts": doubts}
        return {**self.example.to_row(), "suspect": about}


def find_suspects(
    examples: Sequence[Example], experiment: Experiment, book: Codebook, progress: Progress = lambda _: None
) -> list[Suspect]:
    """Return every example as a suspect, the most doubtful first and what is no `issue` after all issues.

    The model of `experiment` is trained anew on each of five folds of documents. Raises DataError for an example that
    nobody labelled, or fewer than five documents.
    """
    labels = book.task(experiment.task).labels
    probabilities = predict_out_of_fold(examples, experiment, book, progress)
    return rank_suspects(examples, probabilities, labels)


def predict_out_of_fold(
    examples: Sequence[Example], experiment: Experiment, book: Codebook, progress: Progress = lambda _: None
) -> NDArray[np.float64]:
    """Return each example's probabilities by a model that saw neither its document nor a near-duplicate of it.

    Shape `(n_examples, n_labels)`, rows in the order given, labels in codebook order.
    """
    from stance.experiment import build

    labels = book.task(experiment.task).labels
    label_matrix(examples, labels)  # names the first example without labels before anything is trained
    place: dict[str, list[int]] = {}
    for row, example in enumerate(examples):
        place.setdefault(example.id, []).append(row)
    probabilities = np.full((len(examples), len(labels)), np.nan)
    for number, split in enumerate(folds(examples, FOLDS, experiment.seed)):
        progress({"done": float(number), "total": float(FOLDS)})
        parts = split.apply(examples)
        model = build(experiment, book)
        model.fit(parts["train"], parts["test"][:0])
        for example, row in zip(parts["test"], model.predict_proba(parts["test"]), strict=True):
            probabilities[place[example.id]] = row
    progress({"done": float(FOLDS), "total": float(FOLDS)})
    return probabilities


def rank_suspects(examples: Sequence[Example], probabilities: NDArray[Any], labels: Sequence[str]) -> list[Suspect]:
    """Return the examples by rising trust in their labels, given out-of-fold `probabilities` of shape
    `(n_examples, n_labels)`."""
    gold = label_matrix(examples, labels).astype(bool)
    if gold.shape != np.shape(probabilities):
        raise DataError(f"probabilities have shape {np.shape(probabilities)}; expected {gold.shape}")
    issues = find_issues(gold, probabilities)
    trust = np.where(gold, probabilities, 1 - np.asarray(probabilities))
    found = []
    for row, example in enumerate(examples):
        # In an example with an issue all that the model would rather turn is in doubt: one slip often is two labels.
        doubted = issues[row] | ((trust[row] < 0.5) & issues[row].any())
        score = float(trust[row][doubted].min() if doubted.any() else trust[row].min())
        given, suggested = gold[row], gold[row] ^ doubted
        found.append(
            Suspect(
                example,
                _named(given, labels),
                _named(suggested, labels),
                score,
                {label: float(probabilities[row, j]) for j, label in enumerate(labels) if doubted[j]},
                bool(doubted.any()),
            )
        )
    return sorted(found, key=lambda one: (not one.issue, one.score, one.example.id))


def find_issues(gold: NDArray[np.bool_], probabilities: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which labels of which examples confident learning calls wrong, shaped like `gold`.

    A label that all examples have, or none, is never in doubt: nothing is known about its other side.
    """
    from cleanlab.filter import find_label_issues

    issues = np.zeros(gold.shape, dtype=bool)
    for column in range(gold.shape[1]):
        truth = gold[:, column].astype(int)
        if 0 < truth.sum() < len(truth):
            both = np.column_stack([1 - probabilities[:, column], probabilities[:, column]])
            # One process: cleanlab's pool would copy the arrays, and a label takes milliseconds.
            issues[:, column] = find_label_issues(truth, both, filter_by="prune_by_noise_rate", n_jobs=1)
    return issues


def suspect_task(suspect: Suspect, book: Codebook, task: str) -> dict[str, Any]:
    """Return the Label Studio task of a suspect for a review project (`labeling.review`): both label sets above it."""
    made = to_task(suspect.example, book, task)
    doubts = ", ".join(f"{label} {p:.2f}" for label, p in suspect.doubts.items())
    lines = (f"given: {_listed(suspect.given)}", f"suggested: {_listed(suspect.suggested)} (p: {doubts})")
    # In the alphabet's order and without a word on who said it: the reviewer should read the sentence first.
    said = "".join(
        f'<p dir="auto"><b>{letter}</b> {escape(line)}</p>' for letter, line in zip("AB", lines, strict=True)
    )
    made["data"]["said"] = f'<div class="said">{said}</div>'
    return made


def _named(row: NDArray[np.bool_], labels: Sequence[str]) -> tuple[str, ...]:
    return tuple(label for label, there in zip(labels, row, strict=True) if there)


def _listed(labels: Sequence[str]) -> str:
    return ", ".join(labels) or "none"
