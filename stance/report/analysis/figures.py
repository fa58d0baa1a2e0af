"""The figures. Predictions and error rates enter; one tidy table with a row per number leaves.

Where the question is what was said (`actors`, `months`, `frames`), copies of one report count once. Where it is what an
outlet printed (`outlets`, `events`, `differences`), each outlet's copy counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stance.evaluation.bootstrap import DEFAULT, Resampling
from stance.report.analysis.error_rates import ErrorRates
from stance.report.analysis.events import compare_outlets, count_events
from stance.report.analysis.predictions import PredictedTask, Predictions
from stance.report.analysis.prevalence import COLUMNS, NONE, estimate

if TYPE_CHECKING:
    import pandas as pd

ACTORS_OVER_TIME = 12
"""How many of the most frequent actors get lines of their own."""

KEYS = ("figure", "task", "actor", "outlet", "month", "event")

Rates = Mapping[str, Mapping[str, ErrorRates]]
Progress = Callable[[dict[str, float]], None]


@dataclass(frozen=True, eq=False)
class Analysis:
    """What the report shows. `table` has the columns `KEYS`, then `COLUMNS`; a key that does not apply is None.

    `uncorrected` says by task why its counts are as counted; a task that is not in it is corrected. `rates` are by
    task and label.
    """

    predictions: Predictions
    table: pd.DataFrame
    rates: Rates = field(default_factory=dict)
    uncorrected: Mapping[str, str] = field(default_factory=dict)
    plan: Resampling = DEFAULT

    def figure(self, name: str, task: str) -> pd.DataFrame:
        """Return the rows of one figure of one task."""
        return self.table.loc[(self.table["figure"] == name) & (self.table["task"] == task)]


def analyse(
    predictions: Predictions,
    rates: Rates | None = None,
    uncorrected: Mapping[str, str] | None = None,
    plan: Resampling = DEFAULT,
    progress: Progress = lambda _: None,
) -> Analysis:
    """Return every figure of the predictions.

    `rates` are the error rates by task and label; `uncorrected` the reason by task where there are none.
    """
    import pandas as pd

    rates, parts = rates or {}, []
    for done, task in enumerate(predictions.tasks):
        progress({"done": done, "total": len(predictions.tasks)})
        for name, table in _figures(predictions, task, rates.get(task.name, {}), plan):
            if len(table):
                parts.append(table.assign(figure=name, task=task.name))
    columns = [*KEYS, *COLUMNS]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    table = table.reindex(columns=columns)
    for key in KEYS:
        table[key] = table[key].astype(object).where(table[key].notna(), None)
    return Analysis(predictions, table, rates, uncorrected or {}, plan)


def answers(predictions: Predictions, task: PredictedTask) -> pd.DataFrame:
    """Return the rows that hold an answer of their own: per actor, or one per sentence, with the answer as `given`."""
    frame = predictions.frame
    own = frame.loc[frame[task.name].notna()]
    own = own.loc[own["actor"].notna()] if task.per_actor else own.drop_duplicates(["doc_id", "index"])
    return own.assign(given=own[task.name].map(lambda labels: labels or [NONE]))


def _figures(
    predictions: Predictions, task: PredictedTask, rates: Mapping[str, ErrorRates], plan: Resampling
) -> Iterator[tuple[str, pd.DataFrame]]:
    labels = (*task.labels, NONE)
    every = answers(predictions, task)
    once = every.loc[every["counted"]]
    yield "all", estimate(once.assign(all=True), ["all"], labels, rates, plan).drop(columns="all")
    dated = once.loc[once["month"].notna()].sort_values("month", kind="stable")
    yield "months", estimate(dated, ["month"], labels, rates, plan)
    if task.per_actor:
        frequent = once["actor"].value_counts()
        yield "actors", _by_size(estimate(once, ["actor"], labels, rates, plan))
        own = dated.loc[dated["actor"].isin(list(frequent.index[:ACTORS_OVER_TIME]))]
        yield "months", estimate(own, ["actor", "month"], labels, rates, plan)
    else:
        frame = predictions.frame
        named = frame.loc[frame["actor"].notna() & frame[task.name].notna() & frame["counted"]]
        named = named.assign(given=named[task.name].map(lambda given: given or [NONE]))
        yield "actors", _by_size(estimate(named, ["actor"], labels, rates, plan))
    outlets = every.loc[every["outlet"].notna()]
    yield "outlets", _by_size(estimate(outlets, ["outlet"], labels, rates, plan))
    events = count_events(outlets, labels)
    yield "events", events
    yield "differences", compare_outlets(events, rates, plan)


def _by_size(table: pd.DataFrame) -> pd.DataFrame:
    """Groups with most rows first; labels keep their order."""
    return table.sort_values("n", ascending=False, kind="stable", ignore_index=True)
