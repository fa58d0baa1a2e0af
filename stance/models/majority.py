"""The floor. What enters is labelled examples; what leaves is each label's prevalence, the same for every example."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self, Unpack

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from stance.dataset.arrays import label_matrix
from stance.errors import BundleError, DataError
from stance.models.base import FitOptions
from stance.records import Example

FILE = "majority.json"


class Majority:
    """Answers every example with the label rates of the training set: the least that a model must beat."""

    kind = "majority"

    class Settings(BaseModel):
        """The majority model has nothing to set."""

        model_config = ConfigDict(extra="forbid", frozen=True)

    def __init__(self, labels: tuple[str, ...], settings: Settings, seed: int = 0) -> None:
        self.labels = labels
        self.settings = settings
        self.seed = seed
        self.prevalence: NDArray[np.float32] | None = None

    def fit(self, train: Sequence[Example], validation: Sequence[Example], **options: Unpack[FitOptions]) -> None:  # noqa: ARG002
        """Count the labels; `validation` is not used. Raises DataError for an empty training set."""
        if not train:
            raise DataError("no training examples: the majority model needs at least one")
        self.prevalence = label_matrix(train, self.labels).mean(axis=0).astype(np.float32)
        if "progress" in options:
            options["progress"]({"done": 1.0, "total": 1.0})

    def predict_proba(self, examples: Sequence[Example]) -> NDArray[np.float32]:
        """Return the prevalences once per example, float32, shape `(n_examples, n_labels)`."""
        if self.prevalence is None:
            raise DataError("the majority model has not been fitted; call fit or load first")
        return np.tile(self.prevalence, (len(examples), 1))

    def save(self, folder: Path) -> None:
        """Write `majority.json`: the labels and their prevalences."""
        if self.prevalence is None:
            raise DataError("the majority model has not been fitted; there is nothing to save")
        rates = dict(zip(self.labels, self.prevalence.tolist(), strict=True))
        (folder / FILE).write_text(json.dumps({"prevalence": rates, "seed": self.seed}, indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote. Raises BundleError for a missing or unreadable file."""
        try:
            content = json.loads((folder / FILE).read_text("utf-8"))
            rates = {str(label): float(rate) for label, rate in content["prevalence"].items()}
            model = cls(tuple(rates), cls.Settings(), int(content["seed"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise BundleError(f"{folder / FILE}: not a saved majority model: {error}; train it again") from error
        model.prevalence = np.array(list(rates.values()), dtype=np.float32)
        return model

    def describe(self) -> dict[str, Any]:
        """Return the kind and the prevalence of each label."""
        rates = [] if self.prevalence is None else [round(float(rate), 6) for rate in self.prevalence]
        return {"kind": self.kind, "settings": {}, "prevalence": dict(zip(self.labels, rates, strict=False))}
