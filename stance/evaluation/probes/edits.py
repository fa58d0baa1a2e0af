"""Changing words of an example. An example and replacements enter; the changed example leaves, its spans in place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from stance.coding import Target
from stance.corpus.targets import find_targets
from stance.records import Example, Span


@dataclass(frozen=True, slots=True)
class Replacement:
    """`words` for the characters `start:end` of a text (0-based, half-open)."""

    start: int
    end: int
    words: str


def rewrite(text: str, replacements: Iterable[Replacement]) -> str:
    """Return `text` with all replacements made; they must not overlap.

    >>> rewrite("Oslo met Oslo.", [Replacement(0, 4, "Rome"), Replacement(9, 13, "Bern")])
    'Rome met Bern.'
    """
    pieces, position = [], 0
    for each in sorted(replacements, key=lambda each: each.start):
        pieces += [text[position : each.start], each.words]
        position = each.end
    return "".join(pieces) + text[position:]


def edit(example: Example, replacements: Sequence[Replacement], target: Target) -> Example | None:
    """Return the example with words of its sentence replaced, its mention and the target found again.

    None where that is not the same question: a replacement cuts the actor's mention in two, or the target is named
    more or fewer times than before. Labels stay: they are what the change must not touch.
    """
    text = rewrite(example.text, replacements)
    targets = find_targets(text, target)
    if len(targets) != len(find_targets(example.text, target)):
        return None
    if example.start is None or example.end is None:
        return replace(example, text=text, targets=targets)
    span = _moved((example.start, example.end), replacements)
    if span is None:
        return None
    start, end = span
    return replace(example, text=text, mention=text[start:end], start=start, end=end, targets=targets)


def overlaps(span: Span, others: Iterable[Span]) -> bool:
    """Tell whether a span shares a character with any of the others."""
    return any(start < span[1] and span[0] < end for start, end in others)


def _moved(span: Span, replacements: Sequence[Replacement]) -> Span | None:
    start, end = span
    for each in replacements:
        inside = span[0] <= each.start and each.end <= span[1]
        if not inside and overlaps((each.start, each.end), [span]):
            return None
        growth = len(each.words) - (each.end - each.start)
        start += growth if each.end <= span[0] else 0
        end += growth if each.end <= span[1] else 0
    return start, end
