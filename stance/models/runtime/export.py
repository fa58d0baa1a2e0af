"""Writing an encoder down as a graph. Its folder and examples to measure on enter; the graph is added to it."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stance.errors import ConfigError
from stance.models.runtime import FACTS, GRAPH
from stance.models.runtime.batches import by_tokens, distinct
from stance.models.runtime.choice import Export, Precision, has_vnni
from stance.models.runtime.encoder import BATCH_TOKENS
from stance.models.runtime.graph import Float32, Saved, write
from stance.models.runtime.quantisation import NARROW, WIDE, Int8, Range
from stance.models.runtime.reading import Reader
from stance.models.runtime.session import Session
from stance.models.tokens import Row
from stance.records import Example

if TYPE_CHECKING:
    from onnx import ModelProto

SAMPLE = 256
"""Examples that ranges are measured on."""


def find_encoders(model: Path) -> list[Path]:
    """Return the folders of the encoders in a bundle's model folder: itself, or those of an ensemble's members."""
    return sorted(
        path.parent for path in model.rglob("network.safetensors") if (path.parent / "encoder.json").is_file()
    )


def export_encoder(folder: Path, precision: Precision, examples: Sequence[Example], seed: int = 0) -> None:
    """Write the graph of the encoder saved in `folder`, and how it was made, into that folder.

    `examples` are what 8-bit integers are fitted to: some of those that the encoder was trained on. Raises ConfigError
    where a package is missing.
    """
    if precision == "int8" and not examples:
        raise ConfigError("there are no training examples to fit 8-bit integers to; export without --int8")
    narrow = precision == "int8" and not has_vnni()
    try:
        model = _write(folder, precision, examples, seed, narrow=narrow)
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"an export needs the package '{error.name}'; run: pip install 'stance-kit[train]'"
        ) from error
    (folder / GRAPH).write_bytes(model.SerializeToString())
    packages = {name: importlib.metadata.version(name) for name in ("onnx", "onnxruntime")}
    facts = Export(precision=precision, narrow=narrow, packages=packages)
    (folder / FACTS).write_text(facts.model_dump_json(indent=1) + "\n", "utf-8")


def _write(folder: Path, precision: Precision, examples: Sequence[Example], seed: int, *, narrow: bool) -> ModelProto:
    saved = Saved.read(folder)
    if not saved.is_bert:
        kind = saved.config.get("model_type")
        raise ConfigError(f"encoders of the architecture '{kind}' cannot be exported yet, only BERT's; use torch")
    if precision == "fp32":
        return write(saved, Float32())
    chosen = np.random.default_rng(seed).permutation(len(examples))[:SAMPLE]
    rows = Reader(folder).read([examples[i] for i in sorted(chosen.tolist())])
    return write(saved, Int8(_measure(saved, rows), NARROW if narrow else WIDE))


def _measure(saved: Saved, rows: Sequence[Row]) -> dict[str, Range]:
    """The range of what each linear layer reads, over all tokens of some rows."""
    session = Session(write(saved, Float32(), shown=True).SerializeToString())
    names = [name for name in session.outputs if name != "logits"]
    first, _ = distinct(rows)
    seen: dict[str, list[Range]] = {name: [] for name in names}
    for indices in by_tokens(first, BATCH_TOKENS):
        for name, values in zip(names, session.run([first[i] for i in indices], *names), strict=True):
            seen[name].append(Range.of(values))
    return {name: Range.union(ranges) for name, ranges in seen.items()}
