"""What the linear model reads. What enters is examples; what leaves is integer feature keys, one block per question.

The actor's mention and the target's mentions become one token each, so that the model learns what is said about an
actor and not the actor's name. A key packs (block, place, unit, unit) into 64 bits without collisions, so that all
of this is array arithmetic: no Python runs per n-gram, only per token and per distinct word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stance.records import Example

Integers = NDArray[np.int64]

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

BLOCKS = ("word", "stem", "pair", "char", "zone", "zone-pair", "side", "side-pair", "near-pair", "negated", "flag")
"""The groups of features, in the order that keys number them."""
PLACES = 64
"""How many places (where in the sentence, seen from actor and target) a block can tell apart."""
UNIT_BITS = 24


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
        parts += [_plain(example.text[done:begin]), token]
        done = max(done, stop)
    return " ".join([*parts, _plain(example.text[done:])]).lower()


def _plain(text: str) -> str:
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


class Tokens(NamedTuple):
    """A batch of examples as flat arrays, one entry per token, in order; `rows` counts examples from 0.

    `word` and `stem` are unit numbers (0: not in the vocabulary). `actor` and `target` hold per example the position
    of the actor's token and of the target's token nearest to it (-1: there is none). `gram_rows` and `grams` list
    the character n-grams of every distinct word of an example.
    """

    size: int
    rows: Integers
    position: Integers
    word: Integers
    stem: Integers
    negator: NDArray[np.bool_]
    actor: Integers
    target: Integers
    targets: Integers
    gram_rows: Integers
    grams: Integers


def read_tokens(examples: Sequence[Example], numbers: Mapping[str, int], sizes: Sequence[int]) -> Tokens:
    """Return the examples as arrays; `numbers` gives each unit its number, from 1."""
    tokens = [TOKEN.findall(mark(example)) for example in examples]
    kinds: dict[str, int] = {ACTOR: 0, TARGET: 1}
    kind = np.array([kinds.setdefault(token, len(kinds)) for row in tokens for token in row], dtype=np.int64)
    known = [[numbers.get(unit, 0) for unit in units(word, sizes)] for word in kinds]
    lengths = np.array([len(row) for row in tokens], dtype=np.int64)
    rows = np.repeat(np.arange(len(tokens)), lengths)
    position = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    actor = _first(rows, position, kind == 0, len(tokens))
    negates = np.array([word in NEGATORS or word.endswith(("n't", "n’t")) for word in kinds])
    gram_rows, grams = _grams(rows, kind, [units[2:] for units in known])
    return Tokens(
        size=len(tokens),
        rows=rows,
        position=position,
        word=np.array([units[0] for units in known], dtype=np.int64)[kind],
        stem=np.array([units[1] for units in known], dtype=np.int64)[kind],
        negator=negates[kind],
        actor=actor,
        target=_nearest(rows, position, kind == 1, actor),
        targets=np.bincount(rows[kind == 1], minlength=len(tokens)),
        gram_rows=gram_rows,
        grams=grams,
    )


def _first(rows: Integers, position: Integers, chosen: NDArray[np.bool_], size: int) -> Integers:
    found = np.full(size, -1, dtype=np.int64)
    found[rows[chosen][::-1]] = position[chosen][::-1]
    return found


def _nearest(rows: Integers, position: Integers, chosen: NDArray[np.bool_], actor: Integers) -> Integers:
    rows, position = rows[chosen], position[chosen]
    order = np.lexsort((np.abs(position - np.maximum(actor[rows], 0)), rows))
    return _first(rows[order], position[order], np.ones(len(rows), dtype=np.bool_), len(actor))


def _grams(rows: Integers, kind: Integers, grams: list[list[int]]) -> tuple[Integers, Integers]:
    # In order of first occurrence, so that sums over an example never depend on what else is in the batch.
    _, first = np.unique(rows * len(grams) + kind, return_index=True)
    first.sort()
    rows, kind = rows[first], kind[first]
    counts = np.array([len(of_word) for of_word in grams], dtype=np.int64)
    flat = np.array([gram for of_word in grams for gram in of_word], dtype=np.int64)
    begin = (np.cumsum(counts) - counts)[kind]
    lengths = counts[kind]
    inside = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return np.repeat(rows, lengths), flat[np.repeat(begin, lengths) + inside]


def pack(block: str, place: Integers | int, first: Integers | int, second: Integers | int = 0) -> Integers:
    """Return keys; `first` and `second` are unit numbers below 2**24, `place` is below `PLACES`."""
    head = (BLOCKS.index(block) * PLACES + np.asarray(place, dtype=np.int64)) << (2 * UNIT_BITS)
    return head | (np.asarray(first, dtype=np.int64) << UNIT_BITS) | np.asarray(second, dtype=np.int64)


def read_blocks(tokens: Tokens, chosen: Sequence[str]) -> Iterator[tuple[str, Integers, Integers]]:
    """Yield `(block, rows, keys)` for the chosen blocks; units that are not in the vocabulary give no key."""
    t, blocks = tokens, set(chosen)
    actor, target = t.actor[t.rows], t.target[t.rows]
    side = np.where(actor < 0, 0, np.where(t.position < actor, 1, 2))
    zone = side * 3 + np.where(target < 0, 0, np.where(t.position < target, 1, 2))
    zone += 9 * np.where((actor < 0) | (target < 0), 0, np.where(actor < target, 1, 2))
    distance = np.abs(t.position - actor)
    seen = t.stem > 0
    pairs = np.flatnonzero((t.rows[1:] == t.rows[:-1]) & seen[1:] & seen[:-1]) if len(t.rows) else t.rows
    left, right = t.stem[pairs], t.stem[np.minimum(pairs + 1, len(t.rows) - 1)]
    one = {"word": (0, t.word), "stem": (0, t.stem), "zone": (zone, t.stem), "side": (side, t.stem)}
    for block in ("word", "stem", "zone", "side"):
        if block in blocks:
            place, unit = one[block]
            use = (unit > 0) & ((side > 0) | (target >= 0) | (block in ("word", "stem")))
            yield block, t.rows[use], pack(block, place[use] if isinstance(place, np.ndarray) else place, unit[use])
    places = {"pair": np.zeros_like(side), "zone-pair": zone, "side-pair": side, "near-pair": side * 2 + (distance > 5)}
    for block, place in places.items():
        if block in blocks:
            use = np.full(len(pairs), True)
            if block != "pair":
                use = (actor[pairs] >= 0) | ((target[pairs] >= 0) & (block == "zone-pair"))
            if block == "near-pair":
                use &= distance[pairs] <= 9
            yield block, t.rows[pairs[use]], pack(block, place[pairs[use]], left[use], right[use])
    if "char" in blocks:
        use = t.grams > 0
        yield "char", t.gram_rows[use], pack("char", 0, t.grams[use])
    if "negated" in blocks:
        yield from _negated(t)
    if "flag" in blocks:
        yield from _flags(t)


def _negated(t: Tokens) -> Iterator[tuple[str, Integers, Integers]]:
    """The five words after a negator, alone and together with it."""
    negators = np.flatnonzero(t.negator)
    for step in range(1, 6):
        at = negators[negators + step < len(t.rows)]
        at = at[(t.rows[at] == t.rows[at + step]) & (t.stem[at + step] > 0)]
        yield "negated", t.rows[at], pack("negated", 0, t.stem[at + step])
        yield "negated", t.rows[at], pack("negated", 1, t.stem[at + step], t.stem[at])


def _flags(t: Tokens) -> Iterator[tuple[str, Integers, Integers]]:
    """Whether actor and target are there, which comes first, how far apart, and how early the actor stands."""
    named, both = t.actor >= 0, (t.actor >= 0) & (t.target >= 0)
    flags = [
        np.where(named, 1, 2),
        3 + np.minimum(t.targets, 2),
        np.where(named, 6 + np.minimum(t.actor, 3), 0),
        np.where(both, np.where(t.actor < t.target, 10, 11), 0),
        np.where(both, 12 + np.minimum(np.abs(t.actor - t.target) // 3, 5), 0),
    ]
    for flag in flags:
        rows = np.flatnonzero(flag)
        yield "flag", rows, pack("flag", flag[rows], 0)
