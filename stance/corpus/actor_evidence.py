"""Evidence that a name acts: a name, a description or a pronoun in its sentence → a score.

Stage: finds of the gazetteer enter, `judge` weighs the words around them. The weights are a small logistic regression
(`gazetteer/weights.json`), fitted to the shipped corpus alone by `experiments/benchmarks/actors.py --fit`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

import yaml

PLACE_USE = "place use"
_PLACE_KINDS = frozenset({"name", "capital", "ground", "seat"})
_POSSESSIVES = frozenset({"our", "its", "their", "his", "her", "my", "your", "own", "whose"})
_WINDOW = 48


@dataclass(frozen=True, slots=True)
class Weights:
    """A fitted judge: a candidate's score is `bias` plus the weights of its evidence; it acts over `threshold`.

    A name that stands as a place does ("in Doha") acts over `place_threshold` only.
    """

    bias: float
    threshold: float
    place_threshold: float
    weights: dict[str, float]

    def score(self, evidence: Iterable[str]) -> float:
        """Return the log-odds that the candidate acts."""
        get = self.weights.get
        return self.bias + sum(get(item, 0.0) for item in evidence)

    def acts(self, evidence: Sequence[str]) -> bool:
        """True if the candidate with this evidence acts."""
        return self.score(evidence) > (self.place_threshold if PLACE_USE in evidence else self.threshold)


@dataclass(frozen=True, slots=True)
class Words:
    """The word classes that evidence looks at; `gazetteer/words.yaml` says what each holds."""

    roles: frozenset[str]
    acts: frozenset[str]
    places: frozenset[str]
    journeys: frozenset[str]


@lru_cache(maxsize=1)
def load_words() -> Words:
    """Return the shipped word classes (read once)."""
    words = yaml.safe_load(resources.files("stance.corpus").joinpath("gazetteer/words.yaml").read_text("utf-8"))
    return Words(**{name: frozenset(text.split()) for name, text in words.items()})


@lru_cache(maxsize=1)
def load_weights() -> Weights:
    """Return the shipped weights (read once)."""
    return Weights(**json.loads(resources.files("stance.corpus").joinpath("gazetteer/weights.json").read_text("utf-8")))


def named(text: str, folded: str, start: int, end: int, kind: str) -> list[str]:
    """Return the evidence about a name at `text[start:end]`; `folded` is `fold(text)`, as long as `text`."""
    words = load_words()
    before = folded[max(0, start - _WINDOW) : start].split()[-4:]
    after = folded[end : end + _WINDOW].split()[:4]
    if after and after[0].startswith("'"):
        after[0] = "'s"
    before = ["^", "^", "^", *before]
    after = [*after, "$", "$", "$"]
    left, left2, right, right2 = before[-1], before[-2], after[0], after[1]
    evidence = [
        f"kind={kind}",
        f"l={left}",
        f"r={right}",
        f"{kind} l={left}",
        f"{kind} r={right}",
        f"l2={left2} {left}",
        f"r2={right2}" if right == "'s" else f"rr={right2}",
        f"{kind} end={right[-2:]}",
        f"{kind} ends={left[-2:]}",
        f"{kind} lc={_sign(text[max(0, start - 2) : start].rstrip()[-1:])}",
        f"{kind} rc={_sign(text[end : end + 2].strip()[:1])}",
    ]
    if left in words.acts:
        evidence.append(f"{kind} acts left")
    if right in words.acts or right2 in words.acts:
        evidence.append(f"{kind} acts right")
    if text[end : end + 1] == "-" or text[max(0, start - 1) : start] == "-":
        evidence.append(f"{kind} hyphen")
    if left in _POSSESSIVES or left.endswith("'s"):
        evidence.append(f"{kind} owned")
    if left.isdigit():
        evidence.append(f"{kind} numbered")
    if left == "the":
        evidence += [f"l3={before[-3]} {left2} the", f"the l={left2}"]
    evidence += _roles(kind, before, after, words)
    if text.isupper():
        evidence.append("capitals")
    return evidence


def _roles(kind: str, before: list[str], after: list[str], words: Words) -> list[str]:
    near, far = (before[-2], before[-3]) if before[-1] == "the" else (before[-1], before[-2])
    evidence = []
    followed, preceded = not words.roles.isdisjoint(after[:4]), not words.roles.isdisjoint(before[-4:])
    if followed:
        evidence.append(f"{kind} role after")
    if preceded:
        evidence.append(f"{kind} role before {near}")
    somewhere = near in words.places or (near == "to" and far in words.journeys)
    if somewhere and kind in _PLACE_KINDS and not (followed or preceded or after[0] == "'s"):
        evidence.append(PLACE_USE)
    return evidence


def _sign(letter: str) -> str:
    return "w" if letter.isalnum() else "." if letter in ".?!" else letter


_TRIGGERS = re.compile(
    r" (he|she|they|we|i|our|us|my|him|his|her|it|its|their|you|your"
    r"|(?:(?:the|a|an|its|his|her|their|our|my|this|some|one|foreign|defence|defense|interior|prime|senior|external"
    r"|affairs|deputy|two|same) )*"
    r"(?:ministry|minister|ministers|president|premier|spokesman|spokeswoman|spokesperson|government|officials?"
    r"|ambassador|envoys?|embassy|mission|army|military|troops|soldiers|council|committee|court|agency|group"
    r"|organisation|organization|bloc|alliance|kingdom|chancellor|secretary|foreign office|readout|statement|hosts?"
    r"|delegation|delegate|diplomats?|administration|country|republic|front|treasury|prosecutors?|general|commander"
    r"|senator|leader|capital|side|department|parliament|aide|rebels|fighters|body))(?= )"
)


def implied(text: str, folded: str, quoted: bool) -> tuple[list[str], tuple[int, int] | None]:
    """Return the evidence that a sentence speaks of an actor without its name, and the span of the describing noun.

    `quoted` says that a quotation was open where the sentence starts. The evidence is empty where nothing in the
    sentence points back; the span is None where only pronouns or the open quotation do.
    """
    evidence: list[str] = []
    span = None
    starts = text[:1] in "\"“‘'"
    if quoted or starts:
        evidence.append("quote open" if quoted else "quote starts")
    for match in _TRIGGERS.finditer(f" {folded} "):
        word = match[1].rsplit(" ", 1)[-1]
        at = match.start(1) - 1
        bare = " bare" if len(word) > 4 and word == match[1] else ""
        place = "first" if at <= 1 else "later"
        evidence += [f"{word} {place}{bare}", f"{match[1]}{bare}"]
        following = folded[at + len(match[1]) : at + len(match[1]) + 14].split()[:1]
        sort = "pronoun" if len(word) < 5 and word == match[1] else "noun"
        evidence.append(f"{sort} then {following[0] if following else '$'}")
        if len(word) > 5 and span is None:
            span = (at, at + len(match[1]))
    return list(dict.fromkeys(evidence)), span
