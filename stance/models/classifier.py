"""A model ready for use: model, calibration and codebook together. Rows or examples enter; labels leave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stance.codebook import Codebook
from stance.models.base import Model
from stance.models.bundle import Manifest, read_bundle
from stance.models.inputs import read_inputs
from stance.models.thresholds import Calibration
from stance.records import Example, Prediction

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Classifier:
    """Predicts one task of a codebook. `manifest` is set when it comes from a bundle.

    classifier = Classifier.load("runs/tfidf")
    classifier.predict({"text": "Moscow hosted a Taliban delegation.", "actor": "Russia"})
    """

    model: Model
    calibration: Calibration
    codebook: Codebook
    task: str
    manifest: Manifest | None = None

    def __post_init__(self) -> None:
        # However it was made: the codebook alone says whether labels exclude each other.
        exclusive = self.codebook.task(self.task).exclusive
        object.__setattr__(self, "calibration", replace(self.calibration, exclusive=exclusive))

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names in codebook order: the order of every column."""
        return self.codebook.task(self.task).labels

    @classmethod
    def load(cls, folder: str | Path) -> Classifier:
        """Return the classifier saved in a bundle's folder; raises BundleError (see `read_bundle`)."""
        bundle = read_bundle(folder)
        manifest = bundle.manifest
        return cls(bundle.load_model(), bundle.calibration, bundle.codebook, manifest.task, manifest)

    def predict(self, data: Any, sure: float | None = None) -> pd.DataFrame:
        """Return a DataFrame of the length and index of `data`.

        `data` is one mapping, a list of mappings or a DataFrame, with `text` and, for a task coded per actor,
        `actor`; `mention`, `context` (the neighbouring sentences), `prev`, `next`, `title` and `date` help where
        given. The result holds one float column per label in codebook order, the calibrated probability, and one
        column named after the task with the list of labels that reach their threshold (of an exclusive task: the
        likeliest one). With `sure`, the share of
        answers that should be wholly right (0.9, say), that list is None where the model is not sure enough. Raises
        DataError naming the row's index (see `read_inputs`), and for a share that the model cannot promise.
        """
        import pandas as pd

        inputs = read_inputs(data, self.codebook.task(self.task).unit, self.codebook.target)
        probabilities = self.predict_proba(inputs.examples)
        frame = pd.DataFrame(probabilities, columns=list(self.labels), index=inputs.index)
        answered = self._answered(probabilities, sure)
        chosen = [list(own) if yes else None for own, yes in zip(self._decide(probabilities), answered, strict=True)]
        frame[self.task] = pd.Series(chosen, dtype=object).to_numpy()  # by position: an index may hold repeats
        return frame

    def predict_examples(self, examples: Sequence[Example], sure: float | None = None) -> list[Prediction]:
        """Return one prediction per example, in the same order; `sure` as in `predict`."""
        probabilities = self.predict_proba(examples)
        answered = self._answered(probabilities, sure)
        rows = zip(examples, probabilities.tolist(), self._decide(probabilities), answered, strict=True)
        return [Prediction(example, tuple(row), labels, bool(yes)) for example, row, labels, yes in rows]

    def predict_proba(self, examples: Sequence[Example]) -> NDArray[np.float64]:
        """Return calibrated probabilities, float64, shape `(n_examples, n_labels)`, labels in codebook order.

        Examples that a model cannot tell apart are scored once, so that they always get the same answer.
        """
        if not examples:
            return np.zeros((0, len(self.labels)))
        position: dict[tuple[object, ...], int] = {}
        rows = [position.setdefault(_seen(example), len(position)) for example in examples]
        first = dict(zip(reversed(rows), reversed(examples), strict=True))
        scores = self.model.predict_proba([first[row] for row in range(len(position))])
        return self.calibration.apply(scores)[rows]

    def _answered(self, probabilities: NDArray[np.float64], sure: float | None) -> NDArray[np.bool_]:
        if sure is None:
            return np.ones(len(probabilities), dtype=bool)
        return self.calibration.answers(probabilities, sure)

    def _decide(self, probabilities: NDArray[np.float64]) -> list[tuple[str, ...]]:
        given = self.calibration.decide(probabilities)
        return [tuple(label for label, on in zip(self.labels, row, strict=True) if on) for row in given]


def _seen(example: Example) -> tuple[object, ...]:
    """All that a model may look at. Document, outlet and genre are not: a model must not learn a label from them."""
    e = example
    return (e.text, e.actor, e.mention, e.start, e.end, e.targets, e.prev, e.next, e.title, e.date)
