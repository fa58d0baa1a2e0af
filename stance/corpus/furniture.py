"""Page furniture: lines of a web page that are no part of the article. A line enters; a yes or no leaves.

Phrases (furniture.txt) are matched against the whole line, patterns against its beginning, both only on short lines:
a sentence that merely contains such a word is never furniture.
"""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from typing import Final

from stance.corpus.dates import is_date_line

_AGENCIES: Final = (
    r"(?:ap|afp|reuters|epa|efe|getty(?: images)?|xinhua|tass|sputnik|ria novosti|irna|anadolu|ani|pti|shutterstock)"
)
_LINES: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), longest)
    for pattern, longest in (
        (r"(?:share|tweet|e-?mail|print|save) (?:this|on|via|it)\b(?!.*[.!?]$)", 60),
        (r"(?:read|see|watch|listen)(?: (?:more|also|next|on|live))+ ?[:|–—]", 200),
        (
            r"(?:also read|related(?: \w+)?|more on this|don['’]t miss|must read|recommended|editor['’]s note) ?[:|]",
            200,
        ),
        (r"(?:follow|like|join|find) us on\b", 120),
        (r"follow .{1,40} on (?:twitter|x|facebook|telegram|instagram|google news|whatsapp)\b", 120),
        (
            r"(?:subscribe|sign up|register)\b.{0,80}\b(?:newsletter|channel|e-?mail|updates|inbox|account|briefing)",
            160,
        ),
        (r"subscribe (?:to|now|for|today)\b", 120),
        (r"(?:click|tap) here\b|download (?:our|the) app\b|get (?:our|the) app\b", 120),
        (r"(?:comments?|views|shares|tags?|topics|keywords|filed under|categor(?:y|ies)|posted in|labels) ?[:(]", 160),
        (r"\d+ (?:comments?|shares?|views?|min(?:ute)?s? read|(?:minute|hour|day)s? ago)$", 40),
        (r"(?:copyright\b|©|\(c\) ?\d{4})", 300),
        (r".{0,120}\ball rights reserved\b", 200),
        (r"(?:[^.]{0,80}\b)?(?:we|this (?:web)?site|our (?:web)?site) uses? cookies\b", 500),
        (r".{0,120}\b(?:accept|consent|agree)\b.{0,80}\bcookies\b|by continuing to (?:use|browse)\b", 400),
        (r"(?:the )?(?:views|opinions)(?: and (?:views|opinions))? expressed\b", 400),
        (
            r"(?:not all|the|all) (?:news|views|opinions|contents?|materials?)\b.{0,40}"
            r" (?:on|of|in) (?:the|this|our) (?:web)?site\b",
            400,
        ),
        (
            r"\(?(?:file )?(?:photo(?:graph)?|image|picture|illustration|graphic|video|screenshot|credit)s?"
            r" ?(?::|/|©|\||by (?-i:[A-Z])|credit|courtesy)",
            200,
        ),
        (rf"\(?{_AGENCIES}(?: ?/ ?| photo\b| file\b| via {_AGENCIES}\b).{{0,80}}$", 100),
        (rf".{{0,80}}[/|(] ?{_AGENCIES}(?: images| photo)?\)?$", 100),
        (
            r"\(?(?:based on|with) (?:additional )?(?:materials?|inputs?|reports?|reporting|information)"
            r" (?:from|by)\b",
            120,
        ),
        (r"\(?(?:additional )?(?:reporting|writing|edited|editing|reported|written|compiled|translated) by\b", 200),
        (r"\(?source ?: .{1,60}$", 80),
    )
)
_BYLINE: Final = re.compile(r"(?:By|BY) [A-Z][\w.'’-]+(?: (?:and|AND|&|[A-Z][\w.'’-]+)){1,6}(?: ?[|,/].{0,40})?$")
_LONGEST: Final = max(longest for _, longest in _LINES)


def is_furniture(line: str) -> bool:
    """Say whether a line is a menu entry, a share button, a credit, a notice, a date line, or has no letter or digit.

    >>> is_furniture("/ Subscribe"), is_furniture("Photo: Foreign Ministry"), is_furniture("10:05 GMT 19.08.2021")
    (True, True, True)
    >>> is_furniture("The opposition will share this post with two ministers.")
    False
    """
    if not line or len(line) > _LONGEST:
        return False
    bare = line.strip(" \t/|•·»›>*-–—:…#")
    if bare.casefold() in _phrases() or not any(character.isalnum() for character in bare):
        return True
    return (
        any(len(bare) <= longest and pattern.match(bare) for pattern, longest in _LINES)
        or is_date_line(bare)
        or (len(bare) <= 90 and bool(_BYLINE.match(bare)))
    )


@lru_cache(maxsize=1)
def _phrases() -> frozenset[str]:
    return frozenset(resources.files("stance.corpus").joinpath("furniture.txt").read_text("utf-8").splitlines())
