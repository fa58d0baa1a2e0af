"""The memory of actor finding: what a document has said so far → whom its pronouns, descriptions and persons mean.

Stage: the acting actors of a document's sentences enter in order, antecedents and persons whom the document has
introduced leave; `actors` makes candidates of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from stance.records import Span

_FIRST = re.compile(r"\b(?:[Ww]e|[Oo]ur|[Uu]s|[Mm]y|I)\b")
_COLLECTIVE = re.compile(
    r"\b(?:both|each other|one another|all (?:three|four|five|six|of them)|(?:the|these|those|all) (?:\w+ )?"
    r"(?:two|three|four|five|six|sides|countries|neighbours|neighbors|participants|parties|states|governments|nations"
    r"|capitals|signatories|trio|pair|delegations|envoys|ministers|leaders|presidents))\b",
    re.IGNORECASE,
)
_NUMBERS = {"two": 2, "both": 2, "pair": 2, "three": 3, "trio": 3, "four": 4, "five": 5, "six": 6}
_WORD = r"[^\W\d_a-z][\w’'-]*[\w]"
_NAME = rf"{_WORD}(?: (?:al-|bin |ibn |de |van |von |ul-|ur-)?(?:{_WORD}|[A-Z]\.)){{1,3}}"
_ROLE = (
    r"(?i:president|premier|chancellor|(?:prime |foreign |defen[cs]e |interior |deputy )*minister|secretary(?: of state"
    r"| general|-general)?|ambassador|envoy|special representative|representative|spokes(?:man|woman|person)|chief|head"
    r"|director|adviser|advisor|commander|general|charg[eé] d['’]affaires|diplomat|official|consul|chair|chairman"
    r"|chairwoman|coordinator|rapporteur|commissioner|leader|governor|king|emir|crown prince)"
)
_AREA = r"(?: (?:to|in|for|on|at|of) (?:the )?[^\W\d_a-z]\w+(?: [^\W\d_a-z]\w+)?)?"
_AFTER = re.compile(rf"(?:['’]s)?(?:,? [\w-]+){{0,4}}? {_ROLE}{_AREA},? (?P<name>{_NAME})")
_THEN_ROLE = re.compile(rf"(?:['’]s)?(?: [\w-]+){{0,4}}? {_ROLE}\b")
_BEFORE = re.compile(rf"(?P<name>{_NAME}), (?:(?:the|a|an) )?$")
_HEAD_OF = re.compile(rf"(?P<name>{_NAME}), (?:[\w-]+ ){{0,4}}?{_ROLE} (?:of|for|at|to|with) (?:the )?$")


@dataclass(slots=True)
class Memory:
    """What a document has said so far, and its `topic`: the actor whom the whole document names most often.

    `people` are persons met by their own name, `introduced` those whom the document itself has given an actor (surname
    → actor), `before` the actors of the sentence before, `lead` its first, `place` the last state or capital that was
    named, `speaker` the last actor of a sentence in the first person, `manners` what kind of name an
    actor was last mentioned by, `last` the number of the sentence in which it last acted.
    """

    people: set[str] = field(default_factory=set)
    introduced: dict[str, str] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)
    lead: str | None = None
    place: str | None = None
    topic: str | None = None
    speaker: str | None = None
    counts: Counter[str] = field(default_factory=Counter)
    manners: dict[str, str] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    sentences: int = 0
    quoted: bool = False

    def note(self, text: str, actors: Sequence[str]) -> None:
        """Take in the acting actors of a sentence, in their order of mention."""
        opened, closed = text.count("“"), text.count("”")
        straight = text.count('"')
        if opened != closed:
            self.quoted = opened > closed
        elif straight % 2:
            self.quoted = not self.quoted
        self.sentences += 1
        if actors:
            self.before, self.lead = list(actors), actors[0]
            self.counts.update(actors)
            self.last.update(dict.fromkeys(actors, self.sentences))
            if _FIRST.search(text):
                self.speaker = actors[0]
        elif not self.quoted:
            self.before = []

    def antecedents(self, text: str, named: set[str]) -> dict[str, list[str]]:
        """Return whom a sentence may speak of without a name → the roles that they have in the memory.

        The first role is the main one. Actors in `named` are left out. A word for several ("the two sides") brings in
        all actors of the sentence before.
        """
        roles: dict[str, list[str]] = {}
        for actor, role in self._remembered(bool(_COLLECTIVE.search(text))):
            if actor and actor not in named and role not in roles.setdefault(actor, []):
                roles[actor].append(role)
        return roles

    def _remembered(self, several: bool) -> Iterator[tuple[str | None, str]]:
        for rank, actor in enumerate(self.before if several else self.before[:2]):
            yield actor, f"before{min(rank, 2)}"
        yield self.lead, "lead"
        yield self.place, "place"
        yield self.topic, "topic"
        yield self.speaker, "speaker"


def collective(text: str, before: int) -> list[str]:
    """Return the evidence that a sentence speaks of all of the `before` actors of the sentence before.

    >>> collective("The two sides agreed to talk.", 2), collective("They agreed.", 2)
    (['several', 'several fits'], [])
    """
    match = _COLLECTIVE.search(text)
    if match is None:
        return []
    number = next((_NUMBERS[word] for word in match[0].lower().split() if word in _NUMBERS), 0)
    fit = "fits" if number == before else "misfits" if number else "unnumbered"
    return ["several", f"several {fit}"]


def introductions(text: str, span: Span) -> list[str]:
    """Return the full names of persons whom `text` makes officials of the actor named at `span`.

    >>> text = "Ruritania's deputy foreign minister, Ada Elf, met Bo Mann, a spokesman for Strelsau."
    >>> introductions(text, (0, 9)), introductions(text, (75, 83))
    (['Ada Elf'], ['Bo Mann'])
    """
    before, after = text[max(0, span[0] - 90) : span[0]], text[span[1] : span[1] + 110]
    matches = [_AFTER.match(after), _HEAD_OF.search(before)]
    if _THEN_ROLE.match(after):
        matches.append(_BEFORE.search(before))
    return [match["name"] for match in matches if match]


def reappearances(text: str, surnames: Iterable[str], taken: Sequence[Span]) -> Iterator[tuple[str, Span]]:
    """Yield the first place of each of `surnames` in `text` that touches none of the spans `taken`."""
    for surname in surnames:
        for match in re.finditer(rf"(?<![\w-]){re.escape(surname)}(?![\w-])", text):
            if not any(start < match.end() and match.start() < end for start, end in taken):
                yield surname, match.span()
                break
