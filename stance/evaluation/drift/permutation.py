"""The test under every measure: which documents are new is drawn anew, and the statistic computed again.

Sentences of one document depend on each other, so whole documents (near-duplicate clusters) change sides, never single
sentences: rows drawn one by one would take every long article for drift. Where nothing drifted every draw is as likely
as what was found, so the share of draws that reach it is an exact p-value (Good 2005, ch. 3), whatever the statistic.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stance.errors import DataError
from stance.evaluation.bootstrap import FEWEST_DOCUMENTS

Array = NDArray[np.float64]
Statistic = Callable[[Array], tuple[Array, Array]]
"""Takes which units are new, 0 or 1, shape `(n_draws, n_units)`; returns what is tested and the effect that is shown,
both `(n_draws, n_measures)`. Larger means more drift."""

_BATCH_CELLS = 2_000_000


@dataclass(frozen=True, slots=True)
class Plan:
    """How to test: number of draws, their seed, the level of the verdict, and the most units of a side (more are
    drawn by lot: beyond that only the bounds decide, and the text measure costs the cube of it)."""

    resamples: int = 999
    seed: int = 0
    level: float = 0.05
    most: int = 1000


@dataclass(frozen=True, eq=False)
class Permuted:
    """Per measure, shape `(n_measures,)`: the effect found, its p-value, and the mean and 95% quantile of the effect
    over the draws."""

    effect: Array
    p: Array
    mean: Array
    chance: Array


class Units:
    """The units of both sides, reference first. `rows` says which row has which unit, -1 for one not drawn."""

    def __init__(self, reference: Sequence[str], new: Sequence[str], plan: Plan) -> None:
        names = [
            np.unique(np.asarray(side, dtype=object).astype(str), return_inverse=True)[1] for side in (reference, new)
        ]
        sizes, placed, start = [], [], 0
        generator = np.random.default_rng([plan.seed, 1])
        for side, rows in zip(("reference", "new data"), names, strict=True):
            n = int(rows.max()) + 1 if len(rows) else 0
            if n < FEWEST_DOCUMENTS:
                raise DataError(f"the {side}: {n} documents say too little; give {FEWEST_DOCUMENTS} or more")
            place = np.full(n, -1)
            drawn = np.sort(generator.permutation(n)[: plan.most])
            place[drawn] = np.arange(len(drawn)) + start
            placed.append(place[rows])
            sizes.append(len(drawn))
            start += len(drawn)
        self.n_reference, self.n_new = sizes
        self.rows = np.concatenate(placed)

    @property
    def n(self) -> int:
        return self.n_reference + self.n_new

    def sums(self, values: NDArray[np.generic]) -> Array:
        """Return the sums of row values, shape `(n_rows, k)`, within each unit, shape `(n_units, k)`."""
        from scipy.sparse import csr_array

        kept = self.rows >= 0
        n = int(kept.sum())
        belongs = csr_array((np.ones(n), (self.rows[kept], np.arange(n))), shape=(self.n, n))
        return np.asarray(belongs @ np.asarray(values, dtype=np.float64)[kept])


def permute(statistic: Statistic, units: Units, plan: Plan) -> Permuted:
    """Test a statistic by drawing which units are new, with `scipy.stats.permutation_test`; one-sided, p is never 0."""
    from scipy.stats import permutation_test

    def of_drawn(_: NDArray[np.int_], new: NDArray[np.int_], axis: int = -1) -> Array:  # noqa: ARG001 - scipy's call
        drawn = np.atleast_2d(new).astype(np.int64)
        is_new = np.zeros((len(drawn), units.n))
        np.put_along_axis(is_new, drawn, 1.0, axis=1)
        both = np.hstack(statistic(is_new))
        return np.asarray(both if np.ndim(new) > 1 else both[0])

    everyone = np.arange(units.n)
    found = permutation_test(
        (everyone[: units.n_reference], everyone[units.n_reference :]),
        of_drawn,
        vectorized=True,
        n_resamples=plan.resamples,
        batch=max(1, min(plan.resamples, _BATCH_CELLS // units.n)),
        alternative="greater",
        axis=-1,
        rng=np.random.default_rng([plan.seed, 2]),
    )
    n = len(found.statistic) // 2
    drawn = found.null_distribution[:, n:]
    return Permuted(found.statistic[n:], found.pvalue[:n], drawn.mean(axis=0), np.quantile(drawn, 0.95, axis=0))
