"""One experiment, top to bottom: labelled examples enter; a tracked, evaluated and saved model leaves.

data → model → calibration and thresholds (validation) → evaluation (test) → bundle → MLflow run
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance import codebook as codebooks
from stance.codebook import Codebook
from stance.config import Experiment
from stance.dataset import from_file, load_examples
from stance.dataset.arrays import label_matrix
from stance.dataset.cache import cache_root
from stance.dataset.divisions import Division
from stance.models import catalogue
from stance.models.base import FitOptions, Model, Progress
from stance.models.bundle import Origin, write_bundle
from stance.models.thresholds import Calibration
from stance.records import Example

if TYPE_CHECKING:
    from stance.evaluation.calibration import CalibrationFit
    from stance.evaluation.probes import Probes
    from stance.evaluation.result import Evaluation
    from stance.tracking.runs import RunRecord

Parts = Mapping[str, list[Example]]


@dataclass(frozen=True)
class Trained:
    """What an experiment leaves behind. `run_id` is the MLflow run; `seconds` is the time that fitting took."""

    run_id: str
    evaluation: Evaluation
    seconds: float
    probes: Probes


@dataclass(frozen=True, eq=False)
class Parent:
    """The run that a training goes on from, and the examples by part that its data have beyond the experiment's."""

    run_id: str
    added: Parts


def train(experiment: Experiment, progress: Progress) -> Trained | None:
    """Run an experiment and track it; None in the helper processes of `accelerate launch`, which only compute.

    Raises StanceError for an unusable codebook, data file, model or store; a run that fails is marked so.
    """
    book = codebooks.load(experiment.codebook)
    return track(experiment, book, Division("document", read_parts(experiment, book)), progress)


def track(
    experiment: Experiment, book: Codebook, division: Division, progress: Progress, parent: Parent | None = None
) -> Trained | None:
    """Do what `train` does on parts that are given, and leave a page about the run in it.

    The model is kept only for the split by document, so that no other run can be promoted.
    """
    trained = _track(experiment, book, division, progress, parent)
    if trained is not None:
        from stance.report.pages import log_run

        log_run(trained.run_id)
    return trained


def _track(
    experiment: Experiment, book: Codebook, division: Division, progress: Progress, parent: Parent | None
) -> Trained | None:
    from stance.evaluation.plots import figures
    from stance.evaluation.probes import ask, build_probes
    from stance.models.classifier import Classifier
    from stance.tracking.runs import tracked_run

    parts = division.parts
    if os.environ.get("RANK", "0") != "0":
        fit(experiment, book, parts, progress)
        return None
    record = _record(experiment, book, division, parent)
    # Before fitting, so that a codebook's mistake does not show after hours; of one seed, so that runs compare.
    probes = build_probes(book, experiment.task, parts["test"])
    with tracked_run(record) as run:
        for part, examples in parts.items():
            run.log_data(part, examples)
        if parent:
            run.log_added(parent.added)

        def watch(state: dict[str, float]) -> None:
            progress(state)
            if "epoch" in state:
                facts = {key: value for key, value in state.items() if key not in ("done", "total", "epoch")}
                run.log_epoch(int(state["epoch"]), facts)

        started = time.perf_counter()
        model, fitted = fit_scored(experiment, book, parts, watch)
        calibration, seconds = fitted.calibration, time.perf_counter() - started
        evaluation, rate = evaluate_timed(model, calibration, parts["test"])
        run.log_metrics({"fit_seconds": seconds, "examples_per_second": rate, **fitted.flat("validation")})
        run.log_facts(model.describe())
        run.log_evaluation(evaluation, figures(evaluation))
        classifier = Classifier(model, calibration, book, experiment.task)
        run.log_probes(probed := ask(classifier, probes, lambda state: progress({"stage": 2, **state})))
        trained = Trained(run.id, evaluation, seconds, probed)
        if division.kind != "document":
            return trained
        origin = Origin(
            task=experiment.task,
            settings=experiment.model,
            seed=experiment.seed,
            split_digest=record.split_digest,
            data_digest=record.data_digest,
            metrics=evaluation.flat(),
        )
        with tempfile.TemporaryDirectory(prefix="stance-") as folder:
            run.log_bundle(write_bundle(Path(folder) / "bundle", model, calibration, book, origin))
    return trained


