"""Frozen encoder vectors under a linear head. What enters is examples; what leaves is label probabilities.

The encoder reads the plain sentence once; its vectors are averaged over the sentence, over the actor's mention and over
the target's mentions. Only a standardised one-vs-rest logistic regression is learnt.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, Unpack

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from stance.dataset.arrays import label_matrix
from stance.errors import BundleError, DataError, WeightsError
from stance.models.base import FitOptions, Progress
from stance.models.device import autocast, pick_device, threads
from stance.models.weights import DEFAULT, encoder_hash, load_encoder
from stance.records import Example, Span

if TYPE_CHECKING:
    import torch

ARRAYS, SETTINGS = "embedding.safetensors", "embedding.json"
FLAGS = 2
"""Numbers that follow the pooled vectors: whether the actor is mentioned, whether the target is."""


class EmbeddingLinear:
    """Logistic regression over frozen vectors of the sentence, the actor's mention and the target's mentions."""

    kind = "embedding-linear"

    class Settings(BaseModel):
        """`name` is `minilm` (shipped as a package), a local folder, or a name on the Hub."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        name: str = DEFAULT
        layers: tuple[int, ...] = Field(default=(4, -1), description="hidden layers that are pooled and concatenated")
        c: float = Field(default=0.005, gt=0, description="inverse of the regression's penalty")
        max_tokens: int = Field(default=160, ge=16)
        batch_size: int = Field(default=32, ge=1)

    def __init__(self, labels: tuple[str, ...], settings: Settings, seed: int = 0) -> None:
        self.labels = labels
        self.settings = settings
        self.seed = seed
        self.arrays: dict[str, NDArray[np.float32]] | None = None
        self._encoder: tuple[Any, Any] | None = None

    def fit(self, train: Sequence[Example], validation: Sequence[Example], **options: Unpack[FitOptions]) -> None:  # noqa: ARG002
        """Embed and learn the head; `validation` is not used. Raises DataError for an empty training set.

        A label that no training example has, or that all have, gets its smoothed rate as a constant.
        """
        if not train:
            raise DataError("no training examples: the embedding model needs at least one")
        gold = label_matrix(train, self.labels)
        vectors = self.embed(train, options.get("progress"))
        mean, scale = vectors.mean(axis=0), vectors.std(axis=0)
        scale[scale < 1e-6] = 1.0
        standard = (vectors - mean) / scale
        heads = [self._fit_label(standard, gold[:, column]) for column in range(len(self.labels))]
        weights = np.stack([head[0] for head in heads], axis=1)
        intercept = np.array([head[1] for head in heads], dtype=np.float32)
        self.arrays = {"mean": mean, "scale": scale, "weights": weights, "intercept": intercept}

    def predict_proba(self, examples: Sequence[Example]) -> NDArray[np.float32]:
        """Return probabilities, float32, shape `(n_examples, n_labels)`.

        In bfloat16 (see `stance.models.device`) they depend on the batch an example falls into by about 0.01.
        """
        if self.arrays is None:
            raise DataError("the embedding model has not been fitted; call fit or load first")
        standard = (self.embed(examples) - self.arrays["mean"]) / self.arrays["scale"]
        scores = standard @ self.arrays["weights"] + self.arrays["intercept"]
        return np.asarray(np.exp(-np.logaddexp(0, -scores)), dtype=np.float32)

    def embed(self, examples: Sequence[Example], progress: Progress | None = None) -> NDArray[np.float32]:
        """Return pooled vectors, shape `(n_examples, 3 * n_layers * width + FLAGS)`.

        Per example: sentence, actor, target (each: one vector per layer; zeros where there is no mention), flags.
        Examples of one sentence share one pass through the encoder; sentences go through sorted by length.
        """
        import torch

        tokenizer, network = self._network()
        device = next(network.parameters()).device
        texts = sorted({example.text for example in examples}, key=lambda text: (len(text), text))
        by_text: dict[str, list[int]] = {text: [] for text in texts}
        for row, example in enumerate(examples):
            by_text[example.text].append(row)
        vectors = np.zeros((len(examples), self._width(network)), dtype=np.float32)
        for start in range(0, len(texts), self.settings.batch_size):
            batch = texts[start : start + self.settings.batch_size]
            read = tokenizer(
                batch, truncation=True, max_length=self.settings.max_tokens, padding=True, return_tensors="pt",
                return_offsets_mapping=True, return_special_tokens_mask=True,
            )  # fmt: skip
            offsets, special = read.pop("offset_mapping").numpy(), read.pop("special_tokens_mask").numpy()
            with torch.inference_mode(), autocast(device):
                states = network(**read.to(device), output_hidden_states=True).hidden_states
            hidden = torch.cat([states[layer] for layer in self.settings.layers], dim=-1).float().cpu().numpy()
            for place, text in enumerate(batch):
                words = special[place] == 0
                for row in by_text[text]:
                    vectors[row] = _pool(hidden[place][words], offsets[place][words], examples[row])
            if progress is not None:
                progress({"done": float(start + len(batch)), "total": float(len(texts))})
        return vectors

    def save(self, folder: Path) -> None:
        """Write `embedding.safetensors` (the head) and `embedding.json`, which names the encoder and its hash."""
        from safetensors.numpy import save_file

        if self.arrays is None:
            raise DataError("the embedding model has not been fitted; there is nothing to save")
        save_file({name: np.ascontiguousarray(array) for name, array in self.arrays.items()}, folder / ARRAYS)
        content = {
            "labels": self.labels,
            "seed": self.seed,
            "settings": self.settings.model_dump(mode="json"),
            "encoder_sha256": encoder_hash(self.settings.name),
        }
        (folder / SETTINGS).write_text(json.dumps(content, indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; the encoder itself is loaded at the first prediction.

        Raises BundleError for files that are missing or damaged, and WeightsError where the encoder that the head
        was trained on is not here, or has other weights.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load_file

        try:
            content = json.loads((folder / SETTINGS).read_text("utf-8"))
            model = cls(tuple(content["labels"]), cls.Settings(**content["settings"]), int(content["seed"]))
            arrays = load_file(folder / ARRAYS)
            model.arrays = {name: arrays[name] for name in ("mean", "scale", "weights", "intercept")}
            expected = content["encoder_sha256"]
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            raise BundleError(f"{folder}: not a saved embedding-linear model: {error}; train it again") from error
        if model.arrays["weights"].shape != (len(model.arrays["mean"]), len(model.labels)):
            raise BundleError(f"{folder}: the head does not fit the encoder's vectors and labels; train it again")
        if expected != encoder_hash(model.settings.name):
            raise WeightsError(
                f"{folder}: the encoder '{model.settings.name}' has other weights than the one this model was "
                f"trained on (sha256 {str(expected)[:12]}…); restore those weights, or train the model again"
            )
        return model

    def describe(self) -> dict[str, Any]:
        """Return the settings, the encoder's hash and the number of learnt parameters."""
        return {
            "kind": self.kind,
            "settings": self.settings.model_dump(mode="json"),
            "encoder_sha256": encoder_hash(self.settings.name),
            "parameters": 0 if self.arrays is None else self.arrays["weights"].size + self.arrays["intercept"].size,
        }

    def _network(self) -> tuple[Any, Any]:
        if self._encoder is None:
            import torch

            device = pick_device()
            if device.type == "cpu":
                torch.set_num_threads(threads())
            tokenizer, network = load_encoder(self.settings.name)
            self._encoder = tokenizer, network.to(device)
        return self._encoder

    def _width(self, network: torch.nn.Module) -> int:
        hidden: Any = network.config
        return 3 * len(self.settings.layers) * int(hidden.hidden_size) + FLAGS

    def _fit_label(self, vectors: NDArray[np.float32], gold: NDArray[np.int8]) -> tuple[NDArray[np.float32], float]:
        from sklearn.linear_model import LogisticRegression

        positives = int(gold.sum())
        if positives in (0, len(gold)):
            rate = (positives + 0.5) / (len(gold) + 1)
            return np.zeros(vectors.shape[1], dtype=np.float32), float(np.log(rate / (1 - rate)))
        regression = LogisticRegression(C=self.settings.c, max_iter=300, random_state=self.seed)
        regression.fit(vectors, gold)
        return regression.coef_[0].astype(np.float32), float(regression.intercept_[0])


def _pool(hidden: NDArray[np.float32], offsets: NDArray[np.int64], example: Example) -> NDArray[np.float32]:
    """Average the word pieces of the sentence, of the actor's mention and of the target's mentions.

    `hidden` has shape `(n_pieces, width)`, `offsets` `(n_pieces, 2)` in characters of the example's text.
    """
    mention = [] if example.start is None or example.end is None else [(example.start, example.end)]
    actor, target = _covered(offsets, mention), _covered(offsets, example.targets)
    means = [
        hidden[chosen].mean(axis=0) if chosen.any() else np.zeros(hidden.shape[1], dtype=np.float32)
        for chosen in (np.ones(len(hidden), dtype=np.bool_), actor, target)
    ]
    return np.concatenate([*means, np.array([actor.any(), target.any()], dtype=np.float32)])


def _covered(offsets: NDArray[np.int64], spans: Sequence[Span]) -> NDArray[np.bool_]:
    covered = np.zeros(len(offsets), dtype=np.bool_)
    for start, end in spans:
        covered |= (offsets[:, 0] < end) & (offsets[:, 1] > start)
    return covered
