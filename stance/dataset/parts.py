"""Examples by part, ready to train on: from the shipped corpus or from a user's own labelled file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from stance.codebook import Codebook
from stance.codebook import load as load_codebook
from stance.dataset import shipped, splits
from stance.dataset.files import read_examples
from stance.dataset.overlap import check_disjoint
from stance.errors import DataError
from stance.records import Example


def load_examples(
    task: str = "stance", part: str | None = None, codebook: Codebook | None = None
) -> dict[str, list[Example]]:
    """Return the shipped corpus as `{"train": …, "validation": …, "test": …}`, or only one `part` of it.

    The split is fixed and the same for every task. Raises CodebookError for an unknown task, DataError for an
    unknown part.
    """
    return _choose(shipped.fixed_split().apply(shipped.examples(task, codebook)), part)


def from_file(
    path: str | Path, task: str = "stance", *, codebook: Codebook | None = None, seed: int = 0
) -> dict[str, list[Example]]:
    """Return a user's labelled examples (.jsonl or .parquet) divided into train, validation and test.

    Documents and near-duplicates stay together, parts are stratified over label sets, and the same file and seed
    give the same parts. Raises DataError naming `file:line` for a bad row, for examples that nobody labelled, for
    the stance task's examples without an actor, and for too few documents.
    """
    examples = read_labelled(path, task, codebook)
    try:
        parts = splits.split(examples, seed=seed).apply(examples)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    check_disjoint(parts)
    return parts


def read_labelled(path: str | Path, task: str, codebook: Codebook | None = None) -> list[Example]:
    """Return a user's labelled examples in the file's order; raises like `from_file` for a bad or unlabelled row."""
    definition = (codebook or load_codebook()).task(task)
    examples = read_examples(path, definition)
    if not examples:
        raise DataError(f"{path}: holds no example")
    _refuse(path, (one for one in examples if one.labels is None), "has no 'labels' (an empty list means none)")
    if definition.unit == "actor":
        _refuse(path, (one for one in examples if not one.actor), f"has no 'actor', which the task {task} needs")
    return examples


def _choose(parts: dict[str, list[Example]], part: str | None) -> dict[str, list[Example]]:
    if part is None:
        return parts
    if part not in parts:
        raise DataError(f"there is no part '{part}'; the parts are {', '.join(parts)}")
    return {part: parts[part]}


def _refuse(path: str | Path, bad: Iterable[Example], why: str) -> None:
    found = list(bad)
    if found:
        raise DataError(
            f"{path}: example {found[0].id} ({found[0].text!r:.60}) {why}; {len(found)} in all: label or remove them"
        )
