"""Actor finding: the sentences of one document → for each, the actors that it names or speaks for.

Stage: sentences in order enter, `Mention`s leave. Names come from the gazetteer; the evidence around them decides
whether they act or are only a place or an adjective; descriptions, pronouns and open quotations point back.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from stance.corpus import actor_evidence
from stance.corpus.actor_evidence import Weights
from stance.corpus.actor_memory import Memory, collective, introductions, reappearances
from stance.corpus.gazetteer import Found, Gazetteer, Reading, fold, load
from stance.records import Mention, Span

_YEAR = re.compile(r"\b(199\d|20[0-3]\d)\b")
_TITLE = re.compile(
    r"(?:president|minister|secretary|ambassador|general|gen|mr|mrs|ms|dr|chancellor|king|sheikh|spokesman|spokeswoman"
    r"|spokesperson|envoy|lord|senator|commander|marshal|premier|administration|col|adm|admiral) +$"
)
_DATELINE = re.compile(r"^[A-Z][A-Z/ .]{2,40}(?:, [\w./ ]+)?(?: \([^)]{1,25}\))? ?(?:[-–—]{1,2}|:) ")

_PREFIX = re.compile(r"\b(?:pro|anti|post|non|pre|trans|inter|intra)[-–]$", re.IGNORECASE)
_JOINT = re.compile(r"(?:,|,? and|,? or)? (?:the )?|[-–/]")
_PLACES = frozenset({"name", "people", "capital", "seat", "ground", "native"})
_SPEAKERS = frozenset({"name", "people", "capital", "office", "person"})
_INTRODUCERS = frozenset({"kind=name", "kind=people", "kind=office", "kind=native"})


class Candidate(NamedTuple):
    """An actor that a sentence may have: the evidence for it, and where it is mentioned (None: implied)."""

    actor: str
    evidence: list[str]
    span: Span | None


def find_actors(
    sentences: Sequence[str], *, date: str | None = None, gazetteer: Gazetteer | None = None
) -> list[tuple[Mention, ...]]:
    """Return the actors of each sentence of one document, in order of mention, the implied ones last.

    `sentences` are a document's, in order; `date` (ISO 8601) decides who held an office, and is inferred from the years
    in the text where it is not given. Each actor stands once per sentence, with its first mention's exact substring
    and offsets (0-based, half-open, in the sentence); `text`, `start` and `end` are None where the sentence only
    implies it. Persons and bodies that the gazetteer does not know are missed.
    """
    weights = actor_evidence.load_weights()
    found = []
    for candidates, memory, text in propose(sentences, date=date, gazetteer=gazetteer):
        mentions = _decide(candidates, text, weights)
        memory.note(text, [mention.actor for mention in mentions])
        found.append(mentions)
    return found


def propose(
    sentences: Sequence[str], *, date: str | None = None, gazetteer: Gazetteer | None = None
) -> Iterator[tuple[list[Candidate], Memory, str]]:
    """Yield each sentence's candidates, the document's memory and the sentence.

    The caller notes in the memory the actors that it accepts before it asks for the next sentence.
    """
    book = gazetteer or load()
    scans = [book.scan(text) for text in sentences]
    date = date or infer_date(sentences, scans)
    memory = Memory(topic=_topic(scans, date))
    for text, scan in zip(sentences, scans, strict=True):
        folded = fold(text)
        candidates = list(_named(text, folded, scan, date, memory))
        candidates += _introduced(text, folded, scan, memory)
        _learn(text, candidates, memory, book)
        named = {candidate.actor for candidate in candidates if "kind=short" not in candidate.evidence}
        candidates += _implied(text, _blank(folded, scan, memory), named, memory, book)
        memory.manners.update({c.actor: c.evidence[0] for c in reversed(candidates) if c.evidence[0] != "implied"})
        yield candidates, memory, text


def infer_date(sentences: Sequence[str], scans: Sequence[Sequence[Found]]) -> str | None:
    """Return since when the text must be (`2021/..`): the latest year that it or a first term names; None without."""
    years = [year for text in sentences for year in _YEAR.findall(text)]
    for found in (found for scan in scans for found in scan):
        terms = [reading.terms for reading in found.readings if reading.kind == "person" and reading.terms]
        if len(terms) == 1 and len(found.readings) == 1:
            years.append(min(first for first, _ in terms[0])[:4])
    return f"{max(years)}/.." if years else None


def _topic(scans: Sequence[Sequence[Found]], date: str | None) -> str | None:
    counts: Counter[str] = Counter()
    for found in (found for scan in scans for found in scan):
        for reading in found.readings:
            if reading.kind in _SPEAKERS and reading.holds(date):
                counts[reading.actor] += 1
                break
    return max(counts, key=lambda actor: counts[actor], default=None)


def locate(text: str, actor: str) -> Span | None:
    """Return where `text` first names `actor`: by a gazetteer name, else by its own name in any case; None if nowhere.

    >>> locate("Moscow said no.", "Russia"), locate("The Elders met.", "the elders"), locate("No.", "Russia")
    ((0, 6), (0, 10), None)
    """
    for found in load().scan(text):
        if any(actor in (reading.actor, reading.own) and reading.kind != "surname" for reading in found.readings):
            return found.start, found.end
    match = re.search(rf"(?<!\w){re.escape(actor)}(?!\w)", text, re.IGNORECASE) if actor.strip() else None
    return match.span() if match else None


def _named(text: str, folded: str, scan: Sequence[Found], date: str | None, memory: Memory) -> Iterator[Candidate]:
    dateline = match.end() if scan and (match := _DATELINE.match(text)) else 0
    series = 0, ""
    end = -2
    for found in scan:
        if _PREFIX.search(text, max(0, found.start - 6), found.start):
            continue
        joined = _JOINT.fullmatch(text, series[0], found.start)
        series = found.end, series[1] if joined else folded[max(0, found.start - 40) : found.start].rpartition("  ")[2]
        adjacent, end = found.start == end + 1, found.end
        choice = None if adjacent and _local(found) else _read(found, folded, date, memory)
        if choice is None:
            continue
        actor, reading = choice
        if reading.kind in _PLACES:
            memory.place = actor
            if found.end <= dateline:
                continue
        kind = "own" if reading.own == actor else reading.kind
        evidence = actor_evidence.named(text, folded, found.start, found.end, kind)
        if joined:
            evidence += [f"{kind} joined", *(f"{kind} joined {word}" for word in series[1].split()[-2:])]
        if adjacent:
            evidence.append(f"{kind} adjacent")
        yield Candidate(actor, evidence + _remembered(kind, actor, memory), (found.start, found.end))


def _remembered(kind: str, actor: str, memory: Memory) -> list[str]:
    evidence = [f"{kind} before"] if actor in memory.before else []
    return [*evidence, f"{kind} known"] if memory.counts[actor] else evidence


def _local(found: Found) -> bool:
    return any(reading.kind == "local" for reading in found.readings)


def _definite(found: Found, folded: str) -> bool:
    word, rest = folded[found.start : found.end], folded[found.end : found.end + 4]
    return not rest.startswith(" of ") and (word.endswith("s") or folded[: found.start].endswith(("the ", "this ")))


def _blank(folded: str, scan: Sequence[Found], memory: Memory) -> str:
    # The council in "Security Council" and the i in "Mazar-i-Sharif" point back to nobody.
    parts, end = [], 0
    for found in scan:
        if any(r.kind != "short" or memory.counts[r.actor] for r in found.readings):
            parts += [folded[end : found.start], "#" * (found.end - found.start)]
            end = found.end
    return "".join([*parts, folded[end:]])


def _introduced(text: str, folded: str, scan: Sequence[Found], memory: Memory) -> Iterator[Candidate]:
    taken = [(found.start, found.end) for found in scan]
    for surname, span in reappearances(text, memory.introduced, taken):
        actor = memory.introduced[surname]
        evidence = actor_evidence.named(text, folded, *span, "person")
        yield Candidate(actor, evidence + _remembered("person", actor, memory), span)


def _learn(text: str, candidates: Sequence[Candidate], memory: Memory, book: Gazetteer) -> None:
    for candidate in candidates:
        if candidate.span is None or _INTRODUCERS.isdisjoint(candidate.evidence):
            continue
        for name in introductions(text, candidate.span):
            if not book.scan(name):
                memory.introduced[name.split()[-1]] = candidate.actor


def _read(found: Found, folded: str, date: str | None, memory: Memory) -> tuple[str, Reading] | None:
    left = folded[max(0, found.start - 40) : found.start]
    around = f" {left} {folded[found.end : found.end + 16]}"
    former = (date is None or date.endswith("/..")) and (" former " in around or left.endswith("ex "))
    recent = max((reading.actor for reading in found.readings), key=lambda actor: memory.last.get(actor, 0))
    if not memory.counts[recent]:
        recent = ""
    for reading in found.readings:
        if reading.kind == "decoy":
            return None
        if reading.kind == "surname" and not (
            reading.own in memory.people or (reading.terms and _TITLE.search(left) and reading.holds(date))
        ):
            continue
        if reading.kind == "short" and (reading.actor != recent or not _definite(found, folded)):
            continue
        if reading.own is not None and (reading.kind == "surname" or " " in folded[found.start : found.end]):
            memory.people.add(reading.own)
        if reading.holds(date) and not (former and reading.kind == "person" and reading.own):
            return reading.actor, reading
    persons = [reading for reading in found.readings if reading.own in memory.people or reading.kind == "person"]
    return (persons[0].own, persons[0]) if persons and persons[0].own else None


def _implied(text: str, folded: str, named: set[str], memory: Memory, book: Gazetteer) -> Iterator[Candidate]:
    antecedents = memory.antecedents(text, named)
    if not antecedents:
        return
    evidence, span = actor_evidence.implied(text, folded, memory.quoted)
    several = collective(text, len(memory.before))
    if not evidence and not several:
        return
    others = min(len(named), 2)
    for actor, (role, *further) in antecedents.items():
        sort, manner = book.sort(actor), memory.manners.get(actor, "unnamed")
        own = ["implied", f"implied {role}", f"implied {role} others={others}", f"implied others={others}"]
        own += [f"implied {mark} {item}" for item in evidence for mark in ("any", role, sort, manner)]
        own += [f"implied {role} {manner}", f"implied {role} {sort}"]
        own += [f"implied {role} is {item}" for item in further]
        if role.startswith("before"):
            own += [f"implied {item}" for item in several]
        yield Candidate(actor, own, span)


def _decide(candidates: Sequence[Candidate], text: str, weights: Weights) -> tuple[Mention, ...]:
    spans: dict[str, Span | None] = {}
    implied: list[tuple[float, Candidate]] = []
    for candidate in candidates:
        if candidate.actor in spans or not weights.acts(candidate.evidence):
            continue
        if candidate.evidence[0] == "implied" and "implied several" not in candidate.evidence:
            implied.append((weights.score(candidate.evidence), candidate))
        else:
            spans[candidate.actor] = candidate.span
    if implied:
        _, best = max(implied, key=lambda pair: pair[0])
        spans.setdefault(best.actor, best.span)
    mentions = [
        Mention(actor, text[span[0] : span[1]], *span) if span else Mention(actor) for actor, span in spans.items()
    ]
    return tuple(sorted(mentions, key=lambda mention: (mention.start is None, mention.start or 0)))
