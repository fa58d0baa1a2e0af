"""GVFC (Liu et al. 2019; folds of Akyürek et al. 2020): frames of US headlines on gun violence.

The unit is the headline. `frames` is the multi-label task, `first-frame` the one with a single label. Parts are the
five folds; the part of a fold holds the rows that are held out in it.
"""

from __future__ import annotations

from collections.abc import Iterator

from stance.dataset.importers.source import Row, choose, text_of
from stance.records import Example

FILES = {"folds": "gvfc_headlines_5fold.tsv"}
TASKS = ("frames", "first-frame")
COLUMNS = {
    "f1_gun_rights": "gun-rights",
    "f2_gun_control": "gun-control",
    "f3_politics": "politics",
    "f4_mental_health": "mental-health",
    "f5_school_public_safety": "public-safety",
    "f6_race_ethnicity": "race-ethnicity",
    "f7_public_opinion": "public-opinion",
    "f8_society_culture": "society-culture",
    "f9_economic": "economic",
}
FIRST = {str(number): label for number, label in enumerate(COLUMNS.values(), 1)}


def read(row: Row, part: str, number: int, task: str) -> Iterator[tuple[str, Example]]:  # noqa: ARG001 - one file
    """Yield the headline's example in its fold's part."""
    marks = {label: choose(row, column, {"0": "", "1": label}) for column, label in COLUMNS.items()}
    labels = (choose(row, "first_frame", FIRST),) if task == "first-frame" else tuple(filter(None, marks.values()))
    fold = choose(row, "fold", {str(number): f"fold-{number}" for number in range(5)})
    headline = text_of(row, "headline")
    yield fold, Example(text=headline, doc_id=f"gvfc-{number}", index=0, labels=labels)
