"""What several packages' tests share: a small labelled data set, a tiny encoder, and the command line in a process."""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings

from stance.dataset import from_file, load_examples, write_examples
from stance.errors import ServiceError
from stance.records import Example
from stance.tracking.store import DATABASE, open_store

# The same examples in every run, so that who changes nothing breaks nothing; --hypothesis-profile=default draws others.
settings.register_profile("steady", derandomize=True)
settings.load_profile("steady")

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
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
def encoder_bundle(tiny_encoder, tiny_file, tmp_path_factory) -> Path:
    """The bundle of a tiny encoder that was trained on `tiny_file`, as `stance train` writes it."""
    from stance import codebook, config
    from stance.dataset import digest
    from stance.experiment import fit, read_parts
    from stance.models.bundle import Origin, write_bundle

    folder = tmp_path_factory.mktemp("bundles")
    settings = {"kind": "encoder", "name": str(tiny_encoder), "epochs": 3, "batch_size": 16, "learning_rate": 2e-3}
    experiment = config.validate({"name": "tiny", "data": str(tiny_file), "model": settings}, "tiny.yaml")
    book = codebook.load()
    parts = read_parts(experiment, book)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STANCE_CACHE", str(folder / "cache"))
        model, calibration = fit(experiment, book, parts, lambda _: None)
    origin = Origin(task="stance", settings=settings, seed=experiment.seed, split_digest=digest(parts))
    return write_bundle(folder / "encoder", model, calibration, book, origin)


class Ran(NamedTuple):
    """How a command ended, and what it wrote."""

    status: int
    out: str
    err: str


def run_stance(*arguments: object, cwd: Path) -> Ran:
    """Run `stance …` in this process, as the installed command does; an exception that it lets through is raised."""
    from stance.cli.main import main

    out, err = io.StringIO(), io.StringIO()
    status: object = 0
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err), chdir(cwd):
        patch.setattr(sys, "argv", ["stance", *map(str, arguments)])
        patch.setenv("STANCE_CACHE", str(cwd / ".cache"))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        try:
            main()
        except SystemExit as end:
            status = end.code
    return Ran(int(str(status)), out.getvalue(), err.getvalue())


@pytest.fixture(scope="session", name="stance_main")
def _stance_main() -> Callable[..., Ran]:
    return run_stance


@pytest.fixture(scope="session")
def store_template(tmp_path_factory) -> Path:
    """An empty MLflow store; its first migration takes seconds, so it is made once and copied."""
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        with open_store(create=True):
            pass
    return folder / DATABASE


@pytest.fixture(scope="session")
def workspace(tmp_path_factory, store_template, tiny_file) -> Path:
    """A working directory after `stance train` of two models on the tiny data and `stance promote`."""
    folder = tmp_path_factory.mktemp("workspace")
    shutil.copy(store_template, folder / DATABASE)
    shutil.copy(tiny_file, folder / "tiny.jsonl")
    # On some 80 sentences the defaults learn little but the prior; fewer features, penalised less, learn more.
    for kind, more in (("majority", ""), ("tfidf-linear", ", c: 10, blocks: {word: 1, side: 1}")):
        (folder / f"{kind}.yaml").write_text(f"name: {kind}\ndata: tiny.jsonl\nmodel: {{kind: {kind}{more}}}\n")
        trained = run_stance("train", f"{kind}.yaml", cwd=folder)
        assert trained.status == 0, trained.err
    promoted = run_stance("promote", "--run", "tfidf-linear", cwd=folder)
    assert promoted.status == 0, promoted.err
    return folder


@pytest.fixture(scope="session")
def newsroom(tmp_path_factory, store_template) -> Path:
    """A working directory after `stance train` of `news` (n-grams) and `floor` on 70 documents, half of a pool.

    `old.jsonl` holds those, `new.jsonl` as many others of the same corpus, labelled.
    """
    folder = tmp_path_factory.mktemp("newsroom")
    shutil.copy(store_template, folder / DATABASE)
    documents: dict[str, list[Example]] = {}
    for example in load_examples("stance", "train")["train"]:
        documents.setdefault(example.cluster, []).append(example)
    chosen = [documents[name] for name in sorted(documents)[:280]]
    for name, start in (("old", 0), ("new", 1)):
        write_examples([each for own in chosen[start::4] for each in own], folder / f"{name}.jsonl")
    for name, kind in (("news", "tfidf-linear"), ("floor", "majority")):
        (folder / f"{name}.yaml").write_text(f"name: {name}\ndata: old.jsonl\nmodel: {{kind: {kind}}}\n")
        trained = run_stance("train", f"{name}.yaml", cwd=folder)
        assert trained.status == 0, trained.err
    return folder


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium. One per module: while Playwright is open no test can run an event loop of its own."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip(f"no browser: install {BROWSERS[0]}, or set CHROMIUM to the program")
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=program, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def postgres_folder() -> Iterator[Path]:
    """A folder that PostgreSQL may enter also when root runs the tests: pytest's own are closed to others."""
    from experiments.teams.postgres import find_programs

    try:
        find_programs()
    except ServiceError as error:
        pytest.skip(str(error))
    folder = Path(tempfile.mkdtemp(prefix="stance-postgres-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
