"""Target finding: a text → the spans that name the codebook's target.

Stage: a sentence and the codebook's `Target` enter, spans leave. The names and the names that merely hold one of them
come from the codebook; nothing here knows which target it is.
"""

from __future__ import annotations

import re
from functools import lru_cache

from stance.coding import Target
from stance.records import Span

WORD_GAP = r"\s+"


def find_targets(text: str, target: Target) -> tuple[Span, ...]:
    """Return the whole-word mentions of `target` in `text`, from left to right, none inside an excluded name.

    Spans are 0-based, half-open, in code points of `text`, and never overlap: the longest name wins. A word with a
    capital is matched in its own case or in capitals, a phrase with one in any case after its first letter, a name in
    small letters in any case. The "'s" of a possessive is left out.

    >>> target = Target(name="T", description="", names=("Ruritania", "Ruritanian army"), excluded=("New Ruritania",))
    >>> find_targets("RURITANIA's rulers fear the Ruritanian army, not New Ruritania.", target)
    ((0, 9), (28, 43))
    """
    return tuple(match.span("name") for match in _pattern(target).finditer(text) if match["name"] is not None)


@lru_cache(maxsize=32)
def _pattern(target: Target) -> re.Pattern[str]:
    excluded = "|".join(map(_spelt, sorted(target.excluded, key=len, reverse=True)))
    names = "|".join(map(_spelt, sorted(target.names, key=len, reverse=True)))
    before, after = r"(?<![\w])", r"(?![\w])"
    skipped = rf"{before}(?:{excluded}){after}|" if excluded else ""
    return re.compile(rf"{skipped}{before}(?P<name>{names}){after}")


def _spelt(name: str) -> str:
    first, *rest = (re.escape(word) for word in name.split())
    if name.islower():
        return f"(?i:{WORD_GAP.join((first, *rest))})"
    if rest:
        return f"{first[0]}(?i:{WORD_GAP.join((first[1:], *rest))})"
    return first if name.isupper() else f"{first}|{first.upper()}"
