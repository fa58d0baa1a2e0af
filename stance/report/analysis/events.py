"""The same event in several outlets. An outlet's answers enter; counts per event, and how outlets differ, leave.

An event is a near-duplicate cluster: documents that share wording. Within one, outlets had the same report before them,
so what differs is what they kept, cut or added, and not what they chose to cover.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from stance.evaluation.bootstrap import FEWEST_DOCUMENTS, Resampling
from stance.report.analysis.error_rates import ErrorRates
from stance.report.analysis.prevalence import COLUMNS

if TYPE_CHECKING:
    import pandas as pd

FEWEST_ANSWERS = 3


def count_events(rows: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Return counts per `event`, `outlet` and label, of events that two outlets or more report.

    `rows` are answers with an outlet. The event in which outlets differ most comes first (see `spread`). One event is
    too little for a correction or an interval: those columns are nan.
    """
    import pandas as pd

    own = rows.loc[rows.groupby("unit")["outlet"].transform("nunique") > 1] if len(rows) else rows
    if not len(own):
        return pd.DataFrame(columns=["event", "outlet", *COLUMNS])
    found = []
    for (event, outlet), group in own.groupby(["unit", "outlet"], sort=False):
        for label in labels:
            count = int(group["given"].map(lambda given, label=label: label in given).sum())
            found.append((event, outlet, label, len(group), group["doc_id"].nunique(), count, count / len(group)))
    table = pd.DataFrame(found, columns=["event", "outlet", "label", "n", "documents", "count", "share"])
    table[["corrected", "low", "high"]] = np.nan
    order = spread(table)
    return table.sort_values("event", key=lambda events: -events.map(order), kind="stable", ignore_index=True)


def spread(events: pd.DataFrame) -> pd.Series[float]:
    """Return by event the widest gap between two outlets' shares of one label, in [0, 1].

    An outlet with fewer than `FEWEST_ANSWERS` answers has no part in it: one sentence more or less would be the gap.
    """
    shares = events.assign(share=events["share"].where(events["n"] >= FEWEST_ANSWERS)).groupby(
        ["event", "label"], sort=False
    )["share"]
    return (shares.max() - shares.min()).fillna(0.0).groupby(level="event", sort=False).max()


def compare_outlets(events: pd.DataFrame, rates: Mapping[str, ErrorRates], plan: Resampling) -> pd.DataFrame:
    """Return per outlet and label how far its share lies from the other outlets' on the same events, on average.

    `share` is that mean difference, in [-1, 1], as counted; `corrected` divides it by the distance of hit rate and
    false-alarm rate, as the adjusted count does (the false alarms cancel out). `documents` counts events, `n` the
    outlet's answers in them, and the interval is a percentile bootstrap over events, nan for fewer than five.
    """
    import pandas as pd

    if not len(events):
        return pd.DataFrame(columns=["outlet", *COLUMNS])
    groups = events.groupby(["event", "label"], sort=False)["share"]
    others = (groups.transform("sum") - events["share"]) / (groups.transform("size") - 1)
    paired = events.assign(difference=events["share"] - others)
    generator = np.random.default_rng(plan.seed)
    found = []
    for (outlet, label), own in paired.groupby(["outlet", "label"], sort=False):
        differences, rate = own["difference"].to_numpy(), rates.get(str(label))
        usable = rate if rate is not None and rate.usable else None
        scale = 1.0 if usable is None else usable.hits - usable.alarms
        low = high = np.nan
        if len(own) >= FEWEST_DOCUMENTS:
            drawn = generator.choice(differences, (plan.resamples, len(own))).mean(axis=1)
            if usable is not None:
                hits, alarms = usable.draw(plan.resamples, generator)
                drawn = drawn / np.maximum(hits - alarms, 0.01)
            low, high = np.quantile(drawn, plan.tails)
        mean = float(differences.mean())
        corrected = np.nan if usable is None else mean / scale
        numbers = (int(own["n"].sum()), len(own), int(own["count"].sum()), mean, corrected, low, high)
        found.append((outlet, label, *numbers))
    table = pd.DataFrame(found, columns=["outlet", *COLUMNS])
    return table.sort_values("documents", ascending=False, kind="stable", ignore_index=True)
