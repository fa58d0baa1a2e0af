"""The words of an example, as the linear model sees them. What enters is an example; what leaves is text units.

The actor's mention and the target's mentions become one token each, so that the model learns what is said about an
actor and not the actor's name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from stance.records import Example

ACTOR, TARGET = "\ue000", "\ue001"  # from the private use area: no text that was read carries a meaning there
TOKEN = re.compile(r"[\ue000\ue001]|[^\W\d_]+(?:['’\-][^\W\d_]+)*|\d+(?:[.,]\d+)*|[^\w\s]")
NEGATORS = frozenset({
    "not", "no", "never", "nor", "neither", "without", "cannot", "refuse", "refused", "refuses", "refusing",
    "reject", "rejected", "rejects", "denied", "denies", "deny", "yet", "rather", "nobody", "none", "nothing",
    "little", "few", "stop", "halt", "hardly", "unless", "until",
})  # fmt: skip
SUFFIXES = (
    ("ations", "at"), ("ation", "at"), ("ingly", ""), ("edly", ""), ("ies", "y"), ("ied", "y"), ("ying", "y"),
    ("ments", ""), ("ment", ""), ("ness", ""), ("ing", ""), ("ions", ""), ("ion", ""), ("ised", "is"), ("ized", "is"),
    ("ises", "is"), ("izes", "is"), ("ed", ""), ("es", ""), ("ers", "er"), ("ly", ""), ("s", ""), ("e", ""),
)  # fmt: skip


def mark(example: Example) -> str:
    """Return the lower-cased text with the actor's mention and each target span replaced by a token of their own.

    A target span that overlaps the mention is left out: the mention wins.

    >>> mark(Example("Iran met Taliban envoys.", "Iran", "Iran", 0, 4, ((9, 16),))).split()
    ['\\ue000', 'met', '\\ue001', 'envoys.']
    """
    start, end = example.start, example.end
    named = start is not None and end is not None
    spans = [(start, end, ACTOR)] if start is not None and end is not None else []
    spans += [(s, e, TARGET) for s, e in example.targets if not named or e <= (start or 0) or s >= (end or 0)]
    parts, done = [], 0
    for begin, stop, token in sorted(spans):
        parts += [plain(example.text[done:begin]), token]
        done = max(done, stop)
    return " ".join([*parts, plain(example.text[done:])]).lower()


def names(example: Example) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the distinct lower-cased words of the actor's name, and of the target's names in the text.

    >>> names(Example("Iran met Taliban envoys.", "Iran", "Iran", 0, 4, ((9, 16),)))
    (('iran',), ('taliban',))
    """
    targets = " ".join(example.text[start:end] for start, end in example.targets)
    actor, target = (dict.fromkeys(TOKEN.findall(plain(one).lower())) for one in (example.actor or "", targets))
    return tuple(actor), tuple(target)


def plain(text: str) -> str:
    """Return the text without the two characters that mark actor and target."""
    return text.replace(ACTOR, " ").replace(TARGET, " ")


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """Return a lower-cased word without its commonest English endings: cruder than a stemmer, and without a dependency.

    >>> [stem(word) for word in ("talks", "talking", "recognised", "recognize", "countries")]
    ['talk', 'talk', 'recognis', 'recognis', 'country']
    """
    word = word.replace("’", "'").removesuffix("'s")
    if len(word) <= 4:
        return word[:-1] if len(word) == 4 and word[-1] == "s" and word[-2] != "s" else word
    for suffix, rest in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) + len(rest) >= 4:
            word = word[: len(word) - len(suffix)] + rest
            break
    if len(word) > 4 and word[-1] == word[-2] and word[-1] not in "sle":
        word = word[:-1]
    return word[:-1] + "s" if word.endswith("iz") else word


def units(word: str, sizes: Sequence[int]) -> tuple[str, ...]:
    """Return a token's units: itself (`w:`), its stem (`s:`) and the character n-grams of the word (`c:`).

    >>> units("talks", (5,))
    ('w:talks', 's:talk', 'c:<talk', 'c:talks', 'c:alks>')
    """
    if word[0].isdigit():
        word = "0"
    framed = f"<{word}>" if len(word) > 3 else ""
    grams = (f"c:{framed[i : i + n]}" for n in sizes for i in range(len(framed) - n + 1))
    return (f"w:{word}", f"s:{stem(word)}", *grams)
