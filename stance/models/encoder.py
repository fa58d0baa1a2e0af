"""A pretrained transformer, fine-tuned. What enters is marked examples; what leaves is label probabilities."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self, Unpack

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from stance.codebook import Task
from stance.dataset.arrays import label_matrix
from stance.errors import DataError
from stance.models import frozen
from stance.models.base import FitOptions
from stance.models.device import pick_device, threads
from stance.models.encoder_settings import EncoderSettings
from stance.models.marking import MASKED
from stance.models.network import Network, add_lora, attention, freeze, load_backbone
from stance.models.retelling import retell
from stance.models.tokens import Row, pad, read
from stance.models.training import Collate, Gold, Schedule, Training, probabilities
from stance.models.weights import encoder_hash
from stance.records import Example, content_id


class Encoder:
    """A transformer with a linear head over the actor's mention; fulfils `base.Model`."""

    kind = "encoder"
    Settings = EncoderSettings

    def __init__(self, labels: tuple[str, ...], settings: EncoderSettings, seed: int) -> None:
        self.labels = labels
        self.settings = settings
        self.seed = seed
        self.network: Network | None = None
        self.tokenizer: Any = None
        self.history: list[dict[str, float]] = []

    @staticmethod
    def settings_from(task: Task) -> dict[str, Any]:
        """Return the settings that a codebook's task fixes."""
        return {"exclusive": True} if task.exclusive else {}

    def fit(self, train: Sequence[Example], validation: Sequence[Example], **options: Unpack[FitOptions]) -> None:
        """Fine-tune, keeping the epoch with the best mean average precision on `validation`, or the last without one.

        With `checkpoints` a training that was killed resumes there and ends with the same weights.
        """
        if not train:
            raise DataError("there is no labelled example to train on")
        if self.settings.retell and not self.settings.exclusive:
            train = [*train, *retell(train, self.settings.retell, self.seed)]
        torch.manual_seed(self.seed)
        backbone, self.tokenizer = load_backbone(self.settings.name, self.settings.dropout)
        freeze(backbone, self.settings.freeze_layers, self.settings.freeze_embeddings)
        if self.settings.lora_rank:
            backbone = add_lora(backbone, self.settings.lora_rank)
        self.network = Network(backbone, len(self.labels), self.settings.head_dropout, self.settings.exclusive)
        rows, checked = self._rows(train), self._rows(validation)
        gold, expected = label_matrix(train, self.labels), label_matrix(validation, self.labels)
        if self.settings.exclusive:
            _check_exclusive(train, gold)
        checkpoints = options.get("checkpoints")
        folder = checkpoints / self._fingerprint([*rows, *checked], [gold, expected]) if checkpoints else None
        with self._collate([*rows, *checked]) as collate:
            network = self.network
            score = lambda: _mean_average_precision(expected, probabilities(network, checked, collate))  # noqa: E731
            training = Training(network, self._schedule(), collate, score)
            augmented = Gold(lambda epoch: self._augmented(train, rows, epoch), gold)
            self.history = training.run(augmented, options.get("progress", _silent), folder)
        if self.settings.lora_rank:
            self.network.backbone = self.network.backbone.merge_and_unload()  # type: ignore[operator]
        self.network.to(pick_device()).eval()

    def predict_proba(self, examples: Sequence[Example]) -> NDArray[np.float32]:
        """Return probabilities, float32, `(n_examples, n_labels)`; the order of examples does not matter."""
        if self.network is None:
            raise DataError("this encoder has not been trained or loaded yet")
        if not examples:
            return np.zeros((0, len(self.labels)), dtype=np.float32)
        return probabilities(self.network, self._rows(examples), partial(pad, pad_id=self._pad_id))

    def save(self, folder: Path) -> None:
        """Write weights as safetensors, and the encoder's configuration and tokenizer as JSON."""
        if self.network is None:
            raise DataError("there is nothing to save: this encoder has not been trained")
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.network.state_dict().items()}
        save_file(tensors, folder / "network.safetensors")
        self.network.backbone.config.save_pretrained(folder / "encoder")  # type: ignore[union-attr, operator]
        self.tokenizer.save_pretrained(folder / "encoder")
        facts = {
            "labels": self.labels,
            "settings": self.settings.model_dump(),
            "seed": self.seed,
            "history": self.history,
        }
        (folder / "encoder.json").write_text(json.dumps(facts, indent=1), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote."""
        from transformers import AutoConfig, AutoModel, AutoTokenizer

        facts = json.loads((folder / "encoder.json").read_text("utf-8"))
        model = cls(tuple(facts["labels"]), EncoderSettings.model_validate(facts["settings"]), facts["seed"])
        model.history = facts["history"]
        config = AutoConfig.from_pretrained(folder / "encoder")
        model.tokenizer = AutoTokenizer.from_pretrained(folder / "encoder", use_fast=True)
        backbone = AutoModel.from_config(config, attn_implementation=attention())
        settings = model.settings
        model.network = Network(backbone, len(model.labels), settings.head_dropout, settings.exclusive)
        model.network.load_state_dict(load_file(folder / "network.safetensors"))
        torch.set_num_threads(threads())
        model.network.to(pick_device()).eval()
        return model

    def describe(self) -> dict[str, Any]:
        """Return settings, size and the history of the training."""
        size = sum(p.numel() for p in self.network.parameters()) if self.network is not None else 0
        return {"kind": self.kind, "settings": self.settings.model_dump(), "parameters": size, "history": self.history}

    @property
    def _pad_id(self) -> int:
        return int(self.tokenizer.pad_token_id or 0)

    def _rows(self, examples: Sequence[Example], name: str | None = None) -> list[Row]:
        limit = min(self.settings.max_tokens, self.tokenizer.model_max_length)
        return read(examples, self.tokenizer.backend_tokenizer, self.settings, limit, name)

    def _augmented(self, train: Sequence[Example], rows: Sequence[Row], epoch: int) -> list[Row]:
        """The rows of an epoch: in a share of them, drawn anew each time, the model does not see who the actor is."""
        hidden = np.random.default_rng([self.seed, epoch, 1]).random(len(rows)) < self.settings.mask_actor
        chosen = [i for i in np.flatnonzero(hidden).tolist() if train[i].actor is not None]
        result = list(rows)
        for i, row in zip(chosen, self._rows([train[i] for i in chosen], MASKED), strict=True):
            result[i] = row
        return result

    def _schedule(self) -> Schedule:
        names = Schedule.__dataclass_fields__.keys() - {"seed"}
        return Schedule(seed=self.seed, **{name: getattr(self.settings, name) for name in names})

    @contextlib.contextmanager
    def _collate(self, rows: Sequence[Row]) -> Iterator[Collate]:
        """The way from rows to a batch: past the frozen layers where their output can be cached."""
        network, depth = self.network, self.settings.freeze_layers
        cacheable = depth and not (self.settings.mask_actor or self.settings.lora_rank)
        if network is None or not cacheable or not frozen.supported(network.backbone):
            yield partial(pad, pad_id=self._pad_id)
            return
        with frozen.Activations() as cache:
            cache.collect(network.backbone, depth, rows, self._pad_id)
            with frozen.upper_only(network.backbone, depth, cache, self._pad_id) as collate:
                yield collate

    def _fingerprint(self, rows: Sequence[Row], gold: Sequence[NDArray[np.int8]]) -> str:
        """Names the training: the same data as tokens, settings, weights and seed find their own checkpoint only."""
        data = hashlib.sha256()
        for row in rows:
            data.update(row.ids.tobytes() + row.actor.tobytes())
        for labels in gold:
            data.update(labels.tobytes())
        weights = encoder_hash(self.settings.name)
        return content_id(self.labels, self.settings.model_dump_json(), self.seed, weights, data.hexdigest())


def _check_exclusive(examples: Sequence[Example], gold: NDArray[np.int8]) -> None:
    wrong = np.flatnonzero(gold.sum(1) != 1)
    if len(wrong):
        labels = ", ".join(examples[wrong[0]].labels or ()) or "none"
        raise DataError(f"example {examples[wrong[0]].id} has the labels {labels}; this task's examples have one each")


def _mean_average_precision(gold: NDArray[np.int8], scores: NDArray[np.float32]) -> float:
    from sklearn.metrics import average_precision_score

    if not len(gold):
        return float("nan")
    columns = [j for j in range(gold.shape[1]) if gold[:, j].any()]
    return float(np.mean([average_precision_score(gold[:, j], scores[:, j]) for j in columns])) if columns else 0.0


def _silent(_: dict[str, float]) -> None:
    """Progress that nobody watches."""
