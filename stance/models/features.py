"""What the linear model reads. What enters is examples; what leaves is integer feature keys, one block per question.

A key packs (block, place, unit, unit) into 64 bits without collisions, so that all of this is array arithmetic: no
Python runs per n-gram, only per token and per distinct word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from stance.models.units import TOKEN, mark, names, plain, stem
from stance.models.vocabulary import Integers, Vocabulary, Words
from stance.records import Example

Block = Literal[
    "word", "stem", "pair", "skip", "char", "zone", "side", "side-pair", "near-pair", "negated", "flag", "context",
    "name", "event",
]  # fmt: skip
BLOCKS: tuple[Block, ...] = get_args(Block)
"""The groups of features, in the order that keys number them."""
PLACES = 64
"""How many places (where in the sentence, seen from actor and target) a block can tell apart."""
UNIT_BITS = 24


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


def read_tokens(examples: Sequence[Example], vocabulary: Vocabulary) -> Tokens:
    """Return the examples as arrays."""
    tokens = [TOKEN.findall(mark(example)) for example in examples]
    kind, words = vocabulary.find(tokens)
    lengths = np.array([len(row) for row in tokens], dtype=np.int64)
    rows = np.repeat(np.arange(len(tokens)), lengths)
    position = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    actor = _first(rows, position, kind == 0, len(tokens))
    gram_rows, grams = _grams(rows, kind, words)
    return Tokens(
        size=len(tokens),
        rows=rows,
        position=position,
        word=words.word[kind],
        stem=words.stem[kind],
        negator=words.negates[kind],
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


def _grams(rows: Integers, kind: Integers, words: Words) -> tuple[Integers, Integers]:
    # In order of first occurrence, so that sums over an example never depend on what else is in the batch.
    _, first = np.unique(rows * len(words.word) + kind, return_index=True)
    first.sort()
    rows, kind = rows[first], kind[first]
    return np.repeat(rows, words.counts[kind]), words.grams[_spread(words.begins[kind], words.counts[kind])]


def _spread(begins: Integers, counts: Integers) -> Integers:
    """Return `counts` indices from each of `begins` on, after one another."""
    inside = np.arange(int(counts.sum()), dtype=np.int64) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.asarray(np.repeat(begins, counts) + inside)


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
    distance = np.where(actor < 0, len(t.rows), np.abs(t.position - actor))
    if "word" in blocks:
        yield "word", *_single(t, "word", np.zeros_like(side), t.word > 0)
    for block, place, use in (
        ("stem", np.zeros_like(side), t.stem > 0),
        ("side", side, actor >= 0),
        ("zone", zone, (actor >= 0) | (target >= 0)),
    ):
        if block in blocks:
            yield block, *_single(t, block, place, use)
    for block, place, use in (
        ("pair", np.zeros_like(side), t.stem > 0),
        ("side-pair", side, actor >= 0),
        ("near-pair", side * 2 + (distance > 5), distance <= 9),
    ):
        if block in blocks:
            yield block, *_pairs(t, block, place, use, step=1)
    if "skip" in blocks:
        yield "skip", *_pairs(t, "skip", np.zeros_like(side), t.stem > 0, step=2)
    if "char" in blocks:
        yield "char", t.gram_rows[t.grams > 0], pack("char", 0, t.grams[t.grams > 0])
    if "negated" in blocks:
        yield from _negated(t)
    if "flag" in blocks:
        yield from _flags(t)


def _single(t: Tokens, block: str, place: Integers, use: NDArray[np.bool_]) -> tuple[Integers, Integers]:
    unit = t.word if block == "word" else t.stem
    use = use & (unit > 0)
    return t.rows[use], pack(block, place[use], unit[use])


def _pairs(t: Tokens, block: str, place: Integers, use: NDArray[np.bool_], *, step: int) -> tuple[Integers, Integers]:
    """Stems `step` tokens apart in one example; `place` and `use` are those of the first."""
    left = np.flatnonzero(use[:-step])
    right = left + step
    kept = (t.rows[left] == t.rows[right]) & (t.stem[left] > 0) & (t.stem[right] > 0)
    left, right = left[kept], right[kept]
    return t.rows[left], pack(block, place[left], t.stem[left], t.stem[right])


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


def read_context(examples: Sequence[Example], vocabulary: Vocabulary) -> tuple[Integers, Integers]:
    """Return `(rows, keys)` of the block "context": stems of the sentence before (place 0) and of the one after (1)."""
    distinct: dict[str, int] = {}  # the sentences beside one are those of all its actors
    which = [distinct.setdefault(text, len(distinct)) for example in examples for text in (example.prev, example.next)]
    tokens = [TOKEN.findall(plain(text.lower())) for text in distinct]
    kind, words = vocabulary.find(tokens)
    lengths = np.array([len(row) for row in tokens], dtype=np.int64)
    chosen = np.array(which, dtype=np.int64)
    begins, counts = (np.cumsum(lengths) - lengths)[chosen], lengths[chosen]
    place, stems = np.repeat(np.arange(len(which)), counts), words.spelled[kind[_spread(begins, counts)]]
    use = stems > 0
    return place[use] // 2, pack("context", place[use] % 2, stems[use])


def read_names(examples: Sequence[Example], numbers: Mapping[str, int]) -> tuple[Integers, Integers]:
    """Return `(rows, keys)` of the block "name": stems of the actor's name (place 0), of the target's names as the text
    has them (place 1), and each pair of one with the other (place 2). It lets a model learn who is against whom."""
    rows: list[int] = []
    keys: list[Integers] = []
    for row, example in enumerate(examples):
        actor, target = ([one for word in side if (one := numbers.get(f"s:{stem(word)}"))] for side in names(example))
        pairs = [(first, second) for first in actor for second in target]
        found = [
            pack("name", 0, np.array(actor, dtype=np.int64)),
            pack("name", 1, np.array(target, dtype=np.int64)),
            pack("name", 2, np.array([a for a, _ in pairs], dtype=np.int64), np.array([t for _, t in pairs], np.int64)),
        ]
        keys += found
        rows += [row] * sum(map(len, found))
    return np.array(rows, dtype=np.int64), np.concatenate(keys) if keys else np.zeros(0, dtype=np.int64)


def read_events(examples: Sequence[Example]) -> tuple[Integers, Integers]:
    """Return `(rows, keys)` of the block "event": the roots of the dictionary's events in the sentence (place 0), and
    of those that are more likely than not the actor's toward the target (place 1)."""
    from stance.models import dictionary

    known = dictionary.load()
    numbers = {root: number for number, root in enumerate(sorted(known.roots), start=1)}
    found = [
        (row, place, numbers[event.root])
        for row, example in enumerate(examples)
        for event in dictionary.find(example, known)
        for place in ((0, 1) if event.weight > 0.5 else (0,))
    ]
    rows, places, roots = np.array(found, dtype=np.int64).reshape(-1, 3).T
    return rows, pack("event", places, roots)
