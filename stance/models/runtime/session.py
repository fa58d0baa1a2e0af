"""A graph in ONNX Runtime. What enters is rows of tokens; what leaves is arrays of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.errors import BundleError, ConfigError
from stance.models.tokens import Row

MEND = "pip install 'stance-kit[inference]'"
# It replaces an addition and a normalisation by one operator that is seven times slower (its loops are not vectorised).
_SLOWER = ["SkipLayerNormFusion"]


class Session:
    """A graph that is ready to run on the CPU. One run takes one thread; several may run at once."""

    def __init__(self, model: Path | bytes) -> None:
        """Read a graph from a file or from bytes; raises BundleError for one that ONNX Runtime cannot use."""
        try:
            import onnxruntime
        except ModuleNotFoundError as error:
            raise ConfigError(f"an exported encoder needs the package 'onnxruntime'; run: {MEND}") from error

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_mem_pattern = False  # a plan is kept per shape of batch, of which there are hundreds
        options.log_severity_level = 3
        source = model if isinstance(model, bytes) else str(model)
        try:
            self._session: Any = onnxruntime.InferenceSession(
                source, options, providers=["CPUExecutionProvider"], disabled_optimizers=_SLOWER
            )
        except Exception as error:  # its errors share no class of their own
            where = "the graph" if isinstance(model, bytes) else model
            why = " ".join(str(error).split())[:300]
            raise BundleError(f"{where}: ONNX Runtime cannot use it: {why}; export the model again") from error

    @property
    def outputs(self) -> list[str]:
        """Names of all that the graph gives out."""
        return [output.name for output in self._session.get_outputs()]

    def run(self, rows: Sequence[Row], *outputs: str) -> list[NDArray[np.float32]]:
        """Return the outputs for rows of one length; `logits` has shape `(n_rows, n_labels)`."""
        given = {
            "ids": np.stack([row.ids for row in rows]),
            "types": np.stack([row.types for row in rows]).astype(np.int32),
            "actor": np.stack([row.actor for row in rows]).astype(np.float32),
        }
        found: list[NDArray[np.float32]] = self._session.run(list(outputs), given)
        return found