def _record(experiment: Experiment, book: Codebook, division: Division, parent: Parent | None) -> RunRecord:
    from stance.tracking.runs import RunRecord

    return RunRecord(
        name=experiment.name,
        task=experiment.task,
        kind=experiment.kind,
        config=experiment.model_dump(mode="json"),
        codebook=book,
        split_digest=division.digest,
        data_digest=data_digest(division.parts),
        split=division.kind,
        test_digest=data_digest({"test": division.parts["test"]}),
        since=parent.run_id if parent else "",
    )


def read_parts(experiment: Experiment, book: Codebook) -> Parts:
    """Return the experiment's labelled examples by part: the shipped corpus's fixed split, or the user's file split."""
    if experiment.data is None:
        return load_examples(experiment.task, codebook=book)
    return from_file(experiment.data, experiment.task, codebook=book, seed=experiment.seed)


def fit(experiment: Experiment, book: Codebook, parts: Parts, progress: Progress) -> tuple[Model, Calibration]:
    """Train on the train part; fix calibration and thresholds on the validation part. Test is never seen.

    Without validation examples nothing is calibrated, and a label is given from a probability of 0.5 on.
    """
    if not parts["validation"]:
        model = fit_model(experiment, book, parts, progress)
        return model, Calibration.identity(len(model.labels), book.task(experiment.task).exclusive)
    model, fitted = fit_scored(experiment, book, parts, progress)
    return model, fitted.calibration


def fit_scored(
    experiment: Experiment, book: Codebook, parts: Parts, progress: Progress
) -> tuple[Model, CalibrationFit]:
    """Do what `fit` does, and return with the calibration what it says of validation documents that it had not seen."""
    from stance.evaluation.calibration import cross_fit

    model = fit_model(experiment, book, parts, progress)
    validation = parts["validation"]
    groups = [example.cluster or example.doc_id for example in validation]
    gold = label_matrix(validation, model.labels)
    exclusive = book.task(experiment.task).exclusive
    return model, cross_fit(model.predict_proba(validation), gold, groups, seed=experiment.seed, exclusive=exclusive)


def fit_model(experiment: Experiment, book: Codebook, parts: Parts, progress: Progress) -> Model:
    """Train on the train part, steered by the validation part where there is one; calibrate nothing."""
    model = build(experiment, book)
    options: FitOptions = {"progress": progress, "checkpoints": cache_root() / "checkpoints"}
    model.fit(parts["train"], parts["validation"], **options)
    return model


def build(experiment: Experiment, book: Codebook) -> Model:
    """Return the untrained model that an experiment asks for."""
    task = book.task(experiment.task)
    kind = catalogue.find(experiment.kind)
    settings = catalogue.complete(experiment.kind, _with_weights(experiment.settings), task)
    model: Model = kind(task.labels, kind.Settings.model_validate(settings), experiment.seed)
    return model


def _with_weights(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings, with the folder in place of an encoder's name that stands for a tracked model (`runs:/…`)."""
    settings = dict(settings)
    if "members" in settings:
        settings["members"] = [_with_weights(member) for member in settings["members"]]
    if str(settings.get("name", "")).startswith(("runs:/", "models:/")):
        from stance.tracking.loading import fetch_bundle

        settings["name"] = str(fetch_bundle(settings["name"]))
    return settings


def evaluate_part(model: Model, calibration: Calibration, examples: list[Example]) -> Evaluation:
    """Return the evaluation of a model on labelled examples."""
    return evaluate_timed(model, calibration, examples)[0]


def evaluate_timed(model: Model, calibration: Calibration, examples: list[Example]) -> tuple[Evaluation, float]:
    """Return the evaluation of a model on labelled examples, and how many it scored per second."""
    from stance.evaluation.result import evaluate

    started = time.perf_counter()
    probabilities = model.predict_proba(examples)
    rate = len(examples) / max(time.perf_counter() - started, 1e-9)
    return evaluate(examples, probabilities, calibration, model.labels), rate


def data_digest(parts: Parts) -> str:
    """SHA-256 over every example's id and labels: two runs with the same digest saw the same data."""
    rows = sorted(f"{example.id}\t{' '.join(example.labels or ())}" for part in parts.values() for example in part)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
