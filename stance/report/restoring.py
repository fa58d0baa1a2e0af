"""An evaluation as its run stored it: JSON and a table of predictions enter; an `Evaluation` to draw from leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from math import nan
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from stance.evaluation.abstention import Abstaining, CoveragePoint
from stance.evaluation.bootstrap import Interval
from stance.evaluation.metrics import LabelScore, score_overall
from stance.evaluation.reliability import CalibrationRow
from stance.evaluation.result import Evaluation

if TYPE_CHECKING:
    import pandas as pd

Record = TypeVar("Record")


def restore(content: Mapping[str, Any], predictions: pd.DataFrame) -> Evaluation:
    """Return the evaluation that a run stored (`Evaluation.to_json` and `.prediction_frame`) without its texts.

    `examples`, `errors`, `slices` and `steps` are empty, so only scores and figures can be taken from it. Numbers that
    an older kit did not store are nan.
    """
    labels = tuple(content["labels"])
    gold, predicted, probabilities = read_arrays(predictions, labels)
    return Evaluation(
        labels=labels,
        n_examples=content["n_examples"],
        n_documents=content["n_documents"],
        overall=score_overall(gold, predicted, probabilities),
        label_scores=tuple(_record(LabelScore, row) for row in content["per_label"]),
        intervals=_intervals(content),
        calibration=tuple(_record(CalibrationRow, row) for row in content["calibration"]),
        slices=(),
        steps=(),
        abstaining=tuple(
            replace(_record(Abstaining, row), accuracy=_record(Interval, row["accuracy"]))
            for row in content.get("abstaining", [])
        ),
        coverage=tuple(_record(CoveragePoint, row) for row in content.get("coverage", [])),
        errors=(),
        examples=(),
        units=tuple(predictions["unit"]),
        gold=gold,
        predicted=predicted,
        probabilities=probabilities,
    )


def read_arrays(frame: pd.DataFrame, labels: Sequence[str]) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return gold (int8), decisions (bool) and calibrated probabilities, each `(n_examples, n_labels)`."""
    gold, predicted = (
        np.array([[label in given for label in labels] for given in frame[column]], dtype=bool).reshape(-1, len(labels))
        for column in ("gold", "predicted")
    )
    return gold.astype(np.int8), predicted, frame[[f"p_{label}" for label in labels]].to_numpy(np.float64)


def only_label(evaluation: Evaluation, j: int) -> Evaluation:
    """Return the evaluation of the label at place `j` alone, for a figure of one panel."""
    return replace(
        evaluation,
        labels=evaluation.labels[j : j + 1],
        label_scores=evaluation.label_scores[j : j + 1],
        calibration=evaluation.calibration[j : j + 1],
        gold=evaluation.gold[:, [j]],
        predicted=evaluation.predicted[:, [j]],
        probabilities=evaluation.probabilities[:, [j]],
    )


def _record(kind: type[Record], row: Mapping[str, Any]) -> Record:
    names = [each.name for each in fields(kind)]  # type: ignore[arg-type]
    return kind(**{name: nan if row.get(name) is None else row[name] for name in names})


def _intervals(content: Mapping[str, Any]) -> dict[str, Interval]:
    found = {name: _record(Interval, row) for name, row in content["headline"].items()}
    for row in content["per_label"]:
        for score in ("precision", "recall", "f1", "average_precision"):
            bounds = {"estimate": row[score], "low": row.get(f"{score}_low"), "high": row.get(f"{score}_high")}
            found[f"{row['label']}.{score}"] = _record(Interval, bounds | {"method": ""})
    return found
