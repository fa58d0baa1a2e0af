"""The records that flow through the kit: article → sentence → example (sentence × actor) → prediction.

All are frozen, plain and hashable. Ids are content hashes: the same text gives the same id on every machine.
Character offsets are 0-based, half-open, in Python code points of the record's own `text`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

Span = tuple[int, int]


def content_id(*parts: object) -> str:
    """Return 16 hexadecimal digits that depend on the parts alone.

    >>> content_id("a", 1) == content_id("a", 1) != content_id("a", 2)
    True
    """
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Article:
    """One document as read: cleaned of nothing yet. `date` is ISO 8601 (`YYYY-MM-DD`) or None."""

    text: str
    title: str | None = None
    date: str | None = None
    outlet: str | None = None
    url: str | None = None
    source: str = ""  # file, or file:line, that it was read from; for messages, never part of an id
    odd_date: str = ""  # what stood where its date should and could not be read; for messages too

    @property
    def doc_id(self) -> str:
        return content_id("article", self.title or "", self.text)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a document. `start`/`end` are offsets into the document's cleaned text."""

    doc_id: str
    index: int
    text: str
    start: int
    end: int
    prev: str = ""
    next: str = ""


@dataclass(frozen=True, slots=True)
class Mention:
    """An actor found in a sentence. `start`/`end` are None when the sentence only implies the actor."""

    actor: str
    text: str | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """What a model sees and a coder labels: one sentence, for the stance task seen from one actor.

    `actor` is None for tasks coded once per sentence (frames). `mention` is the exact substring
    `text[start:end]` that names the actor, all three None when the actor is only implied. `targets` are the
    spans of the codebook's target in `text`. `labels` is None while nobody labelled the example and the empty
    tuple when a coder saw it and chose nothing; labels stand in codebook order. `cluster` is the id of the
    near-duplicate cluster of the document (its own `doc_id` when it has no near-duplicate).
    """

    text: str
    actor: str | None = None
    mention: str | None = None
    start: int | None = None
    end: int | None = None
    targets: tuple[Span, ...] = ()
    prev: str = ""
    next: str = ""
    doc_id: str = ""
    index: int = 0
    title: str | None = None
    date: str | None = None
    outlet: str | None = None
    url: str | None = None
    genre: str | None = None
    cluster: str = ""
    labels: tuple[str, ...] | None = None

    @property
    def id(self) -> str:
        """Content hash of document, position, text and actor; the labels and metadata do not change it."""
        return content_id("example", self.doc_id, self.index, self.text, self.actor or "")

    def to_row(self) -> dict[str, Any]:
        """Return a JSON-ready mapping, `id` first; `from_row` is its inverse."""
        row = asdict(self)
        row["targets"] = [list(span) for span in self.targets]
        row["labels"] = None if self.labels is None else list(self.labels)
        return {"id": self.id, **row}

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Example:
        """Build an example from a row; keys that are not fields are ignored, missing ones take their default."""
        known = {field.name for field in fields(cls)}
        values = {key: value for key, value in row.items() if key in known and value is not None}
        if "targets" in values:
            values["targets"] = tuple((int(start), int(end)) for start, end in values["targets"])
        if "labels" in values:
            values["labels"] = tuple(values["labels"])
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Prediction:
    """A model's answer for one example: calibrated probabilities in label order, and the labels over threshold.

    `sure` is False where the model was asked to answer only if sure, and is not.
    """

    example: Example
    probabilities: tuple[float, ...]
    labels: tuple[str, ...]
    sure: bool = True
