"""From labels given to shares. Rows with answers enter; counts, corrected shares and their intervals leave.

A classifier that misses some and invents others counts wrongly, the more so the rarer a label is. The adjusted count
of Forman (2008, "Quantifying counts and costs via classification", Data Mining and Knowledge Discovery 17) undoes it:
with the share c of rows that get a label, hit rate t and false-alarm rate f, the share that has it is (c − f)/(t − f).
It assumes that the model errs on these texts as often as on its test part. A label without usable rates stays as
counted, and says so.

Intervals are bootstrap percentiles over documents (copies of one report are drawn together), widened for few
documents as Hesterberg (2015, "What Teachers Should Know About the Bootstrap", §5.3) does; every draw also draws the
error rates, which are estimates themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.bootstrap import FEWEST_DOCUMENTS, Resampling
from stance.report.analysis.error_rates import ErrorRates

if TYPE_CHECKING:
    import pandas as pd

NONE = "none"
"""The column for rows whose answer is the empty set."""

COLUMNS = ("label", "n", "documents", "count", "share", "corrected", "low", "high")
_BATCH_CELLS = 4_000_000  # weights held at once


def adjust(share: Any, hits: Any, alarms: Any) -> Any:
    """Return the adjusted count of shares in [0, 1], clipped to [0, 1].

    >>> round(float(adjust(0.38, 0.8, 0.1)), 6), float(adjust(0.05, 0.8, 0.1))
    (0.4, 0.0)
    """
    return np.clip((share - alarms) / np.maximum(hits - alarms, 0.01), 0.0, 1.0)


def estimate(
    rows: pd.DataFrame,
    keys: Sequence[str],
    labels: Sequence[str],
    rates: Mapping[str, ErrorRates],
    plan: Resampling,
) -> pd.DataFrame:
    """Return one row per group of `keys` and label: the keys, then `COLUMNS`, groups in order of appearance.

    `rows` has the keys, `unit` (what is drawn as a whole) and `given`, a list of labels. `n` counts rows, `documents`
    units, `count` rows with the label; shares are in [0, 1]. `corrected` is nan without usable rates; `low` and `high`
    belong to `corrected` where there is one, else to `share`, and are nan for under `FEWEST_DOCUMENTS` documents.
    """
    import pandas as pd

    groups = rows.groupby(list(keys), sort=False, dropna=False).ngroup().to_numpy()
    units = pd.factorize(rows["unit"])[0]
    given = np.array([[label in own for label in labels] for own in rows["given"]], dtype=float)
    given = given.reshape(len(rows), len(labels))
    counted = _Counts(groups, units, given)
    shares = counted.counts / np.maximum(counted.sizes[:, None], 1)
    usable = [rates[label] if label in rates and rates[label].usable else None for label in labels]
    corrected = np.full_like(shares, np.nan)
    for j, own in enumerate(usable):
        if own is not None:
            corrected[:, j] = adjust(shares[:, j], own.hits, own.alarms)
    low, high = _intervals(counted, shares, usable, plan)
    first = rows.loc[~pd.Series(groups, index=rows.index).duplicated(), list(keys)].reset_index(drop=True)
    table = first.loc[first.index.repeat(len(labels))].reset_index(drop=True)
    n, documents = np.repeat(counted.sizes, len(labels)), np.repeat(counted.documents, len(labels))
    columns: dict[str, Any] = {"label": list(labels) * len(first), "n": n.astype(int), "documents": documents}
    columns |= {"count": counted.counts.ravel().astype(int), "share": shares.ravel(), "corrected": corrected.ravel()}
    return table.assign(**columns, low=low.ravel(), high=high.ravel())


class _Counts:
    """Sums per group, and per unit and group as sparse matrices, so that a bootstrap draw is one product."""

    def __init__(self, groups: NDArray[Any], units: NDArray[Any], given: NDArray[Any]) -> None:
        from scipy.sparse import coo_matrix

        self.n_units = int(units.max()) + 1 if len(units) else 0
        n_groups, n_labels = (int(groups.max()) + 1 if len(groups) else 0), given.shape[1]
        shape = (self.n_units, n_groups)
        self.by_unit = [coo_matrix((np.ones(len(groups)), (units, groups)), shape=shape).tocsr()]
        self.by_unit += [coo_matrix((given[:, j], (units, groups)), shape=shape).tocsr() for j in range(n_labels)]
        sums = [np.asarray(each.sum(axis=0)).ravel() for each in self.by_unit]
        self.sizes = sums[0]
        self.counts = np.stack(sums[1:], axis=1) if n_labels else np.zeros((n_groups, 0))
        self.documents = np.asarray((self.by_unit[0] > 0).sum(axis=0)).ravel().astype(int)

    def draw(self, plan: Resampling, generator: np.random.Generator) -> Iterator[NDArray[Any]]:
        """Yield shares of drawn units, shape `(batch, n_groups, n_labels)`; nan where a group was not drawn."""
        left, size = plan.resamples, max(1, _BATCH_CELLS // max(self.n_units, 1))
        while left > 0:
            many = min(size, left)
            weights = generator.multinomial(self.n_units, np.full(self.n_units, 1 / self.n_units), size=many)
            sizes, *counts = (np.asarray((each.T @ weights.T).T, dtype=float) for each in self.by_unit)
            with np.errstate(invalid="ignore"):
                yield np.stack(counts, axis=2) / np.where(sizes > 0, sizes, np.nan)[:, :, None]
            left -= many


def _intervals(
    counted: _Counts, shares: NDArray[Any], usable: Sequence[ErrorRates | None], plan: Resampling
) -> tuple[NDArray[Any], NDArray[Any]]:
    low, high = np.full_like(shares, np.nan), np.full_like(shares, np.nan)
    enough = np.flatnonzero(counted.documents >= FEWEST_DOCUMENTS)
    if not len(enough):
        return low, high
    generator = np.random.default_rng(plan.seed)
    drawn = np.concatenate([batch[:, enough].astype(np.float32) for batch in counted.draw(plan, generator)])
    for position, group in enumerate(enough):
        documents = int(counted.documents[group])
        levels = _levels(documents, plan)
        for j, own in enumerate(usable):
            sample, estimate_ = drawn[:, position, j].astype(float), shares[group, j]
            if estimate_ in (
                0.0,
                1.0,
            ):  # all draws agree, which says nothing of documents not seen: Jeffreys' posterior
                found = documents * estimate_
                sample = generator.beta(found + 0.5, documents - found + 0.5, len(sample))
            if own is not None:
                sample = adjust(sample, *own.draw(len(sample), generator))
                estimate_ = adjust(estimate_, own.hits, own.alarms)
            bounds = np.nanquantile(sample, levels)
            low[group, j], high[group, j] = min(bounds[0], estimate_), max(bounds[1], estimate_)
    return low, high


def _levels(documents: int, plan: Resampling) -> tuple[float, float]:
    """The quantiles to take of draws of so many documents: further out than the plan's, the fewer there are."""
    from scipy.stats import norm, t

    widened = float(norm.cdf(np.sqrt(documents / (documents - 1)) * t.ppf(plan.tails[0], documents - 1)))
    return widened, 1 - widened
