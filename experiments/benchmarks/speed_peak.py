"""How much of the processor an 8-bit encoder uses: the peak of its integer products, and what the encoder multiplies.

An operation is a multiplication or an addition, so a product of matrices `(m, k)` and `(k, n)` is 2·m·k·n of them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from stance.models.tokens import Row
    from stance.records import Example

SIDE = 2048  # 4 MiB of integers a matrix
RUNS = 20


def measure(side: int = SIDE) -> dict[str, float]:
    """Return `peak`: operations per second of the best of some products of large square matrices, 8-bit integers into
    32-bit sums, by ONNX Runtime, on as many threads as the session of an encoder takes."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    from stance.models.device import threads

    chance = np.random.default_rng(0)
    left = chance.integers(0, 255, (side, side), dtype=np.uint8)
    right = numpy_helper.from_array(chance.integers(-127, 127, (side, side), dtype=np.int8), "right")
    node = helper.make_node("MatMulInteger", ["left", "right"], ["product"])
    shape = [side, side]
    enters = [helper.make_tensor_value_info("left", TensorProto.UINT8, shape)]
    leaves = [helper.make_tensor_value_info("product", TensorProto.INT32, shape)]
    graph = helper.make_graph([node], "peak", enters, leaves, [right])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    session.run(None, {"left": left})
    best = float("inf")
    for _ in range(RUNS):
        started = time.perf_counter()
        session.run(None, {"left": left})
        best = min(best, time.perf_counter() - started)
    return {"peak": 2 * side**3 / best}


def count(model: Path, texts: Sequence[Example]) -> dict[str, float]:
    """Return, per text, `operations`: what the exported encoder in `model` computes; `full`: what it would, were the
    last layer not left out where nothing is read of it; and `tokens`."""
    from stance.models.runtime.reading import Reader

    config = json.loads((model / "encoder" / "config.json").read_text("utf-8"))
    rows = Reader(model).read(texts)
    done = [operations(config, row, whole=False) for row in rows]
    full = [operations(config, row, whole=True) for row in rows]
    return {
        "operations": float(np.mean(done)),
        "full": float(np.mean(full)),
        "tokens": float(np.mean([len(row) for row in rows])),
    }


def operations(config: dict[str, Any], row: Row, *, whole: bool) -> int:
    """Return what the layers of a BERT of this configuration take for a row: linear layers and attention.

    Keys and values are of all tokens; with `whole`, so is the rest of the last layer, and without it, of the actor's.
    """
    width, inner, depth = (int(config[key]) for key in ("hidden_size", "intermediate_size", "num_hidden_layers"))
    length = len(row)

    def layer(asked: int) -> int:
        keys, own = 2 * 2 * width**2 * length, (2 * 2 * width**2 + 2 * 2 * width * inner) * asked
        return keys + own + 2 * 2 * width * length * asked

    return (depth - 1) * layer(length) + layer(length if whole else int(row.actor.sum()))
