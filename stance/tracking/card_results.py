"""The figures of a model card. What enters is `Evaluation.to_json()` and a run's metrics; what leaves is Markdown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

FEW = 30  # gold examples of a label in the test part, below which its score says little
SHOWN_SLICES = 8

_TYPES = {
    "macro_f1": ("f1", "macro-F1"),
    "micro_f1": ("f1", "micro-F1"),
    "exact_match": ("accuracy", "exact match of the label set"),
    "macro_average_precision": ("average_precision", "macro average precision"),
}
_PROBE = re.compile(r"probes\.(.+)\.failure_rate")


def index_metrics(evaluation: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the metrics of a Hub `model-index` result; `args` holds each one's 95% interval over documents."""
    metrics = []
    for name, row in evaluation["headline"].items():
        if row["estimate"] is not None:
            kind, title = _TYPES[name]
            bounds = {key: _round(row[key]) for key in ("low", "high") if row[key] is not None}
            metrics.append({"type": kind, "name": title, "value": _round(row["estimate"]), "args": bounds})
    for row in evaluation["per_label"]:
        for score in ("f1", "precision", "recall"):
            bounds = {
                key: _round(row[f"{score}_{key}"]) for key in ("low", "high") if row[f"{score}_{key}"] is not None
            }
            title = f"{'F1' if score == 'f1' else score} of {row['label']}"
            metrics.append({"type": score, "name": title, "value": _round(row[score]), "args": bounds})
    return metrics


def show_scores(evaluation: Mapping[str, Any]) -> str:
    """Return the overall scores and those per label, with intervals."""
    if not evaluation:
        return "## Results on the test part\n\nThe run logged no evaluation of the test part."
    overall = [(_TYPES[name][1], show_interval(row, "estimate")) for name, row in evaluation["headline"].items()]
    scores = ("f1", "precision", "recall", "average_precision")
    labels = [
        (f"`{row['label']}`", *(show_interval(row, score) for score in scores), row["support"])
        for row in evaluation["per_label"]
    ]
    return (
        "## Results on the test part\n\nIn brackets 95% bootstrap intervals over documents.\n\n"
        + show_table(("score", "value"), overall)
        + "\n\n"
        + show_table(("label", "F1", "precision", "recall", "average precision", "gold"), labels)
    )


def show_calibration(evaluation: Mapping[str, Any]) -> str:
    """Return what calibration, thresholds and abstaining do."""
    if not evaluation:
        return "## Calibration\n\nNot measured."
    rows = [
        (
            f"`{row['label']}`",
            row.get("method", "–"),
            show_number(row["threshold"]),
            f"{show_number(row['ece_before'])} → {show_number(row['ece_after'])}",
            show_number(row.get("ece_chance")),
            f"{show_number(row['brier_before'])} → {show_number(row['brier_after'])}",
        )
        for row in evaluation["calibration"]
    ]
    text = (
        "## Calibration\n\nFitted on validation, measured on test. ECE is the adaptive calibration error over bins of "
        "equal size; “by chance” is what true probabilities would show on as many examples.\n\n"
        + show_table(("label", "method", "threshold", "ECE", "by chance", "Brier"), rows)
    )
    if steps := evaluation.get("steps"):
        text += "\n\nWhat each step adds; “sure” answers only where the bar fixed on validation is reached.\n\n"
        text += show_table(
            ("step", "answered", "macro-F1", "exact match", "ECE", "Brier"), [_step(row) for row in steps]
        )
    return text


def _step(row: Mapping[str, Any]) -> tuple[str, ...]:
    scores = (show_interval(row[name], "estimate") for name in ("macro_f1", "exact_match"))
    return (row["step"], f"{row['coverage']:.0%}", *scores, show_number(row["ece"]), show_number(row["brier"]))


def show_slices(evaluation: Mapping[str, Any]) -> str:
    """Return the worst slices that are large enough, worst first, and how many were too small to rank."""
    slices = evaluation.get("slices", [])
    large = [each for each in slices if not each["too_small"]]
    rows = [
        (
            f"{each['kind']}: {each['value']}",
            show_interval(each["exact_match"], "estimate"),
            show_interval(each["macro_f1"], "estimate"),
            each["n"],
            each["n_documents"],
        )
        for each in large[:SHOWN_SLICES]
    ]
    if not rows:
        return "## Slices\n\nNo slice of the test part is large enough to be judged."
    return (
        "## Slices\n\nThe worst first, by exact match.\n\n"
        + show_table(("slice", "exact match", "macro-F1", "examples", "documents"), rows)
        + _small([each for each in slices if each["too_small"]])
    )


def _small(slices: Sequence[Mapping[str, Any]]) -> str:
    """The slices that cannot be ranked, the largest by name."""
    if not slices:
        return ""
    largest = sorted(slices, key=lambda each: -each["n"])[:SHOWN_SLICES]
    named = ", ".join(f"{each['kind']}: {each['value']} (n = {each['n']})" for each in largest)
    rest = len(slices) - len(largest)
    return f"\n\nToo small to rank: {named}{f', and {rest} more in the tables of the run' if rest else ''}."


def show_probes(metrics: Mapping[str, float]) -> str:
    """Return how often each probe fails, worst first."""
    rates = {match[1]: value for name, value in metrics.items() if (match := _PROBE.fullmatch(name))}
    if not rates:
        return "## Probes\n\nNo probes were run on this model."
    rows = []
    for name, rate in sorted(rates.items(), key=lambda each: (-each[1], each[0])):
        found = {key: metrics.get(f"probes.{name}.{key}") for key in ("low", "high")}
        n = metrics.get(f"probes.{name}.n")
        rows.append((name, show_interval({"estimate": rate, **found}, "estimate"), "–" if n is None else f"{n:.0f}"))
    return "## Probes\n\nThe share of changed sentences that the model gets wrong.\n\n" + show_table(
        ("probe", "failure rate", "cases"), rows
    )


def show_limits(evaluation: Mapping[str, Any]) -> str:
    """Return what a reader must not conclude from the figures above."""
    lines = [
        "- Measured on one kind of text only, that of its test part; other genres, languages and targets are not.",
        "- It codes what a sentence says, not whether it is true, and sees the neighbouring sentences at most.",
    ]
    rows = evaluation.get("per_label", [])
    if rows:
        worst = min(rows, key=lambda row: row["f1"])
        lines.append(f"- Weakest label: `{worst['label']}`, F1 {show_interval(worst, 'f1')}.")
    few = [f"`{row['label']}` ({row['support']})" for row in rows if row["support"] < FEW]
    if few:
        lines.append(f"- Under {FEW} gold examples in the test part, so that the score says little: {', '.join(few)}.")
    return "## Limits\n\n" + "\n".join(lines)


def show_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(columns) + " |", "|" + " --- |" * len(columns)]
    cells = [[str(cell).replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in cells])


def show_interval(row: Mapping[str, Any], name: str) -> str:
    """Return a score and its interval, `0.712 [0.650, 0.760]`; the score alone where there is no interval."""
    prefix = "" if name == "estimate" else f"{name}_"
    low, high = row.get(f"{prefix}low"), row.get(f"{prefix}high")
    bounds = "" if low is None or high is None else f" [{show_number(low)}, {show_number(high)}]"
    return show_number(row[name]) + bounds


def show_number(value: float | None) -> str:
    """Return three decimals, or a dash for nothing.

    >>> show_number(0.12345), show_number(None)
    ('0.123', '–')
    """
    return "–" if value is None else f"{value:.3f}"


def _round(value: float) -> float:
    return round(value, 4)
