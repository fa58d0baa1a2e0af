"""Reading what went wrong: examples, gold and decisions enter; one row per wrong label leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.records import Example


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One wrong label of one example: `kind` is "missed" (gold, not given) or "spurious" (given, not gold).

    `probabilities` are calibrated and in label order; `surprise` is how far that of `label` lies from gold, in [0, 1].
    """

    id: str
    doc_id: str
    text: str
    actor: str | None
    mention: str | None
    gold: tuple[str, ...]
    predicted: tuple[str, ...]
    label: str
    kind: str
    surprise: float
    probabilities: tuple[float, ...]


def list_errors(
    examples: Sequence[Example],
    gold: NDArray[Any],
    calibrated: NDArray[Any],
    predicted: NDArray[Any],
    labels: Sequence[str],
) -> tuple[ErrorRow, ...]:
    """Return a row per wrong label, most surprising first; arrays have shape `(n_examples, n_labels)`."""
    rows = []
    for i, j in np.argwhere(gold.astype(bool) != predicted):
        example = examples[i]
        row = ErrorRow(
            id=example.id,
            doc_id=example.doc_id,
            text=example.text,
            actor=example.actor,
            mention=example.mention,
            gold=chosen_labels(gold[i], labels),
            predicted=chosen_labels(predicted[i], labels),
            label=labels[j],
            kind="missed" if gold[i, j] else "spurious",
            surprise=abs(float(gold[i, j] - calibrated[i, j])),
            probabilities=tuple(map(float, calibrated[i])),
        )
        rows.append(row)
    return tuple(sorted(rows, key=lambda row: (-row.surprise, row.id, row.label)))


def chosen_labels(row: NDArray[Any], labels: Sequence[str]) -> tuple[str, ...]:
    """Return the labels whose entry in `row` is set, in label order."""
    return tuple(label for label, there in zip(labels, row, strict=True) if there)
