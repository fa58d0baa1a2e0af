"""What all rows of the speed benchmark score. The shipped corpus enters; equal texts for the kit and rivals leave.

The kit reads examples; a rival reads what the kit's encoder would: the sentence with actor and target marked, and its
neighbours. Rivals get them ready-made, from a file, so that a row can run where the kit is not installed. Texts beyond
the test part are the same again with a running number, so that none is answered because an equal one was.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from stance.records import Example

TASK = "stance"


class Text(NamedTuple):
    """A marked sentence and its neighbours; `joined` is both in one string, for who reads one."""

    sentence: str
    context: str

    @property
    def joined(self) -> str:
        return f"{self.sentence} {self.context}".strip()


@dataclass(frozen=True)
class Part:
    """Texts with their gold labels, int8, `(n_texts, n_labels)`."""

    texts: list[Text]
    gold: NDArray[np.int8]


@dataclass(frozen=True)
class Material:
    """What a row may learn from and is scored on: the parts train, validation and test, of the same label order."""

    labels: list[str]
    parts: dict[str, Part]


def examples(limit: int | None) -> dict[str, list[Example]]:
    """Return the shipped corpus's parts; with `limit`, that many of each, spread over it."""
    from stance.dataset import load_examples

    parts = load_examples(TASK)
    if limit is None:
        return parts
    return {name: part[:: max(1, len(part) // limit)][:limit] for name, part in parts.items()}


def marked(one: Example) -> Text:
    """Return what the kit's encoder reads of an example."""
    from stance.models.marking import mark

    found = mark(one)
    return Text(found.text, found.context or "")


def numbered(known: Sequence[Example], first: int, count: int) -> list[Example]:
    """Return `count` examples from the `first`-th on, over and over those known, each with its number in its text."""
    chosen = ((known[i % len(known)], i) for i in range(first, first + count))
    return [replace(one, text=f"{one.text} ({i})") for one, i in chosen]


def numbered_texts(known: Sequence[Text], first: int, count: int) -> list[Text]:
    """Do for texts what `numbered` does for examples."""
    chosen = ((known[i % len(known)], i) for i in range(first, first + count))
    return [Text(f"{one.sentence} ({i})", one.context) for one, i in chosen]


def write_material(path: Path, limit: int | None) -> None:
    """Write the texts of all parts to a JSON file."""
    from stance import codebook
    from stance.dataset import replacing
    from stance.dataset.arrays import label_matrix

    labels = codebook.load().task(TASK).labels
    content = {
        name: {"texts": [marked(one) for one in part], "gold": label_matrix(part, labels).tolist()}
        for name, part in examples(limit).items()
    }
    with replacing(path) as draft:
        draft.write_text(json.dumps({"labels": labels, "parts": content}), "utf-8")


def read_material(path: Path) -> Material:
    """Read what `write_material` wrote; needs numpy alone."""
    content = json.loads(path.read_text("utf-8"))
    parts = {
        name: Part([Text(*text) for text in part["texts"]], np.array(part["gold"], dtype=np.int8))
        for name, part in content["parts"].items()
    }
    return Material(content["labels"], parts)
