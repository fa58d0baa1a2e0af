"""The page of a comparison: measures of drift enter; HTML leaves."""

from __future__ import annotations

from math import isfinite

from stance.evaluation.drift import VERDICTS, Drift, Measure
from stance.report.rendering import render
from stance.tracking.history import RunSummary

FAMILIES = {
    "prevalence": "Which labels the model gives",
    "confidence": "How sure the model is",
    "actors": "Who is spoken of",
    "text": "What is written",
}


def render_drift(drift: Drift, reference: RunSummary, task: str, file: str) -> str:
    """Return the page; `file` is the name of the new data."""
    values = {
        "title": f"Drift of {file}",
        "drift": drift,
        "reference": reference,
        "task": task,
        "file": file,
        "families": [(title, [m for m in drift.measures if m.family == key]) for key, title in FAMILIES.items()],
        "scale": max(1.0, *(m.effect / m.bound for m in drift.measures)) * 1.05,
        "verdicts": VERDICTS,
        "has_values": has_values,
    }
    return render("drift.html", values)


def has_values(measure: Measure) -> bool:
    """Tell whether a measure has a value of its own on both sides."""
    return isfinite(measure.reference + measure.new)
