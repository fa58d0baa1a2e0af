"""Splits that ask how far a model reaches. Labelled examples and a kind of split enter, parts leave.

Whatever the kind, documents and near-duplicate clusters are never divided; what fits neither side is left out.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from stance.dataset.overlap import HELD_OUT, check_overlap, days, group_of
from stance.dataset.splits import cluster_documents, digest, document_id, folds, split
from stance.errors import DataError
from stance.records import Example

KINDS = ("document", "time", *HELD_OUT)
TEST, VALIDATION = 0.15, 0.1  # shares of the examples to aim at
ACTORS = 0.2  # share of the examples whose actors are held out: about half of them stand in documents of the other side
MOSTLY = 1 / 3  # of a document's examples from which it is the held-out actors' document: keeps most of both sides

Parts = dict[str, list[Example]]


@dataclass(frozen=True)
class Division:
    """Examples by part ("train", "validation", "test"), each with its `cluster` set.

    `held_out` names the groups that only the test part has, `left_out` counts the examples that are in no part. `base`
    is the digest of the division that these parts were made from, by adding to train and validation alone.
    """

    kind: str
    parts: Mapping[str, list[Example]]
    held_out: tuple[str, ...] = ()
    left_out: int = 0
    base: str = ""

    @property
    def digest(self) -> str:
        """SHA-256, 64 hexadecimal digits: `base`, else for `document` of the documents' parts, or every example's."""
        if self.base:
            return self.base
        if self.kind == "document":
            return digest(self.parts)
        lines = sorted(f"{part}\t{example.id}\n" for part, examples in self.parts.items() for example in examples)
        return hashlib.sha256((f"{self.kind}\n" + "".join(lines)).encode()).hexdigest()


def divide(examples: Sequence[Example], kind: str, *, seed: int, held_out: Sequence[str] = ()) -> Division:
    """Divide labelled examples by one of `KINDS`, checked by `check_overlap`.

    `document`: as `split`. `time`: the newest documents are the test part, those before them validation; a document
    without a date, and a cluster on both sides of a boundary, is left out. `outlet`, `genre`: whole groups are the test
    part. `unseen-actor`: the test part has actors that no other part has; a sentence of the other parts that also
    has a held-out actor is left out, and so are the other actors of the test part's documents. `held_out` names
    the groups or actors; without it `seed` draws them. Raises DataError for what cannot be divided, saying why.
    """
    if kind not in KINDS:
        raise DataError(f"there is no split by '{kind}'; there are {', '.join(KINDS)}")
    if held_out and kind not in HELD_OUT:
        raise DataError(f"a split by {kind} holds no group out; name groups for {', '.join(HELD_OUT)}")
    clusters = cluster_documents(examples, seed=seed)
    ordered = sorted(examples, key=lambda e: (document_id(e), e.index, e.actor or "", e.text))
    known = [replace(example, cluster=clusters[document_id(example)]) for example in ordered]
    chosen: tuple[str, ...] = ()
    if kind == "document":
        parts = split(known, seed=seed).apply(known)
    elif kind == "time":
        parts = _by_time(known)
    else:
        chosen = _choose(known, kind, seed, held_out)
        by = _by_actor if kind == "unseen-actor" else _by_group
        rest, test = by(known, chosen, HELD_OUT[kind])
        parts = {**_hold_validation(rest, seed), "test": test}
    for part in ("train", "validation", "test"):
        if not parts.get(part):
            raise DataError(f"a split by {kind} leaves the {part} part empty; give more documents, or other groups")
    check_overlap(parts, kind, known)
    return Division(kind, parts, tuple(sorted(chosen)), len(known) - sum(map(len, parts.values())))


def _by_time(examples: Sequence[Example]) -> Parts:
    first: dict[str, str] = {}
    last: dict[str, str] = {}
    undated = set()
    for example in examples:
        span = days(example.date)
        if span is None:
            undated.add(example.cluster)
            continue
        first[example.cluster] = min(span[0], first.get(example.cluster, span[0]))
        last[example.cluster] = max(span[1], last.get(example.cluster, span[1]))
    dated = sorted((span[0] for example in examples if (span := days(example.date))), reverse=True)
    if not dated:
        raise DataError("no example has a date; fill in 'date' (YYYY-MM-DD), or split by document")
    test_from = dated[min(len(dated) - 1, int(TEST * len(dated)))]
    validation_from = dated[min(len(dated) - 1, int((TEST + VALIDATION) * len(dated)))]
    parts: Parts = {"train": [], "validation": [], "test": []}
    for example in examples:
        cluster = example.cluster
        if cluster in undated:
            continue
        if first[cluster] >= test_from:
            parts["test"].append(example)
        elif first[cluster] >= validation_from and last[cluster] < test_from:
            parts["validation"].append(example)
        elif last[cluster] < validation_from:
            parts["train"].append(example)
    return parts


def _choose(examples: Sequence[Example], kind: str, seed: int, held_out: Sequence[str]) -> tuple[str, ...]:
    """The groups to hold out: those named, else drawn ones of about the share wanted."""
    field = HELD_OUT[kind]
    sizes = Counter(group for example in examples if (group := group_of(example, field)))
    if len(sizes) < 2:
        has = f"all are of '{next(iter(sizes))}'" if sizes else f"no example has one ('{field}' is empty)"
        raise DataError(f"a split by {kind} needs two groups or more, but {has}; fill it in, or split by document")
    named = [group_of(Example("", **{field: name}), field) or name for name in held_out]  # type: ignore[arg-type]
    for name in named:
        if name not in sizes:
            raise DataError(f"no example has the {field} '{name}'; there are {', '.join(sorted(sizes)[:20])}")
    if named:
        return tuple(dict.fromkeys(named))
    room = (ACTORS if field == "actor" else TEST) * sum(sizes.values())
    drawn = sorted(sizes)
    Random(seed).shuffle(drawn)  # noqa: S311 - a sample, not a secret
    chosen: list[str] = []
    for group in drawn:
        if sizes[group] <= room:
            chosen.append(group)
            room -= sizes[group]
    return tuple(chosen) or (min(sizes, key=lambda group: (sizes[group], group)),)


def _by_group(examples: Sequence[Example], held: Sequence[str], field: str) -> tuple[list[Example], list[Example]]:
    """Other groups' and held-out groups' examples; a cluster of both, or one that says no group, is in neither."""
    groups: dict[str, set[str | None]] = {}
    for example in examples:
        groups.setdefault(example.cluster, set()).add(group_of(example, field))
    rest = [e for e in examples if not groups[e.cluster] & {None, *held}]
    return rest, [e for e in examples if groups[e.cluster] <= set(held)]


def _by_actor(examples: Sequence[Example], held: Sequence[str], field: str) -> tuple[list[Example], list[Example]]:
    """Other actors' and held-out actors' examples, from documents that are mostly the ones' or the others'."""
    ours: Counter[str] = Counter(e.cluster for e in examples if group_of(e, field) in held)
    sizes = Counter(example.cluster for example in examples)
    testing = {cluster for cluster, size in sizes.items() if ours[cluster] >= MOSTLY * size}
    place: Callable[[Example], tuple[str, int, str]] = lambda e: (document_id(e), e.index, e.text)  # noqa: E731
    shared = {place(e) for e in examples if group_of(e, field) in held}
    rest = [e for e in examples if e.cluster not in testing and place(e) not in shared and e.actor]
    return rest, [e for e in examples if e.cluster in testing and group_of(e, field) in held]


def _hold_validation(examples: Sequence[Example], seed: int) -> Parts:
    """The examples as train and validation, by document."""
    n_clusters = len({example.cluster for example in examples})
    if n_clusters < 2:
        raise DataError(f"{n_clusters} documents are left to train and validate on; give more, or hold out less")
    fold = folds(examples, min(round(1 / VALIDATION), n_clusters), seed)[0].apply(examples)
    return {"train": fold["train"], "validation": fold["test"]}
