"""Near-duplicates. The texts of documents enter; clusters of documents that share wording leave.

Wire copy is printed whole, cut, and reworded around the same quotations. Two documents belong together when runs of
words that they share hold a part of the shorter one: the containment of its word 5-grams in the other's. Writing
about the same event in other words shares next to none. Clusters are the connected components.

The containment is exact, from an index of 5-grams. MinHash LSH (datasketch) was tried first and left: at the
Jaccard similarity of two reworded reports (0.03) its bands must be one value wide, which is this index, sampled;
and on sentences the reworded quotations of one event scored 0.09, formulaic copy about different ones up to 0.27.
Of the ten pairs of the seed articles the one of the same event scores 0.086 here, the next 0.005.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final, NamedTuple

SHARED: Final = 0.08
"""Least share of the shorter document's word 5-grams that stand in the other one."""

_RUN: Final = 5  # words; on the seeds 4 raise the noise (0.012), 6 lower the signal (0.066)
FEWEST: Final = 12  # shared 5-grams, unless they are half of the document: one phrase or title is no copy
HALF: Final = 0.5
ALL_PAIRS: Final = 24  # of the documents with one 5-gram; beyond it (boilerplate, many copies) only neighbours
NEIGHBOURS: Final = 4
_WORD: Final = re.compile(r"\w+(?:['’]\w+)*")


class NearDuplicate(NamedTuple):
    """Two texts by position, `first` < `second`, and the share of the shorter one's 5-grams in the other, 0–1."""

    first: int
    second: int
    share: float


def cluster(texts: Sequence[str], *, threshold: float = SHARED, seed: int = 0) -> list[int]:
    """Return the cluster of each text, numbered from 0 in order of first appearance.

    `threshold` is the least share of the shorter text's word 5-grams that must stand in the other text.
    `seed` salts the 64-bit hashes of 5-grams: short of a collision, every seed gives the same clusters.

    >>> cluster(["Talks went on in Doha on Monday.", "A drought.", "Talks went on in Doha on Monday, he said."])
    [0, 1, 0]
    """
    parent = list(range(len(texts)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for pair in near_duplicate_pairs(texts, threshold=threshold, seed=seed):
        first, second = sorted((root(pair.first), root(pair.second)))
        parent[second] = first
    numbers: dict[int, int] = {}
    return [numbers.setdefault(root(index), len(numbers)) for index in range(len(texts))]


def near_duplicate_pairs(texts: Sequence[str], *, threshold: float = SHARED, seed: int = 0) -> list[NearDuplicate]:
    """Return the pairs of texts with at least `threshold` of the shorter one's 5-grams in common, by position.

    Of more than 24 copies of a passage not every pair is listed, but enough to connect them; time grows with the
    number of words. Texts without a word are near-duplicates of nothing.
    """
    pairs: list[NearDuplicate] = []
    first_of: dict[bytes, int] = {}
    sizes: dict[int, int] = {}
    salt = str(seed).encode()[:16]
    holders: dict[bytes, list[int]] = defaultdict(list)
    for index, text in enumerate(texts):
        words = words_of(text)
        first = first_of.setdefault(digest(words, salt), index) if words else index
        if first != index:
            pairs.append(NearDuplicate(first, index, 1.0))
            continue
        runs = runs_of(words, salt)
        sizes[index] = len(runs)
        for run in runs:
            holders[run].append(index)
    for (one, other), shared in Counter(_candidates(holders)).items():
        share = shared / min(sizes[one], sizes[other])
        if share >= threshold and (shared >= FEWEST or share >= HALF):
            pairs.append(NearDuplicate(one, other, share))
    return sorted(pairs)


def words_of(text: str) -> list[str]:
    """Return the words that are compared, in order.

    >>> words_of("Moscow’s envoy: «Talks».")
    ["moscow's", 'envoy', 'talks']
    """
    return _WORD.findall(text.casefold().replace("’", "'"))


def runs_of(words: Sequence[str], salt: bytes) -> set[bytes]:
    """Return the 64-bit hashes of the words' distinct 5-grams; of fewer than five words, the hash of them all."""
    starts = range(max(len(words) - _RUN + 1, min(len(words), 1)))
    return {digest(words[start : start + _RUN], salt) for start in starts}


def digest(words: Sequence[str], salt: bytes) -> bytes:
    """Return the 64-bit hash of a sequence of words; `salt` is at most 16 bytes."""
    return hashlib.blake2b(" ".join(words).encode("utf-8", "surrogatepass"), digest_size=8, salt=salt).digest()


def _candidates(holders: dict[bytes, list[int]]) -> Iterator[tuple[int, int]]:
    """Yield a pair of documents once for each 5-gram that both hold."""
    for documents in holders.values():
        if len(documents) <= ALL_PAIRS:
            yield from combinations(documents, 2)
            continue
        # Copies of one text stand next to each other in each of its 5-grams' lists, and so keep their full count.
        for index, document in enumerate(documents):
            for other in documents[index + 1 : index + 1 + NEIGHBOURS]:
                yield document, other
