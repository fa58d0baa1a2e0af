"""The shipped corpus: what enters is the package's own passages, what leaves is labelled examples and their split.

`DATA_CARD.md` beside this file says who wrote and labelled it, and what it must not be used for.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

from stance.codebook import Codebook
from stance.codebook import load as load_codebook
from stance.dataset.splits import Split
from stance.errors import DataError
from stance.records import Example

FILES = tuple(f"passages-{part}.jsonl" for part in "abcdefgh")
TASKS = ("stance", "frames")


@dataclass(frozen=True, slots=True)
class Coding:
    """What one reader chose before differences were judged: `author` first, then the blind second `coder`.

    `labels` is in codebook order, and None where the reader did not list that actor.
    """

    example_id: str
    reader: str
    labels: tuple[str, ...] | None


def examples(task: str = "stance", codebook: Codebook | None = None) -> list[Example]:
    """Return the corpus as labelled examples: one per sentence and actor for `stance`, per sentence for `frames`.

    `doc_id` is the passage's id; `prev` and `next` are the neighbouring sentences' text. Order: file, sentence,
    actor as listed. Raises CodebookError for a task or a label that `codebook` does not have, DataError for a task
    of another codebook that the corpus is not labelled for.
    """
    return [example for example, _ in _coded(task, codebook or load_codebook())]


def codings(task: str = "stance", codebook: Codebook | None = None) -> list[Coding]:
    """Return both readers' labels for every example, in the order of `examples`, to compute agreement from."""
    book = codebook or load_codebook()
    return [
        Coding(example.id, reader, None if labels is None else book.task(task).order(labels, example.doc_id))
        for example, coded in _coded(task, book)
        for reader, labels in zip(("author", "coder"), coded, strict=True)
    ]


def fixed_split() -> Split:
    """Return the corpus's own split, the same for every task, read from `split.tsv`.

    It is stored, not computed, so that scores stay comparable when a library changes its random numbers.
    Raises DataError if the table does not have the digest that it states.
    """
    header, *rows = _text("split.tsv").splitlines()
    table = [row.split("\t") for row in rows if not row.startswith("#")]
    split = Split({doc: part for doc, part, _ in table}, {doc: cluster for doc, _, cluster in table})
    if header != f"# digest {split.digest}":
        raise DataError("the shipped split table was changed or cut short; install stance-kit again")
    return split


def fingerprint() -> str:
    """Return the SHA-256 of the passages and the split table, 64 hexadecimal digits."""
    content = hashlib.sha256()
    for name in (*(f"passages/{name}" for name in FILES), "split.tsv"):
        content.update(_text(name).encode())
    return content.hexdigest()


def locate(mention: str, text: str) -> tuple[int, int]:
    """Return where `mention` stands in `text`: as whole words where it does so, else its first occurrence.

    >>> locate("he", "The contacts stopped, he said.")
    (22, 24)
    """
    # Not a pattern: compiling one for each of thousands of mentions takes longer than all else here.
    start = text.index(mention)
    while start >= 0:
        end = start + len(mention)
        if not (text[:start][-1:].isalnum() or text[end : end + 1].isalnum()):
            return start, end
        start = text.find(mention, start + 1)
    start = text.index(mention)
    return start, start + len(mention)


def _coded(task: str, codebook: Codebook) -> Iterator[tuple[Example, list[list[str] | None]]]:
    from stance.corpus.targets import find_targets

    order, clusters = codebook.task(task).order, fixed_split().clusters
    if task not in TASKS:
        raise DataError(f"the shipped corpus is labelled for {' and '.join(TASKS)}, not for '{task}'")
    for passage in _passages():
        about = {field: passage[field] for field in ("doc_id", "title", "date", "genre")}
        if passage["doc_id"] not in clusters:
            raise DataError(f"passage {passage['doc_id']} is not in the shipped split table; install stance-kit again")
        about["cluster"] = clusters[passage["doc_id"]]
        sentences = passage["sentences"]
        texts = ["", *(sentence["text"] for sentence in sentences), ""]
        for index, sentence in enumerate(sentences):
            text, where = sentence["text"], f"{passage['doc_id']}, sentence {index}"
            seen = {"text": text, "index": index, "prev": texts[index], "next": texts[index + 2], **about}
            seen["targets"] = tuple(find_targets(text, codebook.target))
            if task == "frames":
                yield Example(**seen, labels=order(sentence["frames"], where)), sentence["frame_coders"]
                continue
            for actor in sentence["actors"]:
                mention = actor["mention"]
                start, end = (None, None) if mention is None else locate(mention, text)
                named = {"actor": actor["actor"], "mention": mention, "start": start, "end": end}
                yield Example(**seen, **named, labels=order(actor["stances"], where)), actor["coders"]


def _passages() -> Iterator[dict[str, Any]]:
    for name in FILES:
        # Not splitlines(): it would also cut at the line separators that a text may hold.
        for line in _text(f"passages/{name}").split("\n"):
            if line:
                yield json.loads(line)


def _text(name: str) -> str:
    return resources.files("stance.dataset").joinpath(name).read_text("utf-8")
