"""What may be labelled next. A pool of examples enters; those leave that nobody labelled and no frozen test needs.

A test part stays a test only while nobody chooses training data by looking at it, so its documents, and those that
share their wording, are never offered.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stance.codebook import Codebook
from stance.corpus.duplicates import cluster
from stance.dataset import fixed_split, load_examples, read_examples
from stance.dataset.splits import document_id
from stance.errors import DataError
from stance.records import Example

LABELLED, FROZEN, REPEATED, ACTORLESS = "labelled already", "frozen test", "repeated in the pool", "without an actor"


@dataclass(frozen=True, slots=True)
class Eligible:
    """What may be asked, in the pool's order, and how many were left out for which reason."""

    examples: tuple[Example, ...] = field(repr=False)
    left_out: dict[str, int]


def find_eligible(
    pool: Sequence[Example], book: Codebook, task: str, labelled: Iterable[str] = (), held_out: Sequence[Example] = ()
) -> Eligible:
    """Return the examples of a pool that may be offered to annotators of a task.

    Left out are: examples with labels or whose id is in `labelled`; documents of the shipped corpus's test part and of
    `held_out`, with all near-duplicates of them; a second example that a coder could not tell from the first (same
    words, same actor); for a task coded per actor, examples without one. Raises DataError where nothing remains.
    """
    per_actor = book.task(task).unit == "actor"
    known = set(labelled)
    frozen = frozen_documents(pool, held_out)
    left_out = dict.fromkeys((LABELLED, FROZEN, REPEATED, ACTORLESS), 0)
    seen: set[tuple[str, str]] = set()
    kept = []
    for example in pool:
        look = (_words(example.text), example.actor or "")
        if example.labels is not None or example.id in known:
            left_out[LABELLED] += 1
        elif document_id(example) in frozen:
            left_out[FROZEN] += 1
        elif per_actor and not example.actor:
            left_out[ACTORLESS] += 1
        elif look in seen:
            left_out[REPEATED] += 1
        else:
            kept.append(example)
        seen.add(look)
    if not kept:
        counts = ", ".join(f"{count} {why}" for why, count in left_out.items() if count) or "it is empty"
        raise DataError(f"nothing in the pool may be labelled next ({counts}); ingest other articles")
    return Eligible(tuple(kept), left_out)


def frozen_documents(pool: Sequence[Example], held_out: Sequence[Example] = ()) -> set[str]:
    """Return the pool's documents that belong to a test part or share wording with one, by `document_id`.

    A sentence of a test document, verbatim or lightly changed, is enough: it freezes the whole document and, where the
    pool states clusters, its cluster.
    """
    test = [*load_examples("frames", "test")["test"], *held_out]  # coded per sentence, it holds every sentence
    split = fixed_split()
    stated = {split.clusters[document] for document, part in split.parts.items() if part == "test"}
    stated |= {one.cluster for one in held_out if one.cluster} | {document_id(one) for one in test}
    documents, theirs = _texts(pool), _texts(test)
    # First whole documents, for reworded copies; then sentences, as one of them is lost among a long document's words.
    names, clusters = list(documents), {document_id(one): one.cluster for one in pool}
    groups = cluster([*(" ".join(documents[name]) for name in names), *(" ".join(text) for text in theirs.values())])
    touched = set(groups[len(names) :])
    frozen = {name for name, group in zip(names, groups, strict=False) if group in touched}
    owners = [(name, text) for name in names for text in documents[name]]
    sentences = [text for texts in theirs.values() for text in texts]
    groups = cluster([*(text for _, text in owners), *sentences], threshold=0.5)
    touched = set(groups[len(owners) :])
    frozen |= {name for (name, _), group in zip(owners, groups, strict=False) if group in touched}
    frozen |= {name for name in names if name in stated or clusters[name] in stated}
    clusters_hit = {clusters[name] for name in frozen if clusters[name]}
    return frozen | {name for name in names if clusters[name] in clusters_hit}


def read_ids(path: str | Path) -> set[str]:
    """Return the ids of the examples in a file of examples (.jsonl, .parquet) or of pulled annotations (.jsonl).

    Raises DataError for a file that is neither.
    """
    path = Path(path)
    if path.suffix.lower() == ".jsonl" and _is_annotations(path):
        from labeling.annotations import read_annotations

        return {annotation.example.id for annotation in read_annotations(path)}
    return {example.id for example in read_examples(path)}


def _is_annotations(path: Path) -> bool:
    try:
        with path.open(encoding="utf-8") as file:
            first = json.loads(next((line for line in file if line.strip()), "{}"))
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError:
        return False  # the reader of examples names the line
    return isinstance(first, dict) and "example" in first and "annotator" in first


def _texts(examples: Iterable[Example]) -> dict[str, dict[str, None]]:
    """Every document's sentences, in order and once each."""
    texts: dict[str, dict[str, None]] = {}
    for one in examples:
        texts.setdefault(document_id(one), {})[one.text] = None
    return texts


def _words(text: str) -> str:
    """Return what two copies of a sentence share whatever their quotes, spaces and capitals.

    >>> _words("“Talks,” he said.") == _words('"talks" he said')
    True
    """
    return " ".join(re.findall(r"\w+", text.casefold()))
