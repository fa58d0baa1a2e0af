"""The check of a split: parts enter; nothing leaves, or an error that names what stands on both sides.

A score measures memory where a test example, its document, or a copy of it under another name was trained on.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from stance.dataset.splits import document_id, document_texts
from stance.errors import DataError
from stance.records import Example

SHOWN = 5  # offenders that an error names
HELD_OUT = {"outlet": "outlet", "genre": "genre", "unseen-actor": "actor"}
"""Kinds of split that keep whole groups out of training → the field that says the group."""

Parts = Mapping[str, Sequence[Example]]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Something that two parts share: `kind` and its `value`, the parts, and the id of an example of the second."""

    kind: str
    value: str
    first: str
    second: str
    example: str

    def __str__(self) -> str:
        return f"{self.kind} '{self.value}' is in both {self.first} and {self.second} (example {self.example})"


def check_disjoint(parts: Mapping[str, Iterable[Example]]) -> None:
    """Raise DataError, naming the offenders, if an example, a document or a stated cluster is in two parts."""
    _refuse(list(_stated({part: list(examples) for part, examples in parts.items()})))


def check_overlap(parts: Parts, kind: str = "document", whole: Sequence[Example] = ()) -> None:
    """Raise DataError for all that `check_disjoint` refuses, for near-duplicates by text, and for what `kind` forbids.

    That is a group (outlet, genre, actor) of the test part that is in another part too, or, for `time`, a
    document of another part that is not older than all of the test part. Offenders are named. `whole` is what was
    divided, where parts leave sentences out: whether documents are copies depends on all of their text.
    """
    everything = whole or [example for examples in parts.values() for example in examples]
    found = [*_stated(parts), *_copies(parts, everything)]
    if kind in HELD_OUT:
        found += _groups(parts, HELD_OUT[kind])
    if kind == "time":
        found += _newer(parts)
    _refuse(found)


def group_of(example: Example, field: str) -> str | None:
    """Return the example's outlet, genre or actor; spellings that differ in case, `-` or `_` are one group.

    >>> group_of(Example("a", genre="Live-blog"), "genre"), group_of(Example("a"), "outlet")
    ('live blog', None)
    """
    value = getattr(example, field)
    if not value or field == "actor":
        return value or None
    return " ".join(value.casefold().replace("-", " ").replace("_", " ").split())


def days(date: str | None) -> tuple[str, str] | None:
    """Return the first and last day that an ISO 8601 date of any precision can mean; None for no date.

    >>> days("2021-08"), days("2021-08-15"), days(None)
    (('2021-08-01', '2021-08-31'), ('2021-08-15', '2021-08-15'), None)
    """
    if not date or not date[:4].isdigit():
        return None
    return date[:10] + "-01-01"[len(date[:10]) - 4 :], date[:10] + "-12-31"[len(date[:10]) - 4 :]


def _refuse(found: Sequence[Overlap]) -> None:
    if found:
        more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        raise DataError(
            f"{'; '.join(map(str, found[:SHOWN]))}{more}: a score would measure memory; divide the examples with"
            " stance.dataset.split, and clear 'cluster' where it is wrong"
        )


def _stated(parts: Parts) -> Iterator[Overlap]:
    seen: dict[tuple[str, str], str] = {}
    named = set()
    for part, examples in parts.items():
        for example in examples:
            keys = [("example", example.id), ("document", document_id(example))]
            keys += [("near-duplicate cluster", example.cluster)] if example.cluster else []
            for key in keys:
                first = seen.setdefault(key, part)
                if first != part and (key, part) not in named:
                    named.add((key, part))
                    yield Overlap(*key, first, part, example.id)


def _copies(parts: Parts, whole: Iterable[Example]) -> Iterator[Overlap]:
    """Documents of two parts that repeat each other's words, whatever clusters they state."""
    from stance.corpus.duplicates import near_duplicate_pairs

    first_of: dict[tuple[str, str], str] = {}
    for part, examples in parts.items():
        for example in examples:
            first_of.setdefault((document_id(example), part), example.id)
    texts = document_texts(sorted(whole, key=lambda example: example.index))
    keys = [key for key in first_of if key[0] in texts]
    for pair in near_duplicate_pairs([texts[document] for document, _ in keys]):
        (one, first), (other, second) = keys[pair.first], keys[pair.second]
        if first != second and one != other:
            yield Overlap("near-duplicate", f"{one} ({other})", first, second, first_of[other, second])


def _groups(parts: Parts, field: str) -> Iterator[Overlap]:
    held: dict[str, str] = {}
    for example in parts["test"]:
        held.setdefault(group_of(example, field) or "", example.id)
    for part, examples in parts.items():
        if part != "test":
            for group in sorted({group_of(example, field) or "" for example in examples} & held.keys()):
                yield Overlap(field, group, part, "test", held[group])


def _newer(parts: Parts) -> Iterator[Overlap]:
    oldest = min((span[0] for example in parts["test"] if (span := days(example.date))), default="")
    for part, examples in parts.items():
        newest = (
            {} if part == "test" else {document_id(e): e for e in examples if (days(e.date) or ("", "9"))[1] >= oldest}
        )
        for document, example in newest.items():
            yield Overlap("date of document", f"{document} ({example.date})", part, "test", example.id)
