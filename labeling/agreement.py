"""How far annotators agree: answers enter; coefficients with intervals, by actor and pair, and the differences leave.

Per label and over whole label sets: raw agreement, Cohen's kappa, and Krippendorff's alpha with a bootstrap interval
over documents. Alpha of the sets uses the MASI distance, which forgives a part of what one set has more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from math import isfinite, nan
from typing import Any

import numpy as np

from labeling.answers import Answer, Answers, Item, refuse_unanswered
from labeling.coefficients import AlphaStatistic, cohen_kappa, label_alpha, masi, raw_agreement, set_alpha
from stance.errors import DataError
from stance.evaluation.bootstrap import DEFAULT, Interval, Resampling, bootstrap_documents
from stance.evaluation.counts import document_index
from stance.evaluation.slices import OTHER, TOP_ACTORS, resampling_unit
from stance.records import Example

SETS = "(whole set)"


@dataclass(frozen=True, slots=True)
class Score:
    """Agreement on one label, or on whole sets (`name` is `SETS`).

    `given` is the share of answers with the label (of answers that are not empty), `raw` the share of pairs of answers
    that are the same, `kappa` the mean of Cohen's kappa over pairs of annotators, weighted by their common units.
    `alpha` is Krippendorff's; nan means that the data cannot tell it.
    """

    name: str
    given: float
    raw: float
    kappa: float
    alpha: Interval


@dataclass(frozen=True, slots=True)
class Scores:
    """Agreement on the `n` units (of `n_documents` documents) that at least two answered, of a `kind`: "all",
    "actor" or "pair"; `value` names the actor or, joined by " & ", the two annotators."""

    kind: str
    value: str
    n: int
    n_documents: int
    labels: tuple[Score, ...]
    sets: Score


@dataclass(frozen=True, slots=True)
class Difference:
    """A unit on which annotators differ, to discuss. `distance` is the mean MASI distance of their pairs."""

    example: Example
    distance: float
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Agreement:
    """All of it. `differences` come with the largest distance first; `annotators` counts answers by name."""

    task: str
    annotators: dict[str, int]
    missing: dict[str, int]
    overall: Scores
    actors: tuple[Scores, ...]
    pairs: tuple[Scores, ...]
    differences: tuple[Difference, ...]

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-ready mapping; what is not defined is None."""
        found = {name: getattr(self, name) for name in ("task", "annotators", "missing")}
        found["overall"] = _plain(asdict(self.overall))
        found |= {name: [_plain(asdict(one)) for one in getattr(self, name)] for name in ("actors", "pairs")}
        return found | {"differences": [_difference_row(one) for one in self.differences]}


def measure_agreement(answers: Answers, resampling: Resampling = DEFAULT, top_actors: int = TOP_ACTORS) -> Agreement:
    """Return the agreement of all annotators on one task.

    Actors beyond the `top_actors` most frequent are one group. Raises DataError where no unit has two answers.
    """
    refuse_unanswered(answers)
    items = [item for item in answers.items if len(item.given) > 1]
    if not items:
        raise DataError(
            f"{answers.task}: no example has the answers of two annotators ({len(answers.items)} examples, annotators: "
            f"{', '.join(answers.annotators)}); let a second annotator label some of them"
        )
    score = _Scorer(answers.labels, resampling)
    return Agreement(
        task=answers.task,
        annotators=answers.annotators,
        missing=answers.missing,
        overall=score("all", "", items),
        actors=tuple(score("actor", name, own) for name, own in _by_actor(items, top_actors)),
        pairs=tuple(score("pair", name, own) for name, own in _by_pair(items)),
        differences=_differences(items),
    )


@dataclass(frozen=True, slots=True)
class _Scorer:
    labels: tuple[str, ...]
    resampling: Resampling

    def __call__(self, kind: str, value: str, items: Sequence[Item]) -> Scores:
        sets = [[frozenset(one.labels or ()) for one in item.given] for item in items]
        documents = document_index([resampling_unit(item.example) for item in items], len(items))
        statistic = AlphaStatistic(sets, documents, self.labels)
        intervals = bootstrap_documents(statistic, statistic.n_documents, self.resampling)
        n = len(items), statistic.n_documents
        answered = [one for given in sets for one in given]
        labels = []
        for label, found in zip(self.labels, intervals[:-1], strict=True):
            values = [[label in one for one in given] for given in sets]
            share = float(np.mean([label in one for one in answered]))
            alpha = Interval(label_alpha(values), found.low, found.high, found.method)
            labels.append(Score(label, share, raw_agreement(values), _mean_kappa(items, label), alpha))
        alpha = Interval(set_alpha(sets), intervals[-1].low, intervals[-1].high, intervals[-1].method)
        share = float(np.mean([bool(one) for one in answered]))
        return Scores(
            kind, value, *n, tuple(labels), Score(SETS, share, raw_agreement(sets), _mean_kappa(items, None), alpha)
        )


def _mean_kappa(items: Sequence[Item], label: str | None) -> float:
    """Cohen's kappa on one label, or on identical sets, over pairs of annotators, weighted by common units."""
    common: dict[tuple[str, str], list[tuple[object, object]]] = {}
    for item in items:
        for pair in combinations(item.given, 2):
            values = [label in (one.labels or ()) if label else one.labels for one in pair]
            common.setdefault((pair[0].annotator, pair[1].annotator), []).append((values[0], values[1]))
    kappas = [(cohen_kappa(*zip(*values, strict=True)), len(values)) for values in common.values()]
    defined = [(kappa, weight) for kappa, weight in kappas if isfinite(kappa)]
    weights = sum(weight for _, weight in defined)
    return sum(kappa * weight for kappa, weight in defined) / weights if defined else nan


def _by_actor(items: Sequence[Item], top: int) -> list[tuple[str, list[Item]]]:
    counts = Counter(item.example.actor for item in items if item.example.actor)
    named = [name for name, _ in sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:top]]
    groups: dict[str, list[Item]] = {name: [] for name in [*named, OTHER]}
    for item in items:
        if actor := item.example.actor:
            groups[actor if actor in groups else OTHER].append(item)
    return [(name, own) for name, own in groups.items() if own]


def _by_pair(items: Sequence[Item]) -> list[tuple[str, list[Item]]]:
    groups: dict[tuple[str, str], list[Item]] = {}
    for item in items:
        for pair in combinations(item.given, 2):
            groups.setdefault((pair[0].annotator, pair[1].annotator), []).append(Item(item.example, pair))
    return [(" & ".join(names), own) for names, own in sorted(groups.items())]


def _differences(items: Sequence[Item]) -> tuple[Difference, ...]:
    found = []
    for item in items:
        sets = [frozenset(one.labels or ()) for one in item.given]
        distance = float(np.mean([masi(one, other) for one, other in combinations(sets, 2)]))
        if distance > 0:
            found.append(Difference(item.example, distance, item.given))
    order = [(-one.distance, one.example.doc_id, one.example.index, one.example.actor or "") for one in found]
    return tuple(found[k] for k in sorted(range(len(found)), key=order.__getitem__))


def _difference_row(difference: Difference) -> dict[str, Any]:
    example = difference.example
    said = [
        {"annotator": one.annotator, "labels": list(one.labels or ()), "comment": one.source.comment}
        for one in difference.answers
    ]
    names = ("id", "doc_id", "index", "actor", "text")
    return {name: getattr(example, name) for name in names} | {"distance": difference.distance, "answers": said}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not isfinite(value) else value
