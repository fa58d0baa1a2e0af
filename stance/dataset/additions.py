"""New gold for old data: parts and newly labelled examples enter; what joins train and validation leaves.

The test part stays as it is, so that models trained before and after can be compared on it; and nothing that repeats a
document of it is ever trained on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from stance.dataset.splits import cluster_documents, document_id
from stance.errors import DataError
from stance.records import Example, content_id

VALIDATION = 15  # percent of the new documents


@dataclass(frozen=True, eq=False)
class Additions:
    """What joins each part: new examples, and old ones whose labels were corrected.

    `new`, `corrected` and `known` count the examples; `left_out` counts, by reason, those that join nothing.
    """

    parts: Mapping[str, list[Example]]
    new: int
    corrected: int
    known: int
    left_out: Mapping[str, int]

    @property
    def summary(self) -> str:
        """One line of all counts."""
        shares = ", ".join(f"{len(examples)} {part}" for part, examples in self.parts.items())
        left = "".join(f"; {n} left out: {why}" for why, n in self.left_out.items())
        return f"{self.new} new examples and {self.corrected} corrected ({shares}); {self.known} known before{left}"


def place_gold(parts: Mapping[str, Sequence[Example]], gold: Sequence[Example], *, seed: int) -> Additions:
    """Return where newly labelled examples belong.

    An example that a part holds already (by id) is corrected there if its labels differ, but in the test part never. A
    new one goes where its document, or a near-duplicate of that, is; a document of its own goes to train or, for
    `VALIDATION` percent of such, to validation, by a hash of its id. What touches the test part, or both others, is
    left out. Raises DataError where nothing joins.
    """
    where = {one.id: (part, one) for part, examples in parts.items() for one in examples}
    latest = {one.id: one for one in gold}
    joined: dict[str, list[Example]] = {"train": [], "validation": []}
    left: Counter[str] = Counter()
    known = 0
    for key, one in latest.items():
        if key not in where:
            continue
        part, before = where[key]
        if set(before.labels or ()) == set(one.labels or ()):
            known += 1
        elif part == "test":
            left["corrections of the test part, which stays as it is"] += 1
        else:
            joined[part].append(replace(before, labels=one.labels))
    corrected = sum(map(len, joined.values()))
    for place, one in _settle(parts, [one for key, one in latest.items() if key not in where], seed):
        if place in joined:
            joined[place].append(one)
        else:
            left[place] += 1
    if not any(joined.values()):
        reasons = "".join(f"; {n} left out: {why}" for why, n in left.items())
        raise DataError(f"the new gold adds nothing: {known} examples are known with the same labels{reasons}")
    return Additions(joined, sum(map(len, joined.values())) - corrected, corrected, known, dict(left))


def _settle(
    parts: Mapping[str, Sequence[Example]], fresh: Sequence[Example], seed: int
) -> Iterator[tuple[str, Example]]:
    """The part of each new example, or why it has none, and the example with its near-duplicates' cluster."""
    if not fresh:
        return
    # Stated clusters are those of another ingest, and would keep copies from being looked for by text.
    fresh = [replace(one, cluster="") for one in fresh]
    clusters = cluster_documents([*(one for examples in parts.values() for one in examples), *fresh], seed=seed)
    homes: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    for part, examples in parts.items():
        for one in examples:
            homes.setdefault(clusters[document_id(one)], set()).add(part)
            names.setdefault(clusters[document_id(one)], one.cluster)
    for one in fresh:
        cluster = clusters[document_id(one)]
        found = homes.get(cluster, set())
        if "test" in found:
            yield "near the test part", one
        elif len(found) > 1:
            yield "near both train and validation", one
        else:
            yield next(iter(found), _draw(cluster, seed)), replace(one, cluster=names.get(cluster) or cluster)


def _draw(cluster: str, seed: int) -> str:
    """A part that depends on the cluster and the seed alone: later additions move no earlier ones."""
    return "validation" if int(content_id("part", seed, cluster), 16) % 100 < VALIDATION else "train"
