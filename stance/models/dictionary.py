"""The event dictionary. What enters is a sentence with its actor and target; what leaves is the events in it.

An event is a phrase of the dictionary (`lexicon.yaml`), the root that it stands for, and how surely it is the
actor's deed toward the target. The window-and-subject rules follow the dictionary coders of political science
(KEDS, TABARI; Schrodt 2001), without a parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

from stance.records import Example

ACTOR, TARGET = "ACTORX", "TARGETX"
_VOWELS = "aeiou"


@dataclass(frozen=True, slots=True)
class Event:
    """A phrase found in `Marked.text` at `start:end` (code points); `weight` in (0, 1] says how surely it is the
    actor's deed toward the target."""

    root: str
    phrase: str
    start: int
    end: int
    weight: float


@dataclass(frozen=True, slots=True)
class Root:
    """One family of phrases, and what denial and refusal turn it into (None: nothing)."""

    name: str
    pattern: re.Pattern[str]
    mutual: bool
    denied: str | None
    refused: str | None


@dataclass(frozen=True, slots=True)
class Dictionary:
    """The whole dictionary, its phrases compiled."""

    roots: Mapping[str, Root]
    denial: re.Pattern[str]
    refusal: re.Pattern[str]


def inflect(verb: str, irregular: Mapping[str, list[str]] | None = None) -> tuple[str, ...]:
    """Return a verb in all its forms, the base first.

    >>> inflect("urge"), inflect("deny")
    (('urge', 'urges', 'urged', 'urging'), ('deny', 'denies', 'denied', 'denying'))
    >>> inflect("drop"), inflect("reject")
    (('drop', 'drops', 'dropped', 'dropping'), ('reject', 'rejects', 'rejected', 'rejecting'))
    """
    if irregular and verb in irregular:
        return (verb, *irregular[verb])
    third = verb + ("es" if re.search(r"(s|x|z|ch|sh|o)$", verb) else "s")
    if verb.endswith("e"):
        return verb, third, f"{verb}d", f"{verb if verb.endswith('ee') else verb[:-1]}ing"
    if verb.endswith("y") and verb[-2] not in _VOWELS:
        return verb, f"{verb[:-1]}ies", f"{verb[:-1]}ied", f"{verb}ing"
    # One short syllable doubles its last consonant: drop, dropped. Longer verbs that do so stand in the file.
    stem = verb + verb[-1] if re.fullmatch(rf"[^{_VOWELS}]*[{_VOWELS}][^{_VOWELS}wxy]", verb) else verb
    return verb, third, f"{stem}ed", f"{stem}ing"


def mark(example: Example) -> str:
    """Return the sentence in which the actor's mention reads `ACTORX` and the target's mentions `TARGETX`.

    >>> mark(Example("Bern met the Reds.", actor="X", mention="Bern", start=0, end=4, targets=((13, 17),)))
    'ACTORX met the TARGETX.'
    """
    spans = [(start, end, TARGET) for start, end in example.targets]
    if example.start is not None and example.end is not None:
        # A mention that overlaps the target's name ("the Reds' hosts") would be cut in two: the actor wins.
        spans = [span for span in spans if span[1] <= example.start or span[0] >= example.end]
        spans.append((example.start, example.end, ACTOR))
    text = example.text
    for start, end, name in sorted(spans, reverse=True):
        text = text[:start] + name + text[end:]
    return text.replace("\u2019", "'")


def find(example: Example, dictionary: Dictionary) -> list[Event]:
    """Return the events of a sentence in reading order, at most one for every stretch of text (the longest wins)."""
    text = mark(example)
    found = [
        (match.start(), match.end(), root)
        for root in dictionary.roots.values()
        for match in root.pattern.finditer(text)
        if match.group(0) not in (ACTOR, TARGET)
    ]
    taken: list[tuple[int, int]] = []
    events: list[Event] = []
    for start, end, root in sorted(found, key=lambda hit: (hit[0] - hit[1], hit[0], hit[2].name)):
        if any(start < other_end and other_start < end for other_start, other_end in taken):
            continue
        taken.append((start, end))
        name = _negate(root, text[:start], dictionary)
        if name is not None:
            events.append(Event(name, text[start:end], start, end, _weight(text, (start, end), root)))
    return sorted(events, key=lambda event: event.start)


def _negate(root: Root, before: str, dictionary: Dictionary) -> str | None:
    scope = re.split(r"[;:,—]|\b(?:but|although|though|while)\b", before)[-1]
    words = " ".join(scope.replace("n't", " not").split()[-6:])
    if dictionary.refusal.search(words):
        return root.refused
    # Two denials ("does not deny") cancel out.
    return root.denied if len(dictionary.denial.findall(words)) % 2 else root.name


