"""Lower layers that do not learn, computed once. What enters is rows; what leaves is their activations, cached.

While the lowest layers are frozen their output for a row never changes, so it is computed once, kept in bfloat16 and
fed to the layers above at every step: the forward and backward work of the frozen layers is saved in every epoch. It is
kept in a file (some 45 kB a row, of which a step reads a few): twenty thousand rows would take most of a gigabyte.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

import torch
from torch import nn

from stance.errors import DataError
from stance.models.device import autocast, release_memory
from stance.models.layers import layers_of
from stance.models.tokens import Batch, Row, by_length, pad, width
from stance.models.training import RELEASE_EVERY, Collate


class CachedBottom(nn.Module):
    """Stands in for a backbone's embeddings and gives out the cached activations of the batch at hand."""

    def __init__(self) -> None:
        super().__init__()
        self.current: torch.Tensor | None = None

    def forward(self, *args: object, **kwargs: object) -> torch.Tensor | None:
        given = next((one for one in (*args, *kwargs.values()) if isinstance(one, torch.Tensor)), None)
        return self.current if given is None or self.current is None else self.current.to(given.device)


class Activations:
    """Outputs of the frozen layers, `(n_tokens, hidden)` per row, found again by what those layers see of the row.

    A context: its temporary file has no name and is gone at the end, also after a kill. Raises DataError when the disk
    is full.
    """

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile(prefix="stance-activations-")  # noqa: SIM115 - closed by __exit__
        self.places: dict[bytes, tuple[int, int]] = {}  # offset in the file and size, in bytes
        self.hidden = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def collect(self, backbone: nn.Module, n_layers: int, rows: Sequence[Row], pad_id: int) -> None:
        """Run the embeddings and the lowest layers on rows that are not cached yet."""
        missing = [row for row in {key(row): row for row in rows}.values() if key(row) not in self.places]
        device = next(backbone.parameters()).device
        with _only_lowest(backbone, n_layers), torch.inference_mode(), autocast(device):
            for number, indices in enumerate(by_length(missing, 64)):
                batch = pad([missing[i] for i in indices], pad_id).to(device)
                inputs = {"input_ids": batch.ids, "attention_mask": batch.attention}
                if getattr(backbone.config, "type_vocab_size", 0) > 1:
                    inputs["token_type_ids"] = batch.types
                hidden = backbone(**inputs).last_hidden_state.to(torch.bfloat16).cpu()
                if number % RELEASE_EVERY == 0:
                    release_memory()
                for place, i in enumerate(indices):
                    self._write(key(missing[i]), hidden[place, : len(missing[i])])

    def batch(self, rows: Sequence[Row]) -> torch.Tensor:
        """Return the padded activations of rows, float32, shape `(n_rows, width, hidden)`."""
        found = nn.utils.rnn.pad_sequence([self._read(key(row)) for row in rows], batch_first=True).float()
        return nn.functional.pad(found, (0, 0, 0, width(rows) - found.shape[1]))

    def _write(self, name: bytes, hidden: torch.Tensor) -> None:
        content = hidden.contiguous().view(torch.uint8).numpy().tobytes()
        try:
            self.places[name] = self.file.seek(0, os.SEEK_END), len(content)
            self.file.write(content)
        except OSError as error:
            mend = "free some, point TMPDIR elsewhere, or use model.freeze_layers=0"
            raise DataError(
                f"no room for the frozen layers' output in {tempfile.gettempdir()}: {error}; {mend}"
            ) from error
        self.hidden = hidden.shape[1]

    def _read(self, name: bytes) -> torch.Tensor:
        offset, size = self.places[name]
        self.file.seek(offset)
        content = bytearray(self.file.read(size))
        return torch.frombuffer(content, dtype=torch.bfloat16).view(-1, self.hidden)


def key(row: Row) -> bytes:
    """What the frozen layers see of a row."""
    return row.ids.tobytes() + row.types.tobytes()


def supported(backbone: nn.Module) -> bool:
    """Say whether the backbone is laid out so that its lower part can be cut off: BERT and its many relatives."""
    return isinstance(getattr(backbone, "embeddings", None), nn.Module) and hasattr(
        getattr(backbone, "encoder", None), "layer"
    )


@contextmanager
def upper_only(backbone: nn.Module, n_layers: int, cache: Activations, pad_id: int) -> Iterator[Collate]:
    """Cut the embeddings and the lowest layers off for a while; yields a collate function that feeds the cache.

    The batch it returns is the next that the backbone must be given. Rows must have been collected before.
    """
    layers, embeddings, bottom = layers_of(backbone), backbone.embeddings, CachedBottom()
    backbone.encoder.layer = nn.ModuleList(list(layers)[n_layers:])  # type: ignore[union-attr]
    backbone.embeddings = bottom

    def collate(rows: Sequence[Row]) -> Batch:
        bottom.current = cache.batch(rows)
        return pad(rows, pad_id)

    try:
        yield collate
    finally:
        backbone.encoder.layer = layers  # type: ignore[union-attr]
        backbone.embeddings = embeddings


@contextmanager
def _only_lowest(backbone: nn.Module, n_layers: int) -> Iterator[None]:
    layers = layers_of(backbone)
    was_training = backbone.training
    backbone.encoder.layer = nn.ModuleList(list(layers)[:n_layers])  # type: ignore[union-attr]
    backbone.eval()
    try:
        yield
    finally:
        backbone.encoder.layer = layers  # type: ignore[union-attr]
        backbone.train(was_training)
