"""One evaluation of one model on one labelled part: examples and raw probabilities enter; a frozen record leaves.

Everything that the run, the gate, the card and the figures need is computed here once, from the same decisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

import numpy as np
from numpy.typing import NDArray

from stance.dataset.arrays import label_matrix
from stance.evaluation.abstention import Abstaining, CoveragePoint, coverage_curve, score_abstaining
from stance.evaluation.bootstrap import Interval, Resampling, ranking_intervals, score_intervals
from stance.evaluation.metrics import LabelScore, OverallScores, check_shapes, score_labels, score_overall
from stance.evaluation.mistakes import ErrorRow, chosen_labels, list_errors
from stance.evaluation.reliability import CalibrationRow, calibration_table
from stance.evaluation.slices import Slice, resampling_unit, score_slices, slice_values
from stance.evaluation.steps import Step, score_steps
from stance.models.thresholds import Calibration
from stance.records import Example

if TYPE_CHECKING:
    import pandas as pd

HEADLINE = ("macro_f1", "micro_f1", "exact_match", "macro_average_precision")


class ResamplingOptions(TypedDict, total=False):
    """What `evaluate` may be told about its bootstrap; defaults as in `Resampling`."""

    seed: int
    resamples: int
    level: float


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Scores of a model, with 95% intervals over documents. Rows are the examples' order, columns label order.

    `intervals` has the names of `flat`. `gold` (int8), `predicted` (bool) and `probabilities` (calibrated, float64)
    have shape `(n_examples, n_labels)`. `units` names what was drawn as a whole, per row (near-duplicate clusters of
    documents), and `n_documents` counts them.
    """

    labels: tuple[str, ...]
    n_examples: int
    n_documents: int
    overall: OverallScores
    label_scores: tuple[LabelScore, ...]
    intervals: dict[str, Interval]
    calibration: tuple[CalibrationRow, ...]
    slices: tuple[Slice, ...]
    steps: tuple[Step, ...]
    abstaining: tuple[Abstaining, ...]
    coverage: tuple[CoveragePoint, ...]
    errors: tuple[ErrorRow, ...]
    examples: tuple[Example, ...] = field(repr=False)
    units: tuple[str, ...] = field(repr=False)
    gold: NDArray[Any] = field(repr=False)
    predicted: NDArray[Any] = field(repr=False)
    probabilities: NDArray[Any] = field(repr=False)

    @property
    def macro_f1(self) -> Interval:
        """The headline: mean F1 over all labels."""
        return self.intervals["macro_f1"]

    def flat(self, prefix: str = "test") -> dict[str, float]:
        """Return metrics by names legal in MLflow, such as `test.macro_f1`, `test.engage.f1` and `test.engage.f1.low`.

        Values that are not finite (an interval of a single document) are left out.
        """
        values: dict[str, float] = {"n_examples": self.n_examples, "n_documents": self.n_documents}
        for name, interval in self.intervals.items():
            values |= {name: interval.estimate, f"{name}.low": interval.low, f"{name}.high": interval.high}
        for score, row in zip(self.label_scores, self.calibration, strict=True):
            values |= {f"{score.label}.support": score.support, f"{score.label}.threshold": row.threshold}
            values |= {f"{score.label}.ece": row.ece_after, f"{score.label}.brier": row.brier_after}
            values |= {f"{score.label}.ece_excess": row.ece_excess}
        for each in self.abstaining:
            values |= {f"sure_{each.sure:g}.coverage": each.coverage, f"sure_{each.sure:g}.n": each.n}
            values |= {f"sure_{each.sure:g}.accuracy": each.accuracy.estimate}
        return {f"{prefix}.{name}": float(value) for name, value in values.items() if isfinite(value)}

    def to_json(self) -> dict[str, Any]:
        """Return all scores and tables as a JSON-ready mapping; undefined numbers are None, errors are only counted."""
        content = {
            "labels": self.labels,
            "n_examples": self.n_examples,
            "n_documents": self.n_documents,
            "n_errors": len(self.errors),
            "headline": {name: asdict(self.intervals[name]) for name in HEADLINE},
            "per_label": _records(self.label_frame()),
            "calibration": [asdict(row) for row in self.calibration],
            "steps": [asdict(row) for row in self.steps],
            "abstaining": [asdict(row) for row in self.abstaining],
            "coverage": [asdict(row) for row in self.coverage],
            "slices": [asdict(row) for row in self.slices],
        }
        return dict(_plain(content))

    def headline_frame(self) -> pd.DataFrame:
        """Return one row per overall score: `score`, `estimate`, `low`, `high`, `method`."""
        return _frame({"score": name, **asdict(self.intervals[name])} for name in HEADLINE)

    def label_frame(self) -> pd.DataFrame:
        """Return one row per label, with `<score>_low` and `<score>_high` after each score that has an interval."""
        rows = []
        for score in self.label_scores:
            row: dict[str, Any] = {}
            for name, value in asdict(score).items():
                row[name] = value
                if interval := self.intervals.get(f"{score.label}.{name}"):
                    row |= {f"{name}_low": interval.low, f"{name}_high": interval.high}
            rows.append(row)
        return _frame(rows)

    def calibration_frame(self) -> pd.DataFrame:
        """Return one row per label: what calibration changed, before and after."""
        return _frame(asdict(row) for row in self.calibration)

    def slice_frame(self) -> pd.DataFrame:
        """Return one row per slice, worst first and small ones last; `low` and `high` follow each score."""
        rows = []
        for each in self.slices:
            row: dict[str, Any] = {"kind": each.kind, "value": each.value, "n": each.n, "n_documents": each.n_documents}
            row["labels"] = ", ".join(each.labels)
            rows.append(row | _spread(each, "macro_f1", "exact_match") | {"too_small": each.too_small})
        return _frame(rows)

    def step_frame(self) -> pd.DataFrame:
        """Return one row per step after the model (calibration, thresholds, abstention), with what it reaches."""
        rows = []
        for each in self.steps:
            row: dict[str, Any] = {"step": each.step, "coverage": each.coverage, "n": each.n}
            row |= _spread(each, "macro_f1", "micro_f1", "exact_match")
            rows.append(row | {"ece": each.ece, "brier": each.brier})
        return _frame(rows)

    def coverage_frame(self) -> pd.DataFrame:
        """Return the coverage-accuracy curve: `coverage`, the `confidence` that it takes, and `accuracy`."""
        return _frame(asdict(point) for point in self.coverage)

    def prediction_frame(self) -> pd.DataFrame:
        """Return one row per example: `id`, `doc_id`, `unit` (drawn as a whole), `actor`, `gold` and `predicted` (lists
        of labels), a calibrated `p_<label>` per label, and the value of every kind of slice (`slice_<kind>`). Paired
        comparisons need it; it holds no text."""
        columns = {
            "id": [example.id for example in self.examples],
            "doc_id": [example.doc_id for example in self.examples],
            "unit": list(self.units),
            "actor": [example.actor for example in self.examples],
            "gold": [list(chosen_labels(row, self.labels)) for row in self.gold],
            "predicted": [list(chosen_labels(row, self.labels)) for row in self.predicted],
        }
        import pandas as pd

        chances = {f"p_{label}": self.probabilities[:, j] for j, label in enumerate(self.labels)}
        groups = {f"slice_{kind}": values for kind, values in slice_values(self.examples, self.gold).items()}
        return pd.DataFrame(columns | chances | groups)

    def error_frame(self) -> pd.DataFrame:
        """Return one row per wrong label, most surprising first, with a `p_<label>` column per label."""
        rows = []
        for error in self.errors:
            row = asdict(error)
            chances = row.pop("probabilities")
            row |= {"gold": ", ".join(error.gold) or "none", "predicted": ", ".join(error.predicted) or "none"}
            rows.append(row | {f"p_{label}": chances[j] for j, label in enumerate(self.labels)})
        columns = [name for name in ErrorRow.__dataclass_fields__ if name != "probabilities"]
        return _frame(rows, [*columns, *(f"p_{label}" for label in self.labels)])


