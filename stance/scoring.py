"""Scores beyond the usual test part: other splits, other files, probes. A model or recipe enters; evaluations leave."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import stance
from stance import codebook as codebooks
from stance import config
from stance.codebook import Codebook
from stance.config import Experiment
from stance.dataset import check_overlap, divide, fixed_split, load_examples, read_examples, read_labelled, shipped
from stance.dataset.divisions import Division
from stance.errors import DataError
from stance.experiment import Trained, read_parts, track
from stance.models.base import Progress
from stance.models.classifier import Classifier
from stance.records import Example
from stance.tracking.origins import find_origin, read_added, read_config
from stance.tracking.store import open_store

if TYPE_CHECKING:
    from stance.evaluation.probes import Probes
    from stance.evaluation.result import Evaluation


def evaluate_split(
    experiment: Experiment, kind: str, progress: Progress, held_out: Sequence[str] = ()
) -> tuple[Division, Trained | None]:
    """Train on one side of a split and score on the other, with the code of `stance.experiment.train`.

    The run is tracked with the tag `stance.split` and keeps no model. Raises StanceError like `train`, and DataError
    for what cannot be divided so (see `stance.dataset.divide`).
    """
    book = codebooks.load(experiment.codebook)
    division = read_division(experiment, book, kind, held_out)
    return division, track(experiment, book, division, progress)


def champion_recipe(task: str, overrides: Sequence[str] = ()) -> Experiment:
    """Return the experiment that a task's champion (of the shipped codebook) was trained by, with `overrides`.

    Raises StoreError where there is no champion.
    """
    uri = f"models:/{codebooks.load().registered_model(task)}@champion"
    with open_store() as store:
        content = read_config(store, find_origin(store, uri))
    return config.change(config.validate(content, uri), overrides, uri)


def read_division(experiment: Experiment, book: Codebook, kind: str, held_out: Sequence[str] = ()) -> Division:
    """Return an experiment's examples, divided and checked; by document they are those of `stance train`."""
    if kind == "document" and not held_out:
        parts = read_parts(experiment, book)
        check_overlap(parts)
        return Division(kind, parts)
    if experiment.data is None:
        return divide(shipped.examples(experiment.task, book), kind, seed=experiment.seed, held_out=held_out)
    examples = read_labelled(experiment.data, experiment.task, book)
    try:
        return divide(examples, kind, seed=experiment.seed, held_out=held_out)
    except DataError as error:
        raise DataError(f"{experiment.data}: {error}") from error


def score_file(uri: str, path: str | Path) -> Evaluation:
    """Return the evaluation of a saved or registered model on a labelled file (.jsonl or .parquet).

    Raises DataError for a bad file, and for one that shares a document, or a copy of one, with the shipped examples
    that the model was made from, or with those that it was trained on with later; StoreError or BundleError for the
    model.
    """
    from stance.evaluation.result import evaluate

    classifier = stance.load(uri)
    examples = read_labelled(path, classifier.task, classifier.codebook)
    _refuse_known(classifier, uri, examples, str(path))
    return evaluate(examples, classifier.model.predict_proba(examples), classifier.calibration, classifier.labels)


def probe_model(uri: str, progress: Progress, path: str | Path | None = None, only: Sequence[str] = ()) -> Probes:
    """Return what a saved or registered model answers to its codebook's probes.

    The sentences to change are those of the file `path`, or the shipped test part if the model is of the shipped
    codebook; another codebook without a file is asked only its own pairs.
    """
    from stance.evaluation.probes import ask, build_probes

    classifier = stance.load(uri)
    book, task = classifier.codebook, classifier.task
    examples: Sequence[Example] = ()
    if path is not None:
        examples = read_examples(path, book.task(task))
    elif book.name == codebooks.load().name and task in shipped.TASKS:
        examples = load_examples(task, "test")["test"]
    probes = build_probes(book, task, examples, only=only)
    if not probes:
        raise DataError(f"codebook {book.name} has no probes for the task {task}; give sentences to change with --data")
    return ask(classifier, probes, progress)


def _refuse_known(classifier: Classifier, uri: str, examples: list[Example], where: str) -> None:
    manifest = classifier.manifest
    known = []
    if manifest is not None and manifest.split_digest == fixed_split().digest:
        parts = load_examples(classifier.task, codebook=classifier.codebook)
        known = [*parts["train"], *parts["validation"]]
    if uri.startswith(("models:", "runs:")):
        with open_store() as store:
            added = read_added(store, find_origin(store, uri))
        known += [example for part in added.values() for example in part]
    if known:
        check_overlap({"the training data": known, where: examples})
