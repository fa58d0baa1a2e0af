"""Drift of a model's answers: which labels it gives, and how sure it is. Answers of both sides enter; measures leave.

Both sides are answers of the same model, so its errors stand on both and cancel as long as it errs at the same rates
(black-box shift detection, Lipton et al. 2018). Gold labels on one side would take the model's errors for drift.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stance.evaluation.drift.permutation import Array, Plan, Units, permute
from stance.evaluation.drift.records import BOUNDS, Measure, Rows

NONE = "none"
GRID = 200  # places at which two distribution functions are compared


def measure_prevalence(reference: Rows, new: Rows, labels: Sequence[str], plan: Plan) -> list[Measure]:
    """Return a measure per label, and one for the answer "none of them" where that occurs.

    The effect is Cohen's h, the difference of two shares after `2·arcsin(√share)`. Tested is the difference over its
    standard error by documents, as documents may be longer on one side (studentised: Chung and Romano 2013).
    """
    units = Units(reference.units, new.units, plan)
    given = np.concatenate([reference.given, new.given]).astype(float)
    names = list(labels)
    if (empty := ~given.any(axis=1)).any():
        given, names = np.column_stack([given, empty]), [*names, NONE]
    shares = _Shares(units, given)
    found = permute(shares.compare, units, plan)
    before, after = (each[0] for each in shares.of(_observed(units)))
    bound = BOUNDS["prevalence"]
    rows = zip(names, before, after, found.effect, found.chance, found.p, strict=True)
    return [
        Measure("prevalence", name, float(a), float(b), float(effect), bound, float(chance), float(p))
        for name, a, b, effect, chance, p in rows
    ]


def measure_confidence(reference: Rows, new: Rows, plan: Plan) -> Measure:
    """Return the measure of how sure the answers are: the greatest distance of the two distribution functions
    (Kolmogorov and Smirnov), its p-value by permuted documents. The values shown are the means."""
    units = Units(reference.units, new.units, plan)
    values = np.concatenate([reference.confidence, new.confidence]).astype(float)
    grid = np.unique(np.quantile(values, np.linspace(0, 1, GRID)))
    steps = units.sums(np.searchsorted(grid, values)[:, None] <= np.arange(len(grid)))
    sizes = units.sums(np.ones((len(values), 1)))
    totals = units.sums(values[:, None])

    def distance(is_new: Array) -> tuple[Array, Array]:
        after = is_new @ steps / (is_new @ sizes)
        before = (1 - is_new) @ steps / ((1 - is_new) @ sizes)
        greatest = np.abs(after - before).max(axis=1, keepdims=True)
        return greatest, greatest

    found = permute(distance, units, plan)
    is_new = _observed(units)
    means = [float((side @ totals / (side @ sizes))[0, 0]) for side in (1 - is_new, is_new)]
    numbers = float(found.effect[0]), BOUNDS["confidence"], float(found.chance[0]), float(found.p[0])
    detail = f"the model is {'less' if means[1] < means[0] else 'more'} sure"
    return Measure("confidence", "confidence", means[0], means[1], *numbers, detail=detail)


def _observed(units: Units) -> Array:
    return (np.arange(units.n) >= units.n_reference).astype(float)[None]


class _Shares:
    """Shares of labels on both sides of any division of the units, with their errors, from sums per unit alone."""

    def __init__(self, units: Units, given: Array) -> None:
        self.counts = units.sums(given)
        self.sizes = units.sums(np.ones((len(given), 1)))

    def of(self, is_new: Array) -> tuple[Array, Array]:
        """Return the shares in the reference and in the new units, each `(n_draws, n_labels)`."""
        return self._side(1 - is_new)[0], self._side(is_new)[0]

    def compare(self, is_new: Array) -> tuple[Array, Array]:
        """Return the distance of the shares in standard errors, and Cohen's h."""
        (before, noise), (after, other) = self._side(1 - is_new), self._side(is_new)
        error = np.sqrt(noise + other)
        gap = np.abs(after - before)
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = np.where(gap > 0, gap / error, 0.0)
        return distance, np.abs(2 * np.arcsin(np.sqrt(after)) - 2 * np.arcsin(np.sqrt(before)))

    def _side(self, chosen: Array) -> tuple[Array, Array]:
        """Shares, and their variance over units (of a ratio, linearised: Cochran 1977, §6.3)."""
        n = chosen @ self.sizes
        share = np.clip(chosen @ self.counts / n, 0.0, 1.0)
        squares = chosen @ self.counts**2 - 2 * share * (chosen @ (self.counts * self.sizes))
        squares += share**2 * (chosen @ self.sizes**2)
        units = chosen.sum(axis=1, keepdims=True)
        return share, np.maximum(squares, 0.0) / n**2 * units / (units - 1)
