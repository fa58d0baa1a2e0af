"""What a model says of a pool. Examples enter; calibrated probabilities and their distance from thresholds leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stance.models.base import Progress
from stance.models.classifier import Classifier
from stance.models.thresholds import logit
from stance.records import Example

BATCH = 1024
EDGE = 0.02  # a threshold nearer to 0 or 1 is taken as this far, or every margin of the label would be huge


@dataclass(frozen=True, slots=True)
class Scores:
    """A model's scores. `probabilities` are calibrated, shape `(n_examples, n_labels)`, columns in label order."""

    labels: tuple[str, ...]
    probabilities: NDArray[Any]
    thresholds: tuple[float, ...]
    exclusive: bool = False

    def bars(self) -> NDArray[np.float64]:
        """Return what a label's probability must reach to be given, shaped like `probabilities`: its threshold, or
        where labels are `exclusive` the probability of the likeliest other one."""
        if not self.exclusive:
            return np.broadcast_to(np.asarray(self.thresholds, dtype=np.float64), self.probabilities.shape)
        others = np.repeat(self.probabilities[:, None, :].astype(np.float64), len(self.labels), axis=1)
        others[:, np.arange(len(self.labels)), np.arange(len(self.labels))] = 0.0
        return np.asarray(others.max(axis=2))

    def margins(self) -> NDArray[np.float64]:
        """Return the distance from what decides (see `bars`) in log-odds, at least 0, shaped like `probabilities`."""
        return np.abs(logit(self.probabilities) - logit(np.clip(self.bars(), EDGE, 1 - EDGE)))


def score(classifier: Classifier, examples: Sequence[Example], progress: Progress = lambda _: None) -> Scores:
    """Return a classifier's scores on examples, in their order; raises DataError as its model does."""
    parts: list[NDArray[np.float64]] = [np.zeros((0, len(classifier.labels)))]
    for start in range(0, len(examples), BATCH):
        parts.append(classifier.predict_proba(examples[start : start + BATCH]))
        progress({"done": float(min(start + BATCH, len(examples))), "total": float(len(examples))})
    calibration = classifier.calibration
    return Scores(classifier.labels, np.concatenate(parts), tuple(calibration.thresholds), calibration.exclusive)
