"""Answers per row. Examples of a file enter, with and without actors; each leaves with what a model says of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from stance.models.classifier import Classifier
from stance.records import Example, Prediction


def answer_rows(classifier: Classifier, rows: Sequence[Example], sure: float | None = None) -> list[Prediction | None]:
    """Return an answer per row, in order: None where a task is coded per actor and the row has none.

    A task coded per sentence is asked about the sentence without its actor, so that all rows of one agree. `sure` as
    in `Classifier.predict`; rows of one sentence are scored once, as the classifier takes equal examples for one.
    """
    if not per_actor([classifier]):
        return [*classifier.predict_examples([without_actor(row) for row in rows], sure)]
    given = iter(classifier.predict_examples([row for row in rows if row.actor is not None], sure))
    return [None if row.actor is None else next(given) for row in rows]


def per_actor(classifiers: Iterable[Classifier]) -> bool:
    """Say whether any of the models answers for each actor apart."""
    return any(classifier.codebook.tasks[classifier.task].unit == "actor" for classifier in classifiers)


def without_actor(row: Example) -> Example:
    """Return the row as a task that is coded per sentence sees it."""
    return replace(row, actor=None, mention=None, start=None, end=None)
