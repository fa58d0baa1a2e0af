"""The page of one run: what the run holds enters; HTML leaves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from stance.evaluation.result import Evaluation
from stance.report.drawings import draw_coverage, draw_labels
from stance.report.rendering import render
from stance.report.restoring import restore
from stance.tracking.contents import RunContents
from stance.tracking.history import RunSummary

MOST_ERRORS = 2000
FEW = 30  # gold examples of a label, below which its score says little
TITLES = {
    "macro_f1": "Macro-F1",
    "micro_f1": "Micro-F1",
    "exact_match": "Exact match",
    "macro_average_precision": "Macro average precision",
}


def render_run(contents: RunContents) -> str:
    """Return the page of a run; what the run did not log is said to be missing."""
    content, frame = contents.evaluation, contents.predictions
    evaluation = restore(content, frame) if content and frame is not None and len(frame) else None
    examples = group_errors(contents.errors)
    values = {
        "title": contents.run.name,
        "facts": describe(contents.run),
        "described": json.dumps(contents.facts, indent=1, ensure_ascii=False),
        "contents": contents,
        "evaluation": content,
        "titles": TITLES,
        "warnings": tuple(_warnings(content)),
        "few": FEW,
        "confusions": confusions(evaluation) if evaluation else (),
        "cooccurrence": cooccurrence(evaluation) if evaluation else None,
        "drawings": draw_labels(evaluation) if evaluation else {},
        "coverage": draw_coverage(evaluation) if evaluation and evaluation.coverage else None,
        "probes": [probe | {"failures": _failures(contents, probe["name"])} for probe in contents.probes],
        "errors": examples[:MOST_ERRORS],
        "n_errors": len(examples),
    }
    return render("run.html", values)


def describe(run: RunSummary) -> dict[str, str]:
    """Return what a run is, as a page shows it: moment in UTC, minutes, kit, commit and package versions."""
    tags = run.tags
    commit = tags.get("git_commit", "")[:12]
    return {
        "task": tags.get("task", ""),
        "kind": tags.get("kind", ""),
        "split": tags.get("split", ""),
        "codebook": tags.get("codebook", ""),
        "started": f"{datetime.fromtimestamp(run.started / 1000, UTC):%Y-%m-%d %H:%M} UTC",
        "minutes": "" if run.ended is None else f"{(run.ended - run.started) / 60_000:.1f}",
        "status": run.status.lower(),
        "kit": tags.get("kit_version", ""),
        "commit": commit + (" with changes" if commit and tags.get("git_dirty") == "true" else ""),
        "packages": ", ".join(
            f"{name.removeprefix('package.')} {version}"
            for name, version in sorted(tags.items())
            if name.startswith("package.")
        ),
    }


def group_errors(rows: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one entry per wrongly coded example, most surprising first, from rows of one wrong label each.

    `wrong` holds the rows' `label`, `kind` and calibrated `p`; the other keys are those of `ErrorRow`.
    """
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        entry = found.setdefault(row["id"], {**row, "wrong": []})
        p = row.get(f"p_{row['label']}")
        entry["wrong"].append({"label": row["label"], "kind": row["kind"], "p": p})
    return list(found.values())


def confusions(evaluation: Evaluation) -> tuple[dict[str, Any], ...]:
    """Return the four counts per label: `hits`, `missed`, `spurious` and `rest`."""
    gold, given = evaluation.gold.astype(bool), evaluation.predicted
    return tuple(
        {
            "label": label,
            "hits": int((gold[:, j] & given[:, j]).sum()),
            "missed": int((gold[:, j] & ~given[:, j]).sum()),
            "spurious": int((~gold[:, j] & given[:, j]).sum()),
            "rest": int((~gold[:, j] & ~given[:, j]).sum()),
        }
        for j, label in enumerate(evaluation.labels)
    )


def cooccurrence(evaluation: Evaluation) -> dict[str, Any]:
    """Return how often a gold label met each predicted one, "none" for the empty set, with each gold label's total.

    An example with several labels counts in several cells.
    """
    import numpy as np

    gold, given = evaluation.gold.astype(bool), evaluation.predicted
    gold, given = (np.column_stack([each, ~each.any(axis=1)]) for each in (gold, given))
    table, totals = gold.astype(int).T @ given.astype(int), gold.sum(axis=0)
    names = [*evaluation.labels, "none"]
    rows = [
        {"label": name, "n": int(totals[i]), "cells": [{"n": int(n), "share": n / max(totals[i], 1)} for n in table[i]]}
        for i, name in enumerate(names)
    ]
    return {"labels": names, "rows": rows}


def _failures(contents: RunContents, name: str) -> list[dict[str, Any]]:
    return [row for row in contents.failures if row["probe"] == name]


def _warnings(content: Mapping[str, Any]) -> Iterable[str]:
    """What a reader must know before any figure."""
    if not content:
        return
    labels = content["per_label"]
    worst = min(labels, key=lambda row: row["f1"])
    yield f"The weakest label is {worst['label']}, F1 {worst['f1']:.3f}."
    few = [f"{row['label']} ({row['support']})" for row in labels if row["support"] < FEW]
    if few:
        yield f"Under {FEW} gold examples in the test part, so that the score says little: {', '.join(few)}."
    ranked = [row for row in content.get("slices", []) if not row["too_small"]]
    if ranked:
        slice_ = ranked[0]
        match = slice_["exact_match"]["estimate"]
        yield f"The worst slice is {slice_['kind']}: {slice_['value']}, exact match {match:.3f}, n = {slice_['n']}."
