"""The protocol that every model fulfils. What enters is examples; what leaves is one probability per label."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, Self, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from stance.records import Example

Progress = Callable[[dict[str, float]], None]
"""Called by a model while it fits with what it knows: always `done` and `total` (units of work, to show time
left), and at an epoch's end `epoch` and metrics such as `train_loss` and `validation_macro_f1`. A job that
counts anew says with `stage`, from 1, which of its parts `done` and `total` are about."""


class FitOptions(TypedDict, total=False):
    """What a caller may pass to `fit` beside the data."""

    progress: Progress
    checkpoints: Path  # a folder to resume from and to save into, for models that train long


class Model(Protocol):
    """A multi-label classifier of examples.

    `labels` is the codebook's order; row i of every array belongs to the i-th example given. Constructed as
    `Kind(labels, settings, seed)`, where `settings` is the frozen pydantic model `Kind.Settings`.
    """

    kind: str
    labels: tuple[str, ...]

    def fit(self, train: Sequence[Example], validation: Sequence[Example], **options: Unpack[FitOptions]) -> None:
        """Learn from examples whose `labels` are set. `validation` may steer stopping, never weights."""

    def predict_proba(self, examples: Sequence[Example]) -> NDArray[np.floating[Any]]:
        """Return uncalibrated probabilities, float32, shape `(n_examples, n_labels)`, in [0, 1]."""

    def save(self, folder: Path) -> None:
        """Write what `load` needs into an existing folder, as safetensors, JSON or text. Never a pickle."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. The bundle has already checked the files' hashes."""

    def describe(self) -> dict[str, Any]:
        """Return JSON-ready facts for the run and the card: settings, sizes, parameters."""
