"""An encoder that was exported. What enters is examples; what leaves is label probabilities, by ONNX Runtime alone.

It reads what `stance.models.encoder.Encoder` saved: settings, tokenizer and, in place of the weights, the graph that
`stance export` made of them.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, Unpack

import numpy as np
from numpy.typing import NDArray

from stance.errors import BundleError, DataError
from stance.models.base import FitOptions
from stance.models.device import threads
from stance.models.encoder_settings import EncoderSettings
from stance.models.runtime import GRAPH
from stance.models.runtime.batches import ahead, by_tokens, distinct
from stance.models.runtime.choice import read_export
from stance.models.runtime.reading import Reader
from stance.models.runtime.session import Session
from stance.models.tokens import Row
from stance.records import Example

BATCH_TOKENS = 1024  # at once: what they take between two layers then stays in the processor's cache
POOL = 1024  # examples that are read, and put in order, at once


class ExportedEncoder:
    """An encoder's graph with its settings and tokenizer; fulfils `base.Model`, but for learning."""

    kind = "encoder"
    Settings = EncoderSettings

    def __init__(self, folder: Path) -> None:
        self.export = read_export(folder)
        self._folder = folder
        self._reader = Reader(folder)
        self._session = Session(folder / GRAPH)
        self.labels = self._reader.labels
        self.settings = self._reader.settings

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the graph and what `Encoder.save` wrote beside it; raises BundleError for a file that is unusable."""
        return cls(folder)

    def fit(self, train: Sequence[Example], validation: Sequence[Example], **options: Unpack[FitOptions]) -> None:  # noqa: ARG002
        """Raise DataError: what was exported does not learn."""
        raise DataError("an exported encoder does not learn; load the one that it was made from: STANCE_RUNTIME=torch")

    def predict_proba(self, examples: Sequence[Example]) -> NDArray[np.float32]:
        """Return probabilities, float32, `(n_examples, n_labels)`; each row depends on its example alone.

        While the network works on some examples, the next are tokenised in a thread.
        """
        logits = np.zeros((len(examples), len(self.labels)), dtype=np.float32)
        pools = [examples[start : start + POOL] for start in range(0, len(examples), POOL)]
        done = 0
        for rows in ahead(self._reader.read, pools):
            logits[done : done + len(rows)] = self.score(rows)
            done += len(rows)
        if self.settings.exclusive:
            grown = np.exp(logits - logits.max(axis=1, keepdims=True))
            return np.asarray(grown / grown.sum(axis=1, keepdims=True), dtype=np.float32)
        return np.asarray(np.exp(-np.logaddexp(0, -logits)), dtype=np.float32)

    def score(self, rows: Sequence[Row]) -> NDArray[np.float32]:
        """Return logits, float32, `(n_rows, n_labels)`; equal rows are computed once."""
        first, inverse = distinct(rows)
        logits = np.zeros((len(first), len(self.labels)), dtype=np.float32)

        def compute(indices: list[int]) -> None:
            (logits[indices],) = self._session.run([first[i] for i in indices], "logits")

        batches = by_tokens(first, BATCH_TOKENS)
        if len(batches) == 1:
            compute(batches[0])
        else:  # a core for each batch: a batch divided over the cores would make them wait for each other at every node
            with ThreadPoolExecutor(threads(), "stance-score") as cores:
                list(cores.map(compute, batches))
        return logits[inverse]

    def save(self, folder: Path) -> None:
        """Copy the files that it was loaded from; raises BundleError where they have gone."""
        try:
            shutil.copytree(self._folder, folder, dirs_exist_ok=True)
        except (OSError, shutil.Error) as error:
            raise BundleError(f"{self._folder}: an exported encoder's files have gone: {error}") from error

    def describe(self) -> dict[str, Any]:
        """Return settings, runtime and the history of the training."""
        about = {"kind": self.kind, "settings": self.settings.model_dump(), "history": self._reader.facts["history"]}
        return {**about, "runtime": "onnx", "precision": self.export.precision}
