"""Marked sentences as token ids. What enters is examples; what leaves is rows of ids and padded batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stance.models.encoder_settings import EncoderSettings
from stance.models.marking import MASKED, Marked, mark
from stance.records import Example

# Kernels are compiled and kept per shape of batch (oneDNN): few widths take less memory than exact ones.
WIDTH_STEP = 8

if TYPE_CHECKING:
    import torch
    from tokenizers import Encoding, Tokenizer


@dataclass(frozen=True, slots=True)
class Row:
    """One tokenised example. All arrays have shape `(n_tokens,)`; `actor` and `sentence` are 0/1 masks.

    Where an example has no actor (a sentence task), `actor` is the sentence's mask.
    """

    ids: NDArray[np.int32]
    types: NDArray[np.int8]
    actor: NDArray[np.bool_]
    sentence: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.ids)


def read(
    examples: Sequence[Example], tokenizer: Tokenizer, settings: EncoderSettings, limit: int, name: str | None = None
) -> list[Row]:
    """Return one row per example, of at most `limit` tokens, as an encoder of these settings reads it.

    `name` stands in for the actor's own.
    """
    # An implied actor keeps its name: nothing else says whose stance is asked for.
    names = [MASKED if settings.hide_actor and example.mention else name for example in examples]
    given = zip(examples, names, strict=True)
    return tokenize([mark(example, name=own, context=settings.context) for example, own in given], tokenizer, limit)


def tokenize(marked: Sequence[Marked], tokenizer: Tokenizer, limit: int) -> list[Row]:
    """Return one row per marked sentence; the context is cut before the sentence is, and the sentence not at its actor.

    The actor's span is found through the tokenizer's character offsets. A row does not depend on the others: either
    all of `marked` have a context, if only an empty one, or none has.
    """
    if not marked:
        return []
    if tokenizer.truncation is not None:
        tokenizer.no_truncation()
    if tokenizer.padding is not None:
        tokenizer.no_padding()
    pairs = [one.text if one.context is None else (one.text, one.context) for one in marked]
    encoded = tokenizer.encode_batch(pairs)
    return [_cut(*_row(one, own), limit) for one, own in zip(marked, encoded, strict=True)]


def _row(marked: Marked, encoded: Encoding) -> tuple[Row, NDArray[np.bool_]]:
    """The whole row, and which of its tokens are special."""
    parts = np.array([-1 if part is None else part for part in encoded.sequence_ids])
    first = parts == 0
    sentence = first if first.any() else np.ones(len(parts), dtype=bool)
    actor = sentence
    if marked.actor is not None:
        start, end = marked.actor
        begin, stop = np.array(encoded.offsets).reshape(-1, 2).T
        # A token may begin with the space before it.
        span = (begin < end) & (stop > start) & (begin < stop) & first
        actor = span if span.any() else sentence
    row = Row(np.array(encoded.ids, np.int32), np.array(encoded.type_ids, np.int8), actor, sentence)
    return row, parts < 0


def _cut(row: Row, special: NDArray[np.bool_], limit: int) -> Row:
    """The row with at most `limit` tokens: special ones, then of the sentence what lies at the actor, then context."""
    if len(row) <= limit:
        return row
    room = max(0, limit - int(special.sum()))
    own = np.flatnonzero(row.sentence & ~special)
    actor = np.searchsorted(own, np.flatnonzero(row.actor & ~special))
    first = 0
    if 0 < len(actor) < len(own) and actor[-1] >= room:  # it would be cut off: put it in the middle of what is kept
        first = min(max(0, int(actor[0] + actor[-1] - room) // 2), len(own) - room)
    kept = special.copy()
    kept[own[first : first + room]] = True
    kept[np.flatnonzero(~special & ~row.sentence)[: max(0, room - len(own))]] = True
    return Row(row.ids[kept], row.types[kept], row.actor[kept], row.sentence[kept])


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded tensors of shape `(n_rows, longest)`; `actor` is a float mask for pooling."""

    ids: torch.Tensor
    types: torch.Tensor
    attention: torch.Tensor
    actor: torch.Tensor

    def to(self, device: torch.device) -> Batch:
        return Batch(*(getattr(self, name).to(device) for name in self.__slots__))


def width(rows: Sequence[Row]) -> int:
    """Return the length that rows are padded to: that of the longest, rounded up to a multiple of WIDTH_STEP."""
    return -(-max(len(row) for row in rows) // WIDTH_STEP) * WIDTH_STEP


def pad(rows: Sequence[Row], pad_id: int) -> Batch:
    """Return the rows padded to their common `width`."""
    import torch

    shape = (len(rows), width(rows))
    ids = np.full(shape, pad_id, dtype=np.int64)
    types, attention = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    actor = np.zeros(shape, np.float32)
    for i, row in enumerate(rows):
        n = len(row)
        ids[i, :n], types[i, :n], attention[i, :n] = row.ids, row.types, 1
        actor[i, :n] = row.actor
    return Batch(*(torch.from_numpy(array) for array in (ids, types, attention, actor)))


def by_length(rows: Sequence[Row], size: int) -> list[list[int]]:
    """Return batches of indices into `rows`, similar lengths together, longest first (a batch that does not fit in
    memory fails at once and not at the end)."""
    order = sorted(range(len(rows)), key=lambda i: (-len(rows[i]), i))
    return [order[start : start + size] for start in range(0, len(order), size)]


def shuffled(rows: Sequence[Row], size: int, rng: np.random.Generator) -> list[list[int]]:
    """Return shuffled batches of indices: lengths are sorted only inside pools of 16 batches, so that batches are
    little padded and still random."""
    order = rng.permutation(len(rows))
    batches: list[list[int]] = []
    for start in range(0, len(order), size * 16):
        pool = sorted(order[start : start + size * 16].tolist(), key=lambda i: len(rows[i]))
        batches += [pool[first : first + size] for first in range(0, len(pool), size)]
    return [batches[i] for i in rng.permutation(len(batches))]


def within(rows: Sequence[Row], limit: int) -> list[list[int]]:
    """Divide the indices of `rows`, in order, so that no piece holds more than `limit` tokens, padding counted, unless
    a single row does."""
    pieces: list[list[int]] = []
    longest = 0
    for i, row in enumerate(rows):
        longest = max(longest, width([row]))
        if pieces and longest * (len(pieces[-1]) + 1) <= limit:
            pieces[-1].append(i)
        else:
            pieces.append([i])
            longest = width([row])
    return pieces
