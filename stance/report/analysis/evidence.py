"""The sentences behind the figures. Predictions enter; one compact JSON text that the page searches leaves.

Each sentence is kept once, with the actors found in it. Labels are places in the task's list of labels, and a place in
a text counts UTF-16 units, as browsers do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stance.records import content_id
from stance.report.analysis.predictions import PredictedTask, Predictions

if TYPE_CHECKING:
    import pandas as pd


MOST_SENTENCES = 30_000
"""A page of more would be too large to open on a phone: about 10 MB."""


def choose_evidence(predictions: Predictions, most: int = MOST_SENTENCES) -> Predictions:
    """Return the predictions, or of more than `most` sentences those of whole documents, chosen as if by lot.

    The lot is a hash of the document's id: the same documents are chosen on every machine.
    """
    frame = predictions.frame
    sizes = frame.drop_duplicates(["doc_id", "index"])["doc_id"].value_counts()
    if int(sizes.sum()) <= most:
        return predictions
    drawn = sizes.loc[sorted(sizes.index, key=lambda doc_id: content_id("evidence", doc_id))]
    kept = set(drawn.index[drawn.cumsum() <= most])
    return replace(predictions, frame=frame.loc[frame["doc_id"].isin(kept)])


def write_evidence(predictions: Predictions) -> str:
    """Return the JSON text of all sentences, safe inside a `<script>` element.

    It holds `actors`, `outlets` and `events` (names), `documents` as [title, date, outlet, event, address, counted],
    `tasks` as [name, labels, per actor], and `sentences` as [document, text, answers per sentence task, actors], an
    actor being [actor, start, end, answers per actor task]. An answer is null, or pairs of label and probability.
    """
    tasks = predictions.tasks
    per_sentence = [task for task in tasks if not task.per_actor]
    per_actor = [task for task in tasks if task.per_actor]
    actors, outlets, events = _Names(), _Names(), _Names()
    in_event = _shared_units(predictions.frame)
    places: dict[str, int] = {}
    documents: list[list[Any]] = []
    sentences: dict[tuple[str, int], list[Any]] = {}
    for row in predictions.frame.to_dict("records"):
        doc_id, text = row["doc_id"], str(row["text"])
        if doc_id not in places:
            places[doc_id] = len(documents)
            event = events.place(row["unit"] if row["unit"] in in_event else None)
            address = row["url"] if str(row["url"]).startswith(("http://", "https://")) else None
            outlet = outlets.place(row["outlet"])
            documents.append([row["title"], row["date"], outlet, event, address, int(row["counted"])])
        answers = [_answer(row, task) for task in per_sentence]
        sentence = sentences.setdefault((doc_id, row["index"]), [places[doc_id], text, answers, []])
        if row["actor"] is not None:
            own = [_answer(row, task) for task in per_actor]
            sentence[3].append([actors.place(row["actor"]), *_span(text, row), own])
    content = {
        "actors": actors.known,
        "outlets": outlets.known,
        "events": events.known,
        "documents": documents,
        "tasks": [[task.name, task.labels, int(task.per_actor)] for task in (*per_sentence, *per_actor)],
        "sentences": list(sentences.values()),
    }
    return embed(content)


def embed(content: Any) -> str:
    """Return JSON that no HTML parser mistakes for markup.

    >>> embed({"a": "</script><!--"})
    '{"a":"\\\\u003c/script>\\\\u003c!--"}'
    """
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")


class _Names:
    """Numbers for names, in order of appearance; -1 for no name."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}

    def place(self, name: str | None) -> int:
        return -1 if name is None else self._places.setdefault(name, len(self._places))

    @property
    def known(self) -> list[str]:
        return list(self._places)


def _shared_units(frame: pd.DataFrame) -> set[Any]:
    """The units of two documents or more."""
    sizes = frame.drop_duplicates("doc_id")["unit"].value_counts()
    return set(sizes[sizes > 1].index)


def _answer(row: Mapping[Any, Any], task: PredictedTask) -> list[list[float]] | None:
    given = row[task.name]
    if given is None:
        return None
    chances = {label: row[f"{task.name}.{label}"] for label in task.labels}
    return [[j, round(float(chances[label]), 2)] for j, label in enumerate(task.labels) if label in given]


def _span(text: str, row: Mapping[Any, Any]) -> list[int]:
    """Where the actor's mention stands, in UTF-16 units; [-1, -1] where it is only implied."""
    try:
        start, end = int(row["start"]), int(row["end"])
    except (TypeError, ValueError):
        return [-1, -1]
    return [_units(text[:start]), _units(text[:end])] if 0 <= start < end <= len(text) else [-1, -1]


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
