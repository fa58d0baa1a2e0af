"""From differing answers to a proposal: answers enter; per unit the labels proposed, how surely, and a status leave.

Each label is decided by itself. A strict majority of the answers decides; a tie is decided by the model of Dawid &
Skene (1979), which weighs annotators by their error rates, fitted by crowd-kit. Its probability of what is proposed is
the confidence, so a majority of the unreliable is not sure of itself. A unit is as sure as its least sure label.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from labeling.answers import Answers, Item, refuse_unanswered
from stance.errors import ConfigError

DECIDED, REVIEW, WAITING = "decided", "review", "waiting"
FLAGGED, SKIPPED, UNANSWERED = "flagged", "skipped", "unanswered"
"""What becomes of a unit: decided, to be judged by a third person, waiting for more annotators; or left out, because
all who saw it flagged it, all skipped it, or nobody answered it for other or mixed reasons."""

ENOUGH_ANSWERS = 3
"""Fewest answers to a unit for the model to be surer than the votes. From pairs of answers alone error rates cannot be
told (two annotators give three observed shares for five unknowns), so a tie of two always is one."""

UNANIMOUS, MAJORITY, DAWID_SKENE, SINGLE = "unanimous", "majority", "dawid-skene", "single"


@dataclass(frozen=True, slots=True)
class Bar:
    """What a unit needs to be decided without review: `confidence` (over 0.5) in each label, from `answers` answers."""

    confidence: float = 0.8
    answers: int = 2

    def __post_init__(self) -> None:
        if not 0.5 < self.confidence <= 1 or self.answers < 1:
            raise ConfigError(
                f"bar {self.confidence} with {self.answers} answers: a bar is over 0.5 and up to 1, answers 1 or more"
            )


@dataclass(frozen=True, slots=True)
class Decision:
    """One label of one unit: whether it is `chosen`, by what, how surely, and who said yes and no."""

    label: str
    chosen: bool
    how: str
    confidence: float
    yes: tuple[str, ...]
    no: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the answers say about a unit. `decisions` stand in codebook order, empty where nobody answered; `why` gives
    the reason of a review."""

    item: Item
    decisions: tuple[Decision, ...]
    status: str
    why: str = ""
    labels: tuple[str, ...] = field(init=False)
    confidence: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", tuple(one.label for one in self.decisions if one.chosen))
        object.__setattr__(self, "confidence", min((one.confidence for one in self.decisions), default=0.0))

    @property
    def how(self) -> str:
        """By what the whole set was decided: the weakest of its labels' ways."""
        order = (SINGLE, DAWID_SKENE, MAJORITY, UNANIMOUS)
        return next((way for way in order if any(one.how == way for one in self.decisions)), "")

    def to_row(self) -> dict[str, Any]:
        """Return a JSON-ready mapping."""
        example = self.item.example
        row: dict[str, Any] = {name: getattr(example, name) for name in ("id", "doc_id", "index", "actor", "text")}
        row |= {"status": self.status, "why": self.why, "labels": list(self.labels), "confidence": self.confidence}
        return row | {"how": self.how, "decisions": [decision_row(one) for one in self.decisions]}


def propose(answers: Answers, bar: Bar) -> list[Proposal]:
    """Return a proposal for every unit, in the answers' order; raises DataError where nobody answered the task."""
    refuse_unanswered(answers)
    probabilities = {label: _dawid_skene(answers, label) for label in answers.labels}
    proposals = []
    for number, item in enumerate(answers.items):
        given = {label: probabilities[label].get(number, 0.0) for label in answers.labels}
        decisions = tuple(_decide(item, label, given[label]) for label in answers.labels if item.given)
        status, why = _judge(item, decisions, bar, answers.unit)
        proposals.append(Proposal(item, decisions, status, why))
    return proposals


def for_review(proposals: Sequence[Proposal]) -> list[Proposal]:
    """Return the proposals that need a verdict, the least sure first."""
    return sorted((one for one in proposals if one.status == REVIEW), key=lambda one: one.confidence)


def decision_row(decision: Decision) -> dict[str, Any]:
    """Return a JSON-ready mapping of one label's decision."""
    row: dict[str, Any] = {name: getattr(decision, name) for name in ("label", "chosen", "how", "confidence")}
    return row | {"yes": list(decision.yes), "no": list(decision.no)}


def _decide(item: Item, label: str, probability: float) -> Decision:
    yes = tuple(one.annotator for one in item.given if label in (one.labels or ()))
    no = tuple(one.annotator for one in item.given if label not in (one.labels or ()))
    tied = len(yes) == len(no)
    chosen = probability >= 0.5 if tied else len(yes) > len(no)
    confidence = probability if chosen else 1 - probability
    if len(item.given) < ENOUGH_ANSWERS:
        confidence = min(confidence, len(yes if chosen else no) / len(item.given))
    split = DAWID_SKENE if tied else MAJORITY if yes and no else UNANIMOUS
    how = SINGLE if len(item.given) == 1 else split
    return Decision(label, chosen, how, confidence, yes, no)


def _judge(item: Item, decisions: Sequence[Decision], bar: Bar, unit: str) -> tuple[str, str]:
    kinds = [one.missing for one in item.answers]
    if len(item.answers) < bar.answers:
        return WAITING, ""
    if not item.given:
        return {"flagged": FLAGGED, "skipped": SKIPPED}.get(kinds[0] if len(set(kinds)) == 1 else "", UNANSWERED), ""
    # A flag says that the actor is wrong or the sentence unclear; a sentence task is not about the actor.
    if unit == "actor" and "flagged" in kinds:
        return REVIEW, "flagged"
    if len(item.given) < bar.answers:
        return REVIEW, "answered by too few of those who saw it"
    if unsure := [one.label for one in decisions if one.confidence < bar.confidence]:
        return REVIEW, f"unsure of {', '.join(unsure)}"
    return DECIDED, ""


def _dawid_skene(answers: Answers, label: str) -> dict[int, float]:
    """The probability of one label by the number of the unit, after Dawid & Skene (1979)."""
    import pandas as pd
    from crowdkit.aggregation import DawidSkene

    rows = [
        (number, one.annotator, label in (one.labels or ()))
        for number, item in enumerate(answers.items)
        for one in item.given
    ]
    table = pd.DataFrame(rows, columns=["task", "worker", "label"]).astype({"label": int})
    if table["label"].nunique() < 2:
        return dict.fromkeys(table["task"], float(table["label"].iloc[0]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # crowd-kit uses arguments of pandas that its version 3 deprecates
        probabilities = DawidSkene(n_iter=100).fit_predict_proba(table)
    return {int(task): float(value) for task, value in probabilities[1].items()}
