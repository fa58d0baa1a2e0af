"""What stands on the page. An analysis enters; matrices, charts and events leave, ready to be filled into the template.

Every number carries the filters that find its sentences, as the JSON text that the page's script reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from stance.report.analysis.events import spread
from stance.report.analysis.figures import Analysis
from stance.report.analysis.predictions import PredictedTask

if TYPE_CHECKING:
    import pandas as pd

SHOWN_ROWS = 15
MOST_ROWS = 200
MOST_EVENTS = 40


@dataclass(frozen=True)
class Cell:
    """One number: `count` answers of `n`, the `share` to show in [0, 1], its bounds or None, and what finds them."""

    count: int
    n: int
    share: float
    low: float | None
    high: float | None
    filters: str
    label: str


@dataclass(frozen=True)
class Row:
    """One actor or outlet: its answers in all, the documents that they stand in, a cell per label."""

    name: str
    n: int
    documents: int
    cells: tuple[Cell, ...]
    filters: str


@dataclass(frozen=True)
class Matrix:
    """Rows by labels; `left` counts the rows that are not listed."""

    task: str
    key: str
    labels: tuple[str, ...]
    rows: tuple[Row, ...]
    left: int


@dataclass(frozen=True)
class Chart:
    """Data for the page's script: by option and label, rows of [x, n, documents, count, share, value, low, high]."""

    id: str
    kind: str
    options: tuple[tuple[str, str, str], ...]  # key, task, text
    rows: Mapping[str, Mapping[str, list[list[Any]]]]

    def to_json(self) -> dict[str, Any]:
        """Return what the script reads."""
        return {"id": self.id, "kind": self.kind, "options": self.options, "rows": self.rows}


@dataclass(frozen=True)
class Event:
    """One report in several outlets: a matrix per task, and the widest gap between two outlets, in [0, 1]."""

    title: str
    date: str | None
    outlets: int
    gap: float
    filters: str
    matrices: tuple[Matrix, ...]


def build_matrix(analysis: Analysis, figure: str, task: PredictedTask, key: str) -> Matrix:
    """Return a figure with a row per actor or outlet, largest first."""
    return _matrix(analysis.figure(figure, task.name), task, key, {} if key == "actor" else {"copies": "all"})


def build_months(analysis: Analysis) -> Chart | None:
    """Return the lines over months, for all and for the most frequent actors; None where nothing is dated."""
    options, rows = [], {}
    for task in analysis.predictions.tasks:
        table = analysis.figure("months", task.name)
        for actor, own in table.groupby("actor", sort=False, dropna=False):
            name = actor if isinstance(actor, str) else ""
            text = name or ("All actors" if task.per_actor else "All sentences")
            options.append((f"{task.name}/{name}", task.name, text))
            rows[options[-1][0]] = _series(own, "month")
    return Chart("months", "months", tuple(options), rows) if options else None


def build_differences(analysis: Analysis) -> Chart | None:
    """Return how outlets differ on the same events; None where no event has two outlets."""
    options, rows = [], {}
    for task in analysis.predictions.tasks:
        if len(table := analysis.figure("differences", task.name)):
            options.append((task.name, task.name, task.name.capitalize()))
            rows[task.name] = _series(table, "outlet")
    return Chart("differences", "differences", tuple(options), rows) if options else None


def build_events(analysis: Analysis) -> tuple[tuple[Event, ...], int]:
    """Return the events in which outlets differ most, and how many there are in all."""
    tables = {task: analysis.figure("events", task.name) for task in analysis.predictions.tasks}
    gaps: dict[str, float] = {}
    for table in tables.values():
        for event, gap in spread(table).to_dict().items() if len(table) else ():
            gaps[str(event)] = max(gaps.get(str(event), 0.0), float(gap))
    frame = analysis.predictions.frame
    heads = frame.loc[frame["counted"]].drop_duplicates("unit").set_index("unit")
    found = []
    for event in sorted(gaps, key=lambda each: (-gaps[each], each))[:MOST_EVENTS]:
        own = {task: table.loc[table["event"] == event] for task, table in tables.items()}
        filters = {"event": event, "copies": "all"}
        matrices = tuple(_matrix(table, task, "outlet", filters) for task, table in own.items() if len(table))
        head = heads.loc[event].to_dict()
        title = head["title"] or f"{head['text'][:80]}…"
        outlets = max(table["outlet"].nunique() for table in own.values())
        found.append(Event(title, head["date"], outlets, gaps[event], _filters(filters), matrices))
    return tuple(found), len(gaps)


def build_facts(analysis: Analysis) -> list[tuple[str, str]]:
    """Return the numbers that stand at the top: what was counted."""
    frame = analysis.predictions.frame
    if not len(frame):
        return []
    documents = frame.drop_duplicates("doc_id")
    dates = documents["date"].dropna()
    copies = len(documents) - int(documents["counted"].sum())
    facts = [
        ("documents", f"{len(documents):,}" + (f", {copies:,} of them copies" if copies else "")),
        ("sentences", f"{len(frame.drop_duplicates(['doc_id', 'index'])):,}"),
        ("actors", f"{frame['actor'].nunique():,} in {int(frame['actor'].notna().sum()):,} mentions"),
        ("outlets", f"{documents['outlet'].nunique():,}"),
        ("dates", f"{dates.min()} to {dates.max()}" if len(dates) else "none known"),
    ]
    return facts


def _matrix(table: pd.DataFrame, task: PredictedTask, key: str, filters: Mapping[str, str]) -> Matrix:
    rows = list(_rows(table, task, key, filters))
    labels = tuple(dict.fromkeys(table["label"]))
    return Matrix(task.name, key, labels, tuple(rows[:MOST_ROWS]), max(0, len(rows) - MOST_ROWS))


def _rows(table: pd.DataFrame, task: PredictedTask, key: str, filters: Mapping[str, str]) -> Iterator[Row]:
    for name, own in table.groupby(key, sort=False):
        cells = []
        for row in own.to_dict("records"):
            share = row["share"] if _number(row["corrected"]) is None else row["corrected"]
            chosen = _filters({**filters, key: str(name), task.name: row["label"]})
            bounds = _number(row["low"]), _number(row["high"])
            cells.append(Cell(row["count"], row["n"], float(share), *bounds, chosen, row["label"]))
        head = own.iloc[0]
        yield Row(
            str(name), int(head["n"]), int(head["documents"]), tuple(cells), _filters({**filters, key: str(name)})
        )


def _series(table: pd.DataFrame, key: str) -> dict[str, list[list[Any]]]:
    series: dict[str, list[list[Any]]] = {}
    for row in table.to_dict("records"):
        value = row["share"] if _number(row["corrected"]) is None else row["corrected"]
        numbers = [_number(each) for each in (row["share"], value, row["low"], row["high"])]
        series.setdefault(row["label"], []).append([row[key], row["n"], row["documents"], row["count"], *numbers])
    return series


def _filters(filters: Mapping[str, str]) -> str:
    return json.dumps(filters, ensure_ascii=False)


def _number(value: Any) -> float | None:
    return round(float(value), 4) if value is not None and isfinite(value) else None
