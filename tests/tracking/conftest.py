"""A real MLflow store on SQLite. Its first migration takes seconds, so an empty one is made once and copied.

`store` and `train` give a test its own; `played` is one store that all tests which only read share.
"""

import shutil
from pathlib import Path

import pytest

from stance import codebook
from stance.evaluation.plots import figures
from stance.evaluation.result import evaluate
from stance.models.bundle import Origin, write_bundle
from stance.models.majority import Majority
from stance.models.tfidf import TfidfLinear
from stance.models.thresholds import Calibration
from stance.records import Example
from stance.tracking.registry import Terms, promote
from stance.tracking.rules import GateRules
from stance.tracking.runs import RunRecord, tracked_run
from stance.tracking.store import DATABASE

# The models of these tests are scored on what they learnt from, and uncalibrated.
LENIENT = Terms(rules=GateRules(floor=0, ece_excess=1, resamples=500))

ACTS = {
    "hosted talks with": ("engage",),
    "met envoys of": ("engage",),
    "condemned": ("oppose",),
    "fought": ("oppose",),
    "formally recognised": ("recognize",),
    "imposed sanctions on": ("sanction",),
}


@pytest.fixture(scope="session")
def book():
    return codebook.load()


@pytest.fixture(scope="session")
def examples(book):
    """Sentences of made-up news, six per document, with two actors."""
    made = []
    for number in range(72):
        verb, labels = list(ACTS.items())[number % 6]
        actor = ("Norway", "Chile")[number % 2]
        text = f"{actor} {verb} the Taliban on day {number}."
        at = text.index("Taliban")
        span = {"mention": actor, "start": 0, "end": len(actor), "targets": ((at, at + 7),)}
        made.append(Example(text, actor, doc_id=f"doc{number // 6}", index=number, labels=labels, **span))
    return made


@pytest.fixture
def store(tmp_path, monkeypatch, store_template):
    """A working directory with an empty store in it; the folder is returned."""
    shutil.copy(store_template, tmp_path / DATABASE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return tmp_path


@pytest.fixture(scope="session")
def evaluations(book, examples):
    """A fitted model and its evaluation, by kind: the linear one reads the verbs, the majority model does not."""
    labels = book.task("stance").labels
    found = {}
    for kind in (Majority, TfidfLinear):
        model = kind(labels, kind.Settings(), 1)
        model.fit(examples, [])
        calibration = Calibration.identity(len(labels))
        scores = model.predict_proba(examples)
        found[model.kind] = model, evaluate(examples, scores, calibration, labels, resamples=50)
    return found


@pytest.fixture(scope="session")
def record(book, examples, evaluations):
    """Record a run in the working directory's store as `stance train` does, and return its id."""

    def run_once(kind="majority", name=None, split="split-a", drawn=(), extra=()):
        model, evaluation = evaluations[kind]
        origin = Origin(task="stance", seed=1, split_digest=split, data_digest="data-a", metrics=evaluation.flat())
        calibration = Calibration.identity(len(model.labels))
        folder = write_bundle(Path(f"{kind}-bundle"), model, calibration, book, origin)
        config = {"model": {"kind": kind, "sizes": [1, 2]}, "seed": 1}
        with tracked_run(RunRecord(name or kind, "stance", kind, config, book, split, "data-a")) as run:
            run.log_data("train", examples)
            run.log_epoch(1, {"train_loss": 0.5, "broken": float("nan")})
            run.log_epoch(2, {"train_loss": 0.25})
            run.log_facts(model.describe())
            run.log_evaluation(evaluation, {name: figures(evaluation)[name] for name in drawn})
            run.log_bundle(folder)
            run.log_metrics(dict(extra))
        return run.id

    return run_once


@pytest.fixture
def train(store, record):
    """`record` in the test's own store."""
    return record


@pytest.fixture
def lenient():
    """Terms under which only the difference between two runs decides."""
    return LENIENT


@pytest.fixture(scope="session")
def played_folder(tmp_path_factory, store_template, record):
    folder = tmp_path_factory.mktemp("played")
    shutil.copy(store_template, folder / DATABASE)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        for kind in ("majority", "tfidf-linear"):
            promote("stance", record(kind, drawn=("confusion", "precision_recall")), terms=LENIENT)
    return folder


@pytest.fixture
def played(played_folder, monkeypatch):
    """A store with two promoted runs, `majority` (version 1, previous) and `tfidf-linear` (version 2, champion)."""
    monkeypatch.chdir(played_folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return played_folder
