"""Which model predicted. Predictions and bundles enter; error rates by task leave, or the reason why there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from stance import codebook
from stance.codebook import Codebook
from stance.errors import BundleError, DataError, StoreError
from stance.models.bundle import Bundle, read_bundle
from stance.report.analysis.error_rates import ErrorRates, check_source, read_rates
from stance.report.analysis.predictions import PredictedTask, Predictions

NO_MODEL = (
    "no model was given and none is registered as champion, so its error rates are not known; name it with --model."
)
OTHER_MODEL = (
    "the present champion is not the model that predicted (its thresholds give other labels); name that with --model."
)
UNTESTED = "the model's bundle holds no test scores."
LEFT_OPEN = "the model answered only where it was sure, and its error rates are known only for all answers."
NOT_USABLE = "no label's hits and false alarms lie far enough apart to correct by."


@dataclass(frozen=True)
class Correction:
    """Error rates by task and label; for every other task the reason, as the end of a sentence."""

    rates: Mapping[str, Mapping[str, ErrorRates]] = field(default_factory=dict)
    uncorrected: Mapping[str, str] = field(default_factory=dict)


def find_correction(predictions: Predictions, bundles: Sequence[Bundle], guessed: bool = False) -> Correction:
    """Return what counts can be corrected by.

    A bundle that did not make the predictions raises DataError; where the bundles were `guessed` (the champions), its
    task stays uncorrected instead. So does a task coded by no bundle.
    """
    by_task = {bundle.manifest.task: bundle for bundle in bundles}
    if not guessed and (unknown := sorted(set(by_task) - {task.name for task in predictions.tasks})):
        raise DataError(f"the model of '{unknown[0]}' did not make these predictions: they hold no such task")
    rates, uncorrected = {}, {}
    for task in predictions.tasks:
        found = _of_task(predictions, task, by_task.get(task.name), guessed)
        if isinstance(found, str):
            uncorrected[task.name] = found
        else:
            rates[task.name] = found
    return Correction(rates, uncorrected)


def read_champions(book: Codebook) -> list[Bundle]:
    """Return the champions of a codebook's tasks; none where there is no store or no champion."""
    from stance.tracking.loading import fetch_bundle

    found = []
    for task in book.tasks:
        try:
            found.append(read_bundle(fetch_bundle(f"models:/{book.registered_model(task)}@champion")))
        except (StoreError, BundleError):  # the report says that counts are uncorrected, and why
            continue
    return found


def fitting_book(predictions: Predictions) -> Codebook | None:
    """Return the shipped codebook if the predictions' tasks and labels are its own, else None."""
    book = codebook.load()
    fits = all(task.name in book.tasks and book.tasks[task.name].labels == task.labels for task in predictions.tasks)
    return book if fits and predictions.tasks else None


def _of_task(
    predictions: Predictions, task: PredictedTask, bundle: Bundle | None, guessed: bool
) -> Mapping[str, ErrorRates] | str:
    if bundle is None:
        return NO_MODEL
    sure = f"{task.name}.sure"
    if sure in predictions.frame and predictions.frame[sure].eq(False).any():
        return LEFT_OPEN
    try:
        check_source(predictions, task, bundle)
    except DataError:
        if guessed:
            return OTHER_MODEL
        raise
    rates = read_rates(bundle)
    if not rates:
        return UNTESTED
    return rates if any(each.usable for each in rates.values()) else NOT_USABLE
