"""Products in 8-bit integers. What enters is a network and rows to measure it on; what leaves is how to write them.

Weights get one scale per output, what they are multiplied with one scale per layer, fixed beforehand on a sample
(static quantisation; Jacob et al. 2018), so that an answer does not depend on the batch that it is given in. A few
channels of a trained BERT are several times larger than all others and would use the scale up (Bondarenko et al. 2021).
Those are taken out, and come back after the others as copies of themselves that each hold an equal part (after Zhao et
al. 2019, "outlier channel splitting"): the sum stays the same, and the scale is that of the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stance.models.runtime.graph import CONTRIB, Floats, Linear, Paper

COPIES = 16
"""Channels that copies may add to what a layer reads."""
WIDE, NARROW = 127, 63
"""Largest weight: in eight bits, and in seven for processors that sum pairs of products in 16 bits."""


class Range(NamedTuple):
    """The smallest and largest value of each channel that was seen, shape `(n_channels,)`."""

    low: Floats
    high: Floats

    @classmethod
    def of(cls, values: Floats) -> Range:
        """Return the range of an array whose last axis is the channel."""
        flat = values.reshape(-1, values.shape[-1])
        return cls(flat.min(axis=0), flat.max(axis=0))

    @classmethod
    def union(cls, ranges: Sequence[Range]) -> Range:
        """Return the range that holds all of these."""
        return cls(np.min([one.low for one in ranges], axis=0), np.max([one.high for one in ranges], axis=0))


class Grid(NamedTuple):
    """How floats become integers from 0 to 255: `round(x / step) + zero`. `copied` lists channels beyond the grid, as
    often as each has copies, and `shares` the part of it that a copy holds."""

    step: float
    zero: int
    copied: NDArray[np.int64]
    shares: Floats
    n_channels: int

    def picks(self) -> Floats:
        """Return the matrix `(n_channels, n_copies)` whose product with channels is the copies."""
        matrix = np.zeros((self.n_channels, len(self.copied)), dtype=np.float32)
        matrix[self.copied, np.arange(len(self.copied))] = self.shares
        return matrix


def fit_grid(seen: Range, copies: int = COPIES) -> Grid:
    """Return the finest grid for which the channels beyond it need at most so many copies in all."""
    largest = np.maximum(seen.high, -seen.low)
    # A channel needs one copy more wherever the bound falls below a whole part of it.
    for bound in np.unique(np.concatenate([largest / parts for parts in range(1, copies + 2)])):
        low, high = max(-bound, min(float(seen.low.min()), 0.0)), min(bound, max(float(seen.high.max()), 0.0))
        needed = np.ceil(np.maximum(seen.high / max(high, 1e-9), seen.low / min(low, -1e-9)) - 1e-6).astype(np.int64)
        needed[needed < 2] = 0
        if needed.sum() <= copies:
            break
    step = max(high - low, 1e-9) / 255
    copied = np.repeat(np.arange(len(needed)), needed)
    return Grid(float(step), round(-low / step), copied, (1 / needed[copied]).astype(np.float32), len(needed))


class Int8:
    """Products in integers; `ranges` holds what each layer reads, by name."""

    def __init__(self, ranges: Mapping[str, Range], largest: int = WIDE) -> None:
        self.grids = {name: fit_grid(seen) for name, seen in ranges.items()}
        self.largest = largest
        self._written: dict[str, str] = {}

    def linear(self, paper: Paper, x: str, layer: Linear) -> str:
        grid, name = self.grids[layer.reads], layer.name
        weights = layer.weights.copy()
        weights[np.unique(grid.copied)] = 0
        weights = np.concatenate([weights, layer.weights[grid.copied]])
        scale = np.maximum(np.abs(weights).max(axis=0), 1e-9) / self.largest
        integers = np.clip(np.round(weights / scale), -self.largest, self.largest).astype(np.int8)
        inputs = [
            self._quantise(paper, x, layer.reads),
            paper.constant(f"{name}.weight", integers),
            paper.constant(f"{layer.reads}.step", np.array(grid.step, np.float32)),
            paper.constant(f"{name}.scale", scale.astype(np.float32)),
            paper.constant(f"{layer.reads}.zero", np.array(grid.zero, np.uint8)),
            "",
            paper.constant(f"{name}.bias", layer.bias),
        ]
        return paper.node("MatMulIntegerToFloat", inputs, domain=CONTRIB)

    def table(self, paper: Paper, ids: str, table: Floats) -> str:
        """Half precision: half the size, and its rounding is far below that of the products."""
        found = paper.node("Gather", [paper.constant("words", table.astype(np.float16)), ids])
        return paper.node("Cast", [found], to=1)  # float32

    def _quantise(self, paper: Paper, x: str, reads: str) -> str:
        if x in self._written:
            return self._written[x]
        grid = self.grids[reads]
        rule = [
            paper.constant(f"{reads}.step", np.array(grid.step, np.float32)),
            paper.constant(f"{reads}.zero", np.array(grid.zero, np.uint8)),
        ]
        integers = paper.node("QuantizeLinear", [x, *rule])
        if len(grid.copied):
            # A product with a matrix of picks: no slower than gathering columns, and it shares them out at once.
            beyond = paper.node("MatMul", [x, paper.constant(f"{reads}.copies", grid.picks())])
            integers = paper.node("Concat", [integers, paper.node("QuantizeLinear", [beyond, *rule])], axis=2)
        self._written[x] = integers
        return integers
