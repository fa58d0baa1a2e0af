"""Drift of the actors: who is spoken of, and who the model never learnt from. Actors of both sides enter; measures
leave."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.drift.permutation import Array, Plan, Units, permute
from stance.evaluation.drift.records import BOUNDS, Measure, Rows

FREQUENT = 20  # actors that have a share of their own; the others count as one
NAMED = 3  # actors that a measure names


def measure_actors(reference: Rows, new: Rows, plan: Plan) -> list[Measure]:
    """Return two measures: how far the shares of the frequent actors moved, and how many unseen ones there are.

    The first is the population stability index, less what it is on average where nothing drifted (with few documents
    that is far from 0). The second is the share of new rows whose actor is in no reference unit, less the share of
    reference rows whose actor is in no other one: some actors are met once in any news.
    """
    units = Units(reference.units, new.units, plan)
    everyone = [*reference.actors, *new.actors]
    names = [name for name, _ in sorted(Counter(everyone).items(), key=lambda each: (-each[1], each[0]))]
    table = _tabulate(units, everyone, names)
    common = table[:, :FREQUENT]
    if len(names) > FREQUENT:
        common = np.column_stack([common, table[:, FREQUENT:].sum(axis=1)])

    def compare(is_new: Array) -> tuple[Array, Array]:
        strange, lone = _unseen(is_new, table)
        found = np.column_stack([_stability(is_new, common), strange - lone])
        return found, found

    found = permute(compare, units, plan)
    is_new = (np.arange(units.n) >= units.n_reference).astype(float)[None]
    strange, lone = (float(share[0]) for share in _unseen(is_new, table))
    effect, chance = found.effect - [found.mean[0], 0], found.chance - [found.mean[0], 0]
    numbers = [
        (float(effect[i]), BOUNDS[name], float(chance[i]), float(found.p[i]))
        for i, name in enumerate(("actors", "unseen actors"))
    ]
    moved, fresh = _name(table, is_new[0].astype(bool), names)
    nan = float("nan")
    return [
        Measure("actors", "actors", nan, nan, *numbers[0], detail=moved),
        Measure("actors", "unseen actors", lone, strange, *numbers[1], detail=fresh),
    ]


def _tabulate(units: Units, actors: list[str], names: list[str]) -> Array:
    """Rows of each unit by actor, shape `(n_units, n_names)`."""
    column = {name: place for place, name in enumerate(names)}
    table = np.zeros((units.n, len(names)))
    places = np.array([column[actor] for actor in actors])
    drawn = units.rows >= 0
    np.add.at(table, (units.rows[drawn], places[drawn]), 1)
    return table


def _stability(is_new: Array, counts: Array) -> Array:
    """The population stability index, shape `(n_draws,)`; half a row is added to every count, so that none is 0."""
    sides = [side @ counts + 0.5 for side in (is_new, 1 - is_new)]
    after, before = (side / side.sum(axis=1, keepdims=True) for side in sides)
    return np.asarray(((after - before) * np.log(after / before)).sum(axis=1))


def _unseen(is_new: Array, counts: Array) -> tuple[Array, Array]:
    """The shares of new and of reference rows whose actor is in no (other) reference unit, each `(n_draws,)`."""
    holders = (1 - is_new) @ (counts > 0)
    after, before = is_new @ counts, (1 - is_new) @ counts
    strange = np.where(holders < 0.5, after, 0).sum(axis=1) / np.maximum(after.sum(axis=1), 1)
    lone = np.where(np.abs(holders - 1) < 0.5, before, 0).sum(axis=1) / np.maximum(before.sum(axis=1), 1)
    return strange, lone


def _name(counts: Array, is_new: NDArray[np.bool_], names: list[str]) -> tuple[str, str]:
    """In words: the actors whose share moved most, and the most frequent ones that the reference does not have."""
    before, after = counts[~is_new].sum(axis=0), counts[is_new].sum(axis=0)
    rise = after / max(after.sum(), 1) - before / max(before.sum(), 1)
    moved = ", ".join(f"{names[i]} {100 * rise[i]:+.1f}" for i in np.argsort(-np.abs(rise), kind="stable")[:NAMED])
    strange = np.where(before == 0, after, 0)
    fresh = [f"{names[i]} ({after[i]:.0f})" for i in np.argsort(-strange, kind="stable")[:NAMED] if strange[i]]
    return f"most moved, in percentage points: {moved}", f"most often {', '.join(fresh)}" if fresh else ""
