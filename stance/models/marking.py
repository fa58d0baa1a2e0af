"""What an encoder reads. One example enters; a marked sentence, its context and the actor's span leave.

The actor's mention and the target's mentions are set off by punctuation that every vocabulary knows (typed entity
markers in plain characters, after Zhou and Chen 2022, "An Improved Baseline for Sentence-level Relation
Extraction"), so no embedding has to be learned from nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from stance.records import Example, Span

ACTOR = "@"
TARGET = "#"
MASKED = "the actor"

LONGEST = 110  # words of a sentence that are kept around the mention; more would not fit in an encoder's window
BEFORE, AFTER = 14, 4  # words of the sentence before and of the one after that are kept as context


@dataclass(frozen=True, slots=True)
class Marked:
    """`actor` is the span of the marked actor in `text`, None when the example has no actor. `context` is None when
    none is read, which is not the same to an encoder as a sentence without neighbours."""

    text: str
    context: str | None
    actor: Span | None


def mark(example: Example, *, name: str | None = None, context: bool = True) -> Marked:
    """Return what the encoder reads for one example.

    `name` stands in for the actor's own words (MASKED hides who it is). An implied actor is named before the
    sentence, since the model has to know whose stance is asked for.

    >>> mark(Example("Iran met the Taliban.", actor="Iran", mention="Iran", start=0, end=4, targets=((13, 20),)))
    Marked(text='@ Iran @ met the # Taliban #.', context='', actor=(0, 8))
    >>> mark(Example("He met them.", actor="Iran", prev="Araghchi spoke.")).text
    '@ Iran @ : He met them.'
    """
    pieces: list[str] = []
    actor: Span | None = None
    length = 0
    if example.actor is not None and example.start is None:
        shown = f"{ACTOR} {name or example.actor} {ACTOR}"
        actor = (0, len(shown))
        pieces.append(f"{shown} : ")
        length = len(pieces[0])
    first, last = _window(example)
    position = first
    for start, end, marker in _spans(example, last):
        if start < first or end > last:
            continue
        words = (name or example.text[start:end]) if marker == ACTOR else example.text[start:end]
        shown = f"{marker} {words} {marker}"
        pieces += [example.text[position:start], shown]
        length += start - position
        if marker == ACTOR:
            actor = (length, length + len(shown))
        length += len(shown)
        position = end
    pieces.append(example.text[position:last])
    return Marked("".join(pieces), _context(example) if context else None, actor)


def _spans(example: Example, last: int) -> list[tuple[int, int, str]]:
    """Spans to mark, in order and without overlap; the actor wins over the target ("the Taliban's foes"), and one
    that is longer than what is read ends at `last`."""
    spans: list[tuple[int, int, str]] = []
    if example.start is not None and example.end is not None:
        spans.append((example.start, min(example.end, last), ACTOR))
    for start, end in example.targets:
        if not any(s < end and start < e for s, e, _ in spans):
            spans.append((start, end, TARGET))
    return sorted(spans)


def _window(example: Example) -> Span:
    """The part of the sentence that is read: all of it, or LONGEST words around the actor's mention."""
    text = example.text
    if len(text) <= LONGEST * 4:
        return 0, len(text)
    room = LONGEST * 6
    begin = example.start or 0
    end = min(example.end or 0, begin + room)
    first = max(0, min((begin + end - room) // 2, len(text) - room))
    start = first + text[first : first + 40].find(" ") + 1 if first else 0  # begin with a whole word
    return (start if example.start is None or start <= begin else first), first + room


def _context(example: Example) -> str:
    before, after = _last_words(example.prev), _first_words(example.next)
    return f"{before} | {after}" if before or after else ""


def _last_words(text: str) -> str:
    return " ".join(text[-BEFORE * 20 :].split()[-BEFORE:])


def _first_words(text: str) -> str:
    return " ".join(text[: AFTER * 20].split()[:AFTER])
