"""Where a system fails: examples with gold and decisions enter; scores by actor, genre, year and wording leave."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.bootstrap import DEFAULT, Interval, Resampling, bootstrap_documents
from stance.evaluation.counts import CountScores
from stance.records import Example

TOP_ACTORS = 10
SMALL = 30  # examples; below it, or
FEW = 10  # documents, a slice shows where to look, not how good a model is
OTHER = "(other actors)"
UNKNOWN = "(unknown)"

_NEGATION = re.compile(
    r"\b(?:not|cannot|no(?!\.\s*\d)|none|nobody|nothing|never|neither|nor|without"
    r"|den(?:y|ies|ied|ying)|refus(?:e|es|ed|ing|al)|fail(?:s|ed|ing|ure)?|declin(?:e|es|ed|ing)"
    r"|rul(?:e|es|ed|ing) out)\b"
    r"|n['’]t\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Slice:
    """Scores of the examples that share `value` of `kind`.

    `macro_f1` averages over `labels`, those with gold rows in the slice (nan where there is none); a label given
    where it never is gold only shows in `exact_match`. `too_small` marks slices of under
    `SMALL` examples or under `FEW` documents, whose intervals claim too much.
    """

    kind: str
    value: str
    n: int
    n_documents: int
    labels: tuple[str, ...]
    macro_f1: Interval
    exact_match: Interval
    too_small: bool


def has_negation(text: str) -> bool:
    """Tell whether an English text holds a negation cue.

    The cues are function words (not, n't, no, never, nor, without, …) and verbs that negate what they govern (deny,
    refuse, decline, fail, rule out), after the cue lists of Morante & Daelemans (2012).

    >>> has_negation("Moscow isn't ready."), has_negation("It denied the talks."), has_negation("Notable talks, No. 5")
    (True, True, False)
    """
    return _NEGATION.search(text) is not None


def score_slices(
    examples: Sequence[Example],
    gold: NDArray[Any],
    predicted: NDArray[Any],
    labels: Sequence[str],
    resampling: Resampling = DEFAULT,
) -> tuple[Slice, ...]:
    """Return all slices: those of enough examples first, and in each part the worst exact match first.

    A kind that no example knows (actors of a task coded per sentence, unknown genres) is left out. Documents are
    resampled as in `stance.evaluation.bootstrap`.
    """
    documents = np.array([resampling_unit(example) for example in examples])
    found = []
    for kind, values in slice_values(examples, gold).items():
        for value in sorted(set(values)):
            rows = np.array([each == value for each in values])
            found.append(_score(kind, value, (gold[rows], predicted[rows], documents[rows]), labels, resampling))
    return tuple(sorted(found, key=lambda each: (each.too_small, each.exact_match.estimate, each.kind, each.value)))


def resampling_unit(example: Example) -> str:
    """Return what is drawn as a whole: the near-duplicate cluster, else the document, else the example itself.

    Wire copy repeats across documents; drawn one by one, copies would pass for independent evidence.
    """
    return example.cluster or example.doc_id or example.id


def slice_values(examples: Sequence[Example], gold: NDArray[Any]) -> dict[str, list[str]]:
    """Return the value of every example, by kind of slice; `gold` has shape `(n_examples, n_labels)`.

    A kind that no example knows is left out.
    """
    counts = Counter(example.actor for example in examples if example.actor)
    frequent = sorted(counts, key=lambda actor: (-counts[actor], actor))[:TOP_ACTORS]
    sizes = gold.sum(axis=1)
    kinds: dict[str, list[str]] = {
        "labels": ["none" if size == 0 else "one" if size == 1 else "several" for size in sizes],
        "negation": ["with cue" if has_negation(example.text) else "without cue" for example in examples],
    }
    optional: dict[str, tuple[Callable[[Example], str | None], Callable[[Example], str]]] = {
        "actor": (lambda e: e.actor, lambda e: (e.actor if e.actor in frequent else OTHER) if e.actor else UNKNOWN),
        "mention": (lambda e: e.actor, lambda e: "named" if e.mention else "implied"),
        "genre": (lambda e: e.genre, lambda e: e.genre or UNKNOWN),
        "year": (lambda e: e.date, lambda e: (e.date or UNKNOWN)[: 4 if e.date else None]),
    }
    for kind, (known, value) in optional.items():
        if any(known(example) for example in examples):
            kinds[kind] = [value(example) for example in examples]
    return kinds


def _score(
    kind: str,
    value: str,
    rows: tuple[NDArray[Any], NDArray[Any], NDArray[Any]],
    labels: Sequence[str],
    resampling: Resampling,
) -> Slice:
    gold, predicted, documents = rows
    present = np.asarray(gold.any(axis=0))
    statistic = CountScores(gold, predicted, list(documents), present)
    macro_f1, _, exact_match = bootstrap_documents(statistic, len(statistic.counts), resampling)[:3]
    named = tuple(label for label, there in zip(labels, present, strict=True) if there)
    too_small = len(gold) < SMALL or len(statistic.counts) < FEW
    return Slice(kind, value, len(gold), len(statistic.counts), named, macro_f1, exact_match, too_small)
