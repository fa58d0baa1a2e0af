"""Near-duplicates of more documents than fit into memory. Texts enter one at a time; the cluster of each leaves.

The clusters are those of `duplicates.cluster`, whose index of 5-grams is here sorted in pieces: every (5-gram hash,
text) goes to one of PIECES files by its hash, so that all texts with one 5-gram meet in one file; every pair of texts
that such a file gives goes to one of PIECES files by its own hash, so that all that a pair shares is counted in one
(the Grace hash join). In memory are one piece, and 24 bytes a text. On disk are 12 bytes a 5-gram, about one a word,
and 8 bytes a pair of texts that share one.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from stance.corpus.duplicates import ALL_PAIRS, FEWEST, HALF, NEIGHBOURS, SHARED, digest, runs_of, words_of

PIECES: Final = 256  # one byte
_RECORD: Final = np.dtype([("run", "<u8"), ("text", "<u4")])
_FLUSH: Final = 1 << 19  # records held before they are written

Numbers = NDArray[np.int64]


def cluster_on_disk(texts: Iterable[str], folder: Path, *, threshold: float = SHARED, seed: int = 0) -> Numbers:
    """Return per text the position of the first text of its cluster, int64, shape `(n_texts,)`.

    `folder` exists and is empty; what is written there is the caller's to remove. OSError passes through.
    `threshold` and `seed` are those of `duplicates.cluster`.
    """
    salt = str(seed).encode()[:16]
    sizes, first = _spill_runs(texts, folder, salt)
    parent = first.tolist()
    for piece in _pieces(folder, "runs", _RECORD):
        new = first[piece["text"]] == piece["text"]  # a copy of an earlier text is its near-duplicate, counted no more
        _spill(folder, "pairs", _pairs(piece[new]))
    for pairs in _pieces(folder, "pairs", np.dtype("<u8")):
        keys, shared = np.unique(pairs, return_counts=True)
        one, other = (keys >> np.uint64(32)).astype(np.int64), (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)
        share = shared / np.minimum(sizes[one], sizes[other])
        near = (share >= threshold) & ((shared >= FEWEST) | (share >= HALF))
        for left, right in zip(one[near].tolist(), other[near].tolist(), strict=True):
            low, high = sorted((_root(parent, left), _root(parent, right)))
            parent[high] = low
    return np.array([_root(parent, index) for index in range(len(parent))], dtype=np.int64)


def _root(parent: list[int], index: int) -> int:
    while parent[index] != index:
        parent[index] = parent[parent[index]]
        index = parent[index]
    return index


def _spill_runs(texts: Iterable[str], folder: Path, salt: bytes) -> tuple[Numbers, Numbers]:
    """Write the texts' 5-grams to disk; return how many each has, and the first text of the same words."""
    sizes, wholes = array("q"), array("Q")
    waiting: list[NDArray[Any]] = []
    wordless: list[int] = []
    held = 0
    for index, text in enumerate(texts):
        words = words_of(text)
        wholes.append(int.from_bytes(digest(words, salt), "little"))
        if not words:
            wordless.append(index)
        runs = runs_of(words, salt)
        sizes.append(len(runs))
        records = np.empty(len(runs), dtype=_RECORD)
        records["run"], records["text"] = np.frombuffer(b"".join(runs), dtype="<u8"), index
        waiting.append(records)
        held += len(records)
        if held > _FLUSH:
            _spill(folder, "runs", np.concatenate(waiting), "run")
            waiting, held = [], 0
    if waiting:
        _spill(folder, "runs", np.concatenate(waiting), "run")
    _, at, which = np.unique(np.frombuffer(wholes, dtype=np.uint64), return_index=True, return_inverse=True)
    first = at[which].astype(np.int64)
    first[wordless] = wordless
    return np.frombuffer(sizes, dtype=np.int64), first


def _pairs(records: NDArray[Any]) -> NDArray[np.uint64]:
    """Return `one << 32 | other`, `one` < `other`, once for each 5-gram that both hold; see `duplicates`."""
    records = np.sort(records, order=("run", "text"))
    text = records["text"].astype(np.uint64)
    starts = (
        np.flatnonzero(np.r_[True, records["run"][1:] != records["run"][:-1]]) if len(records) else np.zeros(0, int)
    )
    lengths = np.diff(np.r_[starts, len(records)])
    found: list[NDArray[np.uint64]] = [np.zeros(0, dtype=np.uint64)]
    for length in np.unique(lengths[(lengths > 1) & (lengths <= ALL_PAIRS)]):
        holders = text[starts[lengths == length][:, None] + np.arange(length)]
        left, right = np.triu_indices(length, 1)
        found.append((holders[:, left] << np.uint64(32) | holders[:, right]).ravel())
    many = np.repeat(lengths > ALL_PAIRS, lengths)
    for step in range(1, NEIGHBOURS + 1):
        at = np.flatnonzero(many[:-step] & (records["run"][:-step] == records["run"][step:]))
        found.append(text[at] << np.uint64(32) | text[at + step])
    return np.concatenate(found)


def _spill(folder: Path, kind: str, records: NDArray[Any], key: str | None = None) -> None:
    keys = records[key] if key else records
    # A multiplicative hash (Knuth): the pairs' own low and high bits are far from even.
    piece = ((keys * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(56)).astype(np.int64)
    order = np.argsort(piece, kind="stable")
    ends = np.cumsum(np.bincount(piece, minlength=PIECES))
    for number, part in enumerate(np.split(records[order], ends[:-1])):
        if len(part):
            with (folder / f"{kind}-{number:03}").open("ab") as handle:
                handle.write(part.tobytes())


def _pieces(folder: Path, kind: str, dtype: np.dtype[Any]) -> Iterator[NDArray[Any]]:
    for path in sorted(folder.glob(f"{kind}-*")):
        yield np.frombuffer(path.read_bytes(), dtype=dtype)
        path.unlink()