def evaluate(
    examples: Sequence[Example],
    probabilities: NDArray[Any],
    calibration: Calibration,
    labels: Sequence[str],
    **resampling: Unpack[ResamplingOptions],
) -> Evaluation:
    """Evaluate a model's raw `probabilities`, shape `(n_examples, n_labels)`, against the examples' gold labels.

    Columns are in the order of `labels`. Options: `seed`, `resamples` (of the bootstrap), `level` (of intervals).
    Raises DataError for no examples, an unlabelled example, an unknown label, or shapes that differ.
    """
    plan = Resampling(**resampling)
    gold = label_matrix(examples, labels)
    raw = np.asarray(probabilities, dtype=np.float64)
    check_shapes(gold, raw)
    calibrated = calibration.apply(raw)
    predicted = calibration.decide(calibrated)
    documents = [resampling_unit(example) for example in examples]
    ranking = ranking_intervals(gold, calibrated, documents, labels, plan)
    return Evaluation(
        labels=tuple(labels),
        n_examples=len(examples),
        n_documents=len(set(documents)),
        overall=score_overall(gold, predicted, calibrated),
        label_scores=score_labels(gold, predicted, calibrated, labels),
        intervals=score_intervals(gold, predicted, documents, labels, plan) | ranking,
        calibration=calibration_table(raw, gold, calibration, labels),
        slices=score_slices(examples, gold, predicted, labels, plan),
        steps=score_steps(raw, gold, calibration, documents, plan),
        abstaining=score_abstaining(calibrated, gold, calibration, documents, plan),
        coverage=coverage_curve(calibrated, predicted, gold),
        errors=list_errors(examples, gold, calibrated, predicted, labels),
        examples=tuple(examples),
        units=tuple(documents),
        gold=gold,
        predicted=predicted,
        probabilities=calibrated,
    )


def _spread(row: object, *names: str) -> dict[str, float]:
    """The intervals of a record as columns: `<name>`, `<name>_low` and `<name>_high`."""
    found: dict[str, float] = {}
    for name in names:
        interval: Interval = getattr(row, name)
        found |= {name: interval.estimate, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return found


def _frame(rows: Iterable[dict[str, Any]], columns: list[str] | None = None) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(list(rows), columns=columns)


def _records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    return frame.to_dict(orient="records")


def _plain(value: Any) -> Any:
    """Turn tuples into lists and numbers that JSON lacks into None."""
    if isinstance(value, dict):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value
