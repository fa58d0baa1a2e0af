"""The words that the linear model has met. What enters is tokens; what leaves is numbers, and what is known of each.

A text's words repeat in the next text: each is taken apart once, not once per batch.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain, islice
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stance.models.units import ACTOR, NEGATORS, TARGET, stem, units

Integers = NDArray[np.int64]

LIMIT = 200_000
"""Words that are remembered; then all are forgotten, so that a long run over many texts does not fill the memory."""


class Words(NamedTuple):
    """What is known of each word, arrays `(n_words,)`, in the order in which words were met; ACTOR is 0, TARGET is 1.

    `word` and `stem` are unit numbers (0: not in the vocabulary), `spelled` is the stem of a word as written, where not
    all numerals are one. The numbers of a word's n-grams are the `counts` entries of `grams` from `begins` on.
    """

    word: Integers
    stem: Integers
    spelled: Integers
    negates: NDArray[np.bool_]
    begins: Integers
    counts: Integers
    grams: Integers


class Vocabulary:
    """The units that a model knows, numbered from 1; `sizes` are those of its n-grams. It may be used by threads."""

    def __init__(self, numbers: Mapping[str, int], sizes: Sequence[int] = ()) -> None:
        self.numbers = numbers
        self.sizes = tuple(sizes)
        self._lock = Lock()
        self._forget()

    def find(self, tokens: Sequence[Sequence[str]]) -> tuple[Integers, Words]:
        """Return the place of each token in the words, tokens of all texts after one another, and the words."""
        with self._lock:
            if len(self._places) > LIMIT:
                self._forget()
            before = len(self._places)
            places = np.fromiter(map(self._places.__getitem__, chain.from_iterable(tokens)), dtype=np.int64)
            if len(self._places) > before:
                self._learn(before)
            return places, self._words

    def _forget(self) -> None:
        self._places: defaultdict[str, int] = defaultdict()
        self._places.default_factory = self._places.__len__
        nothing = np.zeros(0, dtype=np.int64)
        self._words = Words(nothing, nothing, nothing, nothing.astype(np.bool_), nothing, nothing, nothing)
        for token in (ACTOR, TARGET):
            _ = self._places[token]
        self._learn(0)

    def _learn(self, start: int) -> None:
        """Take apart the words from place `start` on."""
        new = list(islice(self._places, start, None))
        known = [[self.numbers.get(unit, 0) for unit in units(word, self.sizes)] for word in new]
        counts = np.array([len(own) - 2 for own in known], dtype=np.int64)
        met = Words(
            word=np.array([own[0] for own in known], dtype=np.int64),
            stem=np.array([own[1] for own in known], dtype=np.int64),
            spelled=np.array([self.numbers.get(f"s:{stem(word)}", 0) for word in new], dtype=np.int64),
            negates=np.array([word in NEGATORS or word.endswith(("n't", "n’t")) for word in new]),
            begins=len(self._words.grams) + np.cumsum(counts) - counts,
            counts=counts,
            grams=np.array([gram for own in known for gram in own[2:]], dtype=np.int64),
        )
        joined: list[Any] = [np.concatenate(both) for both in zip(self._words, met, strict=True)]
        self._words = Words(*joined)
