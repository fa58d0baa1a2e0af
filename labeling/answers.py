"""What counts as an annotator's answer: annotations enter; one answer per annotator and unit leaves.

A unit is what the task labels: an example (one actor in one sentence), or the sentence itself. Agreement,
adjudication and gold all read these answers, so that they agree on what was said. The rules:

1. An annotator's later annotation of an example replaces the earlier one, also by a skip.
2. A sentence task may reach an annotator several times, once through each actor. The latest of their usable answers
   counts; how many said something else before is counted (`replaced`).
3. Skipped, flagged, misfitting and open are missing values, each by its name; the empty set is an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from labeling.annotations import Annotation
from stance.codebook import Codebook
from stance.errors import DataError
from stance.records import Example

MISSING = ("flagged", "skipped", "misfit", "open")
"""Why one who saw a unit gave no answer: a flag, a skip, an answer outside the codebook, the task left open."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One annotator's answer to one unit: `labels` in codebook order, or None and in `missing` one of `MISSING`."""

    annotator: str
    labels: tuple[str, ...] | None
    missing: str
    source: Annotation


@dataclass(frozen=True, slots=True)
class Item:
    """A unit with everyone's answers, one per annotator, by name. `example` has no labels, and no actor where the
    task is coded per sentence."""

    example: Example
    answers: tuple[Answer, ...]

    @property
    def given(self) -> tuple[Answer, ...]:
        """The answers that are no missing values."""
        return tuple(answer for answer in self.answers if answer.labels is not None)


@dataclass(frozen=True, slots=True)
class Answers:
    """All answers to one task, units in order of first appearance. `labels` is the codebook's order."""

    task: str
    unit: str
    labels: tuple[str, ...]
    items: tuple[Item, ...]
    replaced: int = 0

    @property
    def annotators(self) -> dict[str, int]:
        """How many answers each annotator gave, by name."""
        counts = Counter(answer.annotator for item in self.items for answer in item.given)
        return dict(sorted(counts.items()))

    @property
    def missing(self) -> dict[str, int]:
        """How many missing values there are of each kind in `MISSING`."""
        counts = Counter(answer.missing for item in self.items for answer in item.answers)
        return {why: counts[why] for why in MISSING}

    @property
    def codebooks(self) -> dict[str, int]:
        """How many answers were given under each codebook hash."""
        return dict(Counter(answer.source.codebook for item in self.items for answer in item.given))


def collect_answers(annotations: Iterable[Annotation], book: Codebook, task: str) -> Answers:
    """Return everyone's answers to one task of the codebook.

    Raises CodebookError for a task or label that the codebook does not have, DataError for an unreadable time.
    """
    definition = book.task(task)
    newest: dict[tuple[str, str], Annotation] = {}
    for one in annotations:
        key = one.annotator, one.example.id
        if (one.example.actor or definition.unit == "sentence") and (
            key not in newest or _moment(one) >= _moment(newest[key])
        ):
            newest[key] = one
    units: dict[str, Example] = {}
    seen: dict[str, dict[str, list[Annotation]]] = {}
    for one in newest.values():
        unit = unit_of(one.example, definition.unit)
        units.setdefault(unit.id, unit)
        seen.setdefault(unit.id, {}).setdefault(one.annotator, []).append(one)
    items, replaced = [], 0
    for name, unit in units.items():
        found = [_settle(sorted(own, key=_moment), task) for _, own in sorted(seen[name].items())]
        replaced += sum(count for _, count in found)
        items.append(Item(unit, tuple(_ordered(answer, definition.order) for answer, _ in found)))
    return Answers(task, definition.unit, definition.labels, tuple(items), replaced)


def refuse_unanswered(answers: Answers) -> None:
    """Raise DataError where nobody answered the task."""
    if not answers.annotators:
        named = ", ".join(f"{number} {why}" for why, number in answers.missing.items() if number) or "no annotation"
        raise DataError(f"nobody answered the task '{answers.task}' ({named}); label first, or name another --task")


def unit_of(example: Example, unit: str) -> Example:
    """Return what a task labels in an example: itself, or for a sentence task the sentence without the actor."""
    if unit == "actor":
        return replace(example, labels=None)
    return replace(example, actor=None, mention=None, start=None, end=None, labels=None)


def latest(item: Item) -> Answer:
    """Return the answer that was given last, whoever gave it, missing values among them."""
    return max(item.answers, key=lambda answer: _moment(answer.source))


def pseudonyms(annotators: Iterable[str]) -> dict[str, str]:
    """Return letters for names, in the order of the names.

    >>> pseudonyms(["zoe@example.org", "ann@example.org"])
    {'ann@example.org': 'A', 'zoe@example.org': 'B'}
    """
    return {name: _letters(number) for number, name in enumerate(sorted(set(annotators)))}


def _letters(number: int) -> str:
    return ("" if number < 26 else _letters(number // 26 - 1)) + chr(ord("A") + number % 26)


def _settle(own: Sequence[Annotation], task: str) -> tuple[Answer, int]:
    """One annotator's answer to a unit from their annotations of it, oldest first, and how many differ from it."""
    usable = [one for one in own if one.usable and one.labels.get(task) is not None]
    if not usable:
        return Answer(own[-1].annotator, None, _why(own[-1]), own[-1]), 0
    last = usable[-1]
    given = last.labels[task] or ()
    differing = sum(set(one.labels[task] or ()) != set(given) for one in usable[:-1])
    return Answer(last.annotator, given, "", last), differing


def _why(annotation: Annotation) -> str:
    facts = (annotation.flags, annotation.skipped, annotation.problems, True)
    return next(why for why, fact in zip(MISSING, facts, strict=True) if fact)


def _ordered(answer: Answer, order: Callable[..., tuple[str, ...]]) -> Answer:
    if answer.labels is None:
        return answer
    where = f"annotation {answer.source.id} of example {answer.source.example.id}"
    return replace(answer, labels=order(answer.labels, where))


def _moment(annotation: Annotation) -> tuple[datetime, int]:
    """When an annotation was last changed; without a time, its number in the server decides."""
    text = annotation.updated_at or annotation.created_at
    try:
        moment = datetime.fromisoformat(text) if text else datetime.min
    except ValueError as error:
        raise DataError(
            f"annotation {annotation.id} of example {annotation.example.id}: '{text}' is no ISO 8601 time; pull again"
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC), annotation.id
