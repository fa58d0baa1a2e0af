"""What several packages' tests share: a small labelled data set, a tiny encoder, and the command line in a process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from stance.dataset import from_file, load_examples, write_examples
from stance.records import Example

DOCUMENTS = 26
TINY = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 64}


@pytest.fixture(scope="session")
def tiny_examples() -> list[Example]:
    """About 120 labelled stance examples of 26 shipped documents that hold every label."""
    examples = load_examples("stance", "train")["train"]
    documents: dict[str, list[Example]] = {}
    for example in examples:
        documents.setdefault(example.doc_id, []).append(example)
    rare = [doc for doc, own in documents.items() if any("recognize" in (e.labels or ()) for e in own)]
    chosen = [*rare[: DOCUMENTS // 2], *(doc for doc in documents if doc not in rare)][:DOCUMENTS]
    return [example for doc in chosen for example in documents[doc][:5]]


@pytest.fixture(scope="session")
def tiny_file(tiny_examples, tmp_path_factory) -> Path:
    """The tiny examples as a user's labelled file."""
    path = tmp_path_factory.mktemp("tiny") / "tiny.jsonl"
    write_examples(tiny_examples, path)
    return path


@pytest.fixture(scope="session")
def tiny_parts(tiny_file) -> dict[str, list[Example]]:
    return from_file(tiny_file, "stance", seed=13)


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory) -> Path:
    """A folder with a random BERT of three layers and MiniLM's tokenizer: trains in seconds."""
    import torch
    from transformers import BertConfig, BertModel

    from stance.models.weights import encoder_path

    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(1)
    BertModel(BertConfig(vocab_size=30522, max_position_embeddings=256, **TINY)).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (folder / name).write_bytes((Path(encoder_path()) / name).read_bytes())
    return folder


@pytest.fixture(scope="session")
def command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs `stance …` in a fresh process: `command("runs", "--json", cwd=folder)`."""

    def run(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        inherited = {key: value for key, value in os.environ.items() if key not in ("MLFLOW_TRACKING_URI", "RANK")}
        given = {"OMP_NUM_THREADS": "1", "STANCE_CACHE": str(cwd / ".cache"), "COLUMNS": "200", **environment}
        return subprocess.run(
            [sys.executable, "-m", "stance.cli.main", *map(str, arguments)],
            cwd=cwd,
            env={**inherited, **given},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    return run
