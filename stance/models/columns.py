"""Where a feature stands among those that a model knows. What enters is packed keys; what leaves is columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stance.models.features import BLOCKS, PLACES, UNIT_BITS
from stance.models.vocabulary import Integers

LARGEST_TABLE = 2_000_000  # entries, of four bytes each

_UNITS = (1 << UNIT_BITS) - 1


class Columns:
    """The columns of a model's keys, which are sorted. Blocks of single units are looked up in a table, which is faster
    than a search; one of all pairs of units would not fit anywhere, so those are searched for."""

    def __init__(self, keys: Integers) -> None:
        self._keys = keys
        starts = np.arange(len(BLOCKS) + 1, dtype=np.int64) * PLACES << (2 * UNIT_BITS)
        bounds = np.searchsorted(keys, starts)
        self._bounds: dict[str, tuple[int, int]] = {
            block: (int(bounds[i]), int(bounds[i + 1])) for i, block in enumerate(BLOCKS)
        }
        self._tables: dict[str, NDArray[np.int32]] = {
            block: table for block in BLOCKS if (table := self._table(block)) is not None
        }

    def find(self, block: str, keys: Integers) -> tuple[Integers, NDArray[np.bool_]]:
        """Return the column of each key of a block, and which keys are known; an unknown one's column means nothing."""
        low, high = self._bounds[block]
        if low == high:
            return np.zeros(len(keys), dtype=np.int64), np.zeros(len(keys), dtype=np.bool_)
        table = self._tables.get(block)
        if table is None:
            columns = low + np.searchsorted(self._keys[low : high - 1], keys)
            return columns, self._keys[columns] == keys
        places, units = _places(keys), (keys >> UNIT_BITS) & _UNITS
        inside = (places < table.shape[0]) & (units < table.shape[1])
        columns = table[np.where(inside, places, 0), np.where(inside, units, 0)].astype(np.int64)
        return columns, inside & (columns >= 0)

    def _table(self, block: str) -> NDArray[np.int32] | None:
        """Columns by place and unit, -1 where there is none; None where a second unit counts, or one too large."""
        low, high = self._bounds[block]
        keys = self._keys[low:high]
        if not len(keys) or (keys & _UNITS).any():
            return None
        places, units = _places(keys), (keys >> UNIT_BITS) & _UNITS
        shape = int(places.max()) + 1, int(units.max()) + 1
        if shape[0] * shape[1] > LARGEST_TABLE:
            return None
        table = np.full(shape, -1, dtype=np.int32)
        table[places, units] = np.arange(low, high)
        return table


def _places(keys: Integers) -> Integers:
    return (keys >> (2 * UNIT_BITS)) % PLACES