def _weight(text: str, span: tuple[int, int], root: Root) -> float:
    return min(1.0, _subject(text, span) * _object(text, span, root))


def _subject(text: str, span: tuple[int, int]) -> float:
    """How surely the actor is the one who acts: nearest before the phrase, or the agent of a passive."""
    at = text.find(ACTOR)
    if at < 0:  # only implied: the sentence is the actor's own words or deeds as often as not
        return 0.7
    if at < span[0]:
        between = text[at + len(ACTOR) : span[0]]
        weight = 1.0 if len(between.split()) <= 10 else 0.7
        # Somebody else who is named after a verb of saying or a conjunction is the nearer subject.
        rival = re.search(
            r"\b(?:said|says|that|while|but|urged|asked|told|accused|after|as|and)\s+(?:the\s+)?[A-Z]", between
        )
        return weight * (0.5 if rival and TARGET not in rival.group(0) + between[rival.end() :][:6] else 1.0)
    if re.search(rf"\bby (?:\S+ ){{0,2}}{ACTOR}", text[span[1] :]):
        return 0.9
    speaks = re.search(
        rf"{ACTOR}\S* (?:\S+ ){{0,3}}(?:said|says|told|added|warned|noted|stressed)|(?:said|says) {ACTOR}", text
    )
    if speaks:
        return 0.9
    return 0.6 if ACTOR in text[span[0] : span[1]] else 0.35


def _object(text: str, span: tuple[int, int], root: Root) -> float:
    """How surely the target is the one who is acted on: named near, and not itself the subject."""
    if TARGET not in text:
        return 0.7
    if f"by {TARGET}" in text[span[0] : span[1] + len(TARGET) + 4].replace("the ", ""):
        return 0.3
    if TARGET in text[span[0] : span[1]]:
        return 1.1
    before, after = text[: span[0]], text[span[1] :]
    if TARGET in " ".join(before.split()[-3:]) and TARGET not in after and ACTOR not in before and not root.mutual:
        return 0.4
    near = " ".join(before.split()[-12:] + after.split()[:12])
    return 1.0 if TARGET in near else 0.8


@lru_cache(maxsize=1)
def load() -> Dictionary:
    """Return the dictionary that ships with the kit, compiled."""
    content: dict[str, Any] = yaml.safe_load(
        resources.files("stance.models").joinpath("lexicon.yaml").read_text("utf-8")
    )
    irregular = content["irregular"]
    roots = {
        name: Root(
            name,
            compile_phrases(entry["phrases"], irregular),
            bool(entry.get("mutual", False)),
            entry["denied"],
            entry["refused"],
        )
        for name, entry in content["roots"].items()
    }
    return Dictionary(
        roots, compile_phrases(content["denials"], irregular), compile_phrases(content["refusals"], irregular)
    )


def compile_phrases(phrases: Iterable[str], irregular: Mapping[str, list[str]] | None = None) -> re.Pattern[str]:
    """Return one pattern that finds any of the phrases, in small or capital letters; the longest is tried first.

    >>> compile_phrases(["meet~ with", "urge~ ... talk*"]).findall("He urged more talks, then meets with us")
    ['urged more talks', 'meets with']
    """
    ordered = sorted(phrases, key=lambda phrase: -len(phrase.split()))
    # One boundary for all: where no word starts, no phrase is tried, which is most of the time saved.
    return re.compile(rf"(?<![\w-])(?:{'|'.join(_phrase(phrase, irregular or {}) for phrase in ordered)})(?!\w)", re.I)


_SPACE = r"""(?:'s?)?[\s"“”(]+(?:(?:the|a|an|its|their)\s+)?"""
_GAP = _SPACE + r"""(?:[^\s;]+[\s"“”(]+){0,5}?"""


def _phrase(phrase: str, irregular: Mapping[str, list[str]]) -> str:
    pieces: list[str] = []
    gap = False
    for word in phrase.split():
        if word == "...":
            gap = True
            continue
        forms = "|".join(_forms(part, irregular) for part in word.split("|"))
        pieces.append((_GAP if gap else _SPACE) * bool(pieces) + f"(?:{forms})")
        gap = False
    return "".join(pieces)


def _forms(word: str, irregular: Mapping[str, list[str]]) -> str:
    if word.endswith("~"):
        return "|".join(inflect(word[:-1], irregular))
    stem = re.escape(word.removesuffix("*").replace("TARGET", TARGET))
    return stem + (r"\w*" if word.endswith("*") else "")
