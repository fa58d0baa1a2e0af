"""The rows of the speed benchmark: a name enters; what trains, loads and scores under that name leaves."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.floating[Any]]
Score = Callable[[Sequence[Any]], Scores]
"""Label probabilities, `(n_given, n_labels)`, of examples (the kit) or of `speed_texts.Text` (rivals)."""


@dataclass(frozen=True)
class Job:
    """What a training is given: the file of texts, the folder to leave the model in, how many examples of each part are
    used (None: all), the folders of other rows by name, the validation macro-F1 to stop at, and the most seconds."""

    material: Path
    folder: Path
    limit: int | None
    others: dict[str, Path]
    target: float | None = None
    seconds: float = 3600.0


class Contender(Protocol):
    """One way to do the work, by the library's own defaults."""

    def train(self, job: Job) -> dict[str, Any]:
        """Leave a model in `job.folder`; returns `seconds` and `cpu_seconds` of the fit alone, and facts of its own."""

    def load(self, folder: Path) -> Score:
        """Return the model that `train` left, ready to score."""

    def first(self, folder: Path) -> None:
        """Load and answer once, as a user's shortest program would."""


@dataclass(frozen=True)
class Entry:
    """Where a row's class is. `model_of` names the row whose model it serves, where it trains none; `after` the row
    that must be trained before; `packages` are what pip has to install for it."""

    place: str
    what: str
    packages: tuple[str, ...] = ()
    model_of: str = ""
    after: str = ""

    @property
    def ours(self) -> bool:
        """Whether the row is the kit's, and reads examples."""
        return self.place.startswith("speed_kit")


ROWS: dict[str, Entry] = {
    "majority": Entry("speed_kit:Majority", "no model at all: what the kit itself takes"),
    "tfidf-linear": Entry("speed_kit:TfidfLinear", "experiments/tfidf-linear.yaml"),
    "encoder-torch": Entry(
        "speed_kit:EncoderTorch", "experiments/encoder-fast.yaml with neighbours, in torch", ("torch", "transformers")
    ),
    "encoder-onnx": Entry(
        "speed_kit:EncoderOnnx", "… after stance export", ("onnx", "onnxruntime"), after="encoder-torch"
    ),
    "encoder-int8": Entry(
        "speed_kit:EncoderInt8", "… after stance export --int8", ("onnx", "onnxruntime"), after="encoder-torch"
    ),
    "hf-pipeline": Entry(
        "speed_neural:Pipeline",
        'transformers pipeline("text-classification") on the weights of encoder-torch, as it comes',
        ("transformers", "torch"),
        after="encoder-torch",
    ),
    "hf-pipeline-32": Entry(
        "speed_neural:Pipeline32", "… with batch_size=32", ("transformers", "torch"), model_of="hf-pipeline"
    ),
    "hf-trainer": Entry(
        "speed_neural:Trained",
        "transformers Trainer by its defaults, until it scores as encoder-torch on validation; served by the pipeline",
        ("transformers", "torch", "accelerate"),
        after="encoder-torch",
    ),
    "setfit": Entry("speed_neural:SetFit", "SetFit on the same encoder, 8 examples per label", ("setfit",)),
    "st-logreg": Entry(
        "speed_neural:Embedded",
        "SentenceTransformer.encode and scikit-learn's LogisticRegression",
        ("sentence-transformers", "scikit-learn"),
    ),
    "spacy": Entry("speed_classic:Spacy", "spaCy's textcat_multilabel on blank:en, 5 epochs", ("spacy",)),
    "fasttext": Entry("speed_classic:FastText", "fastText supervised, one-vs-all, word pairs", ("fasttext-numpy2",)),
}


def find(name: str) -> Contender:
    """Return the contender of a row; its libraries are imported only when it works."""
    module, _, kind = ROWS[name].place.partition(":")
    contender: Contender = getattr(importlib.import_module(f"experiments.benchmarks.{module}"), kind)()
    return contender
