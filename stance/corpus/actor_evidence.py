"""Evidence that a name acts: a name, a description or a pronoun in its sentence → a score.

Stage: finds of the gazetteer enter, `judge` weighs the words around them. The weights are a small logistic regression
(`gazetteer/weights.json`), fitted to the shipped corpus alone by `experiments/benchmarks/actors.py --fit`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

ROLES = frozenset(
    "official officials ministry minister ministers diplomat diplomats ambassador ambassadors envoy envoys embassy spokesman spokeswoman "
    "spokesperson government governments authorities president premier police soldiers troops forces officers guards delegation delegate "
    "representative mission sources court parliament lawmakers army military leaders leader secretary chief commander side negotiators".split()
)  # fmt: skip
"""Nouns for people and bodies that act for someone."""

ACTS = frozenset(
    "said says say told tells asked asks urged urges called calls warned warns condemned condemns rejected rejects denied denies announced announces "
    "welcomed welcomes voiced expressed expresses reiterated stressed noted added wants wanted will would has had is was have did does hosted hosts "
    "recognized recognised recognises recognizes imposed imposes lifted lifts froze blocked sent sends met meets held holds offered offers agreed agrees "
    "backed backs supported supports opposed opposes accused accuses demanded demands pledged insists insisted believes sees considers seeks vows vowed".split()
)  # fmt: skip
"""Verb forms that an acting subject is followed by, and an inverted one preceded by ("warns Moscow")."""

_WINDOW = 48


@dataclass(frozen=True, slots=True)
class Weights:
    """A fitted judge: the score of a candidate is `bias` plus the weights of its evidence; it acts over `threshold`."""

    bias: float
    threshold: float
    weights: dict[str, float]

    def score(self, evidence: Iterable[str]) -> float:
        """Return the log-odds that the candidate acts."""
        get = self.weights.get
        return self.bias + sum(get(item, 0.0) for item in evidence)


@lru_cache(maxsize=1)
def load_weights() -> Weights:
    """Return the shipped weights (read once)."""
    return Weights(**json.loads(resources.files("stance.corpus").joinpath("gazetteer/weights.json").read_text("utf-8")))


def named(text: str, folded: str, start: int, end: int, kind: str) -> list[str]:
    """Return the evidence about a name at `text[start:end]`; `folded` is `fold(text)`, as long as `text`."""
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
    if left in ACTS:
        evidence.append(f"{kind} acts left")
    if right in ACTS or right2 in ACTS:
        evidence.append(f"{kind} acts right")
    if text[end : end + 1] == "-" or text[max(0, start - 1) : start] == "-":
        evidence.append(f"{kind} hyphen")
    if left == "the":
        evidence += [f"l3={before[-3]} {left2} the", f"the l={left2}"]
    if any(word in ROLES for word in after[:4]):
        evidence.append(f"{kind} role after")
    if not ROLES.isdisjoint(before[-4:]):
        evidence.append(f"{kind} role before {left if left != 'the' else left2}")
    if text.isupper():
        evidence.append("capitals")
    return evidence


def _sign(letter: str) -> str:
    return "w" if letter.isalnum() else "." if letter in ".?!" else letter


_TRIGGERS = re.compile(
    r" (he|she|they|we|i|our|us|my|him|his|her|it|its|their|you|your"
    r"|(?:(?:the|a|an|its|his|her|their|our|my|this|some|one|foreign|defence|defense|interior|prime|senior|external|affairs|deputy|two|same) )*"
    r"(?:ministry|minister|ministers|president|premier|spokesman|spokeswoman|spokesperson|government|officials?|ambassador|envoys?|"
    r"embassy|mission|army|military|troops|soldiers|council|committee|court|agency|group|organisation|organization|bloc|alliance|kingdom|"
    r"chancellor|secretary|foreign office|readout|statement|hosts?|delegation|delegate|diplomats?|administration|country|republic|front|"
    r"treasury|prosecutors?|general|commander|senator|leader|capital|side|department|parliament|aide|rebels|fighters|body))(?= )"
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
        evidence.append(f"{'pronoun' if len(word) < 5 and ' ' not in match[1] else 'noun'} then {following[0] if following else '$'}")
        if len(word) > 5 and span is None:
            span = (at, at + len(match[1]))
    return list(dict.fromkeys(evidence)), span
