"""Drift, top to bottom: a run and newly predicted data enter; measures, a verdict and an MLflow run leave.

    run → its model, train part, test predictions ┐
    new predictions, or examples → the same model ┴→ `stance.evaluation.drift` → verdict → MLflow

The run's test part says how the model answers on what it has not learnt from, its train part what it has learnt from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stance.codebook import Codebook
from stance.errors import DataError, StoreError
from stance.evaluation.drift import DEFAULT, Drift, Plan, Rows, measure_drift
from stance.evaluation.slices import resampling_unit
from stance.lineage import Lineage, read_lineage
from stance.models.base import Progress
from stance.models.bundle import Bundle
from stance.models.classifier import Classifier
from stance.models.thresholds import confidence
from stance.records import Example
from stance.tracking.history import RunSummary
from stance.tracking.store import open_store

BATCH = 1024


@dataclass(frozen=True)
class Monitored:
    """A comparison and what was compared: the reference run, the file with its SHA-256, and the codebook."""

    drift: Drift
    run: RunSummary
    task: str
    file: Path
    file_digest: str
    codebook: Codebook


def monitor(
    reference: str, file: str | Path, progress: Progress, task: str | None = None, plan: Plan = DEFAULT
) -> Monitored:
    """Return how far a file of predictions (`stance predict -o`) or examples is from the data of a run.

    The run is given as in `read_lineage`; `task` chooses between runs of one name. Examples are first predicted by the
    run's own model; predictions must be that model's. Documents that the run was trained or tested on are left out.
    Raises StanceError for a run that cannot be rebuilt, predictions of another model, and too few documents.
    """
    file = Path(file)
    lineage = read_lineage(reference, task)
    tested = _read_tested(lineage)
    new, documents = read_new(file, lineage.bundle, progress)
    known = {example.doc_id for examples in lineage.parts.values() for example in examples} - {""}
    fresh = np.array([document not in known for document in documents], dtype=bool)
    if not fresh.any():
        raise DataError(f"{file}: all {len(set(documents))} documents are the run's own data; give others")
    drift = measure_drift(_learnt(lineage), tested, new.take(fresh), lineage.bundle.manifest.labels, plan)
    if not fresh.all():
        left = len({document for document, yes in zip(documents, fresh, strict=True) if not yes})
        drift = replace(drift, notes=(f"{left} documents are the run's own data and were left out", *drift.notes))
    task_name = lineage.bundle.manifest.task
    return Monitored(drift, lineage.run, task_name, file, _digest(file), lineage.bundle.codebook)


def read_new(file: Path, bundle: Bundle, progress: Progress) -> tuple[Rows, Sequence[str]]:
    """Return the rows of new data that the bundle's task asks of, with its answers, and the document of each row.

    Raises DataError for a file without such rows, and for predictions that the bundle did not make.
    """
    from stance.streaming.example_rows import looks_like_examples

    if looks_like_examples(file):
        return _read_examples(file, bundle, progress)
    from stance.report.analysis.error_rates import check_source
    from stance.report.analysis.predictions import read_predictions

    found = read_predictions(file, bundle.codebook)
    name = bundle.manifest.task
    task = next((each for each in found.tasks if each.name == name), None)
    if task is None:
        raise DataError(f"{file}: holds no predictions of '{name}'; predict with the run's model, or name another run")
    check_source(found, task, bundle)
    frame = found.frame
    frame = frame[frame["actor"].notna()] if task.per_actor else frame.drop_duplicates(["doc_id", "index"])
    chances = frame[[f"{name}.{label}" for label in task.labels]].to_numpy(dtype=float)
    if not len(frame) or not np.isfinite(chances).all():
        raise DataError(f"{file}: {'no row has' if not len(frame) else 'some rows lack'} an answer for '{name}'")
    actors = tuple(frame["actor"].tolist()) if task.per_actor else ()
    rows = Rows(tuple(frame["unit"].tolist()), tuple(frame["text"].tolist()), actors, *_decide(chances, bundle))
    return rows, frame["doc_id"].tolist()


def _read_examples(file: Path, bundle: Bundle, progress: Progress) -> tuple[Rows, Sequence[str]]:
    from stance.dataset.files import read_examples

    per_actor = bundle.codebook.task(bundle.manifest.task).unit == "actor"
    examples = [one for one in read_examples(file) if one.actor or not per_actor]
    if not per_actor:  # `stance ingest` writes a sentence once for each of its actors
        examples = list({(one.doc_id, one.index, one.text): one for one in examples}.values())
        examples = [replace(one, actor=None, mention=None, start=None, end=None) for one in examples]
    if not examples:
        raise DataError(f"{file}: no example has what the task '{bundle.manifest.task}' asks of")
    classifier = Classifier(bundle.load_model(), bundle.calibration, bundle.codebook, bundle.manifest.task)
    answers = []
    for start in range(0, len(examples), BATCH):
        answers.append(classifier.predict_proba(examples[start : start + BATCH]))
        progress({"done": min(start + BATCH, len(examples)), "total": len(examples)})
    given, sure = _decide(np.concatenate(answers), bundle)
    return replace(_written(examples, per_actor), given=given, confidence=sure), [one.doc_id for one in examples]


def _learnt(lineage: Lineage) -> Rows:
    task = lineage.bundle.codebook.task(lineage.bundle.manifest.task)
    return _written(lineage.parts["train"], task.unit == "actor")


def _written(examples: Iterable[Example], per_actor: bool) -> Rows:
    rows = list(examples)
    actors = tuple(one.actor or "" for one in rows) if per_actor else ()
    return Rows(tuple(map(resampling_unit, rows)), tuple(one.text for one in rows), actors)


def _read_tested(lineage: Lineage) -> Rows:
    from stance.tracking.history import read_predictions

    with open_store() as store:
        frame = read_predictions(store, lineage.run)
    if frame is None:
        raise StoreError(f"the run '{lineage.run.name}' logged no test predictions (an older kit's); train it again")
    chances = frame[[f"p_{label}" for label in lineage.bundle.manifest.labels]].to_numpy(dtype=float)
    given, sure = _decide(chances, lineage.bundle)
    return Rows(tuple(frame["unit"].tolist()), given=given, confidence=sure)


def _decide(chances: NDArray[np.float64], bundle: Bundle) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    given = bundle.calibration.decide(chances)
    return given, confidence(chances, given)


def _digest(path: Path) -> str:
    """The SHA-256 of a file; of a folder, that of its files' contents one after the other."""
    from stance.report.analysis.predictions import parquet_files

    digest = hashlib.sha256()
    for file in parquet_files(path):
        with file.open("rb") as handle:
            hashlib.file_digest(handle, lambda: digest)
    return digest.hexdigest()
