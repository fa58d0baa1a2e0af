"""Filters over a project's tasks, in the words of Label Studio's Data Manager."""

from __future__ import annotations

from typing import Any

Filter = dict[str, Any]


def where(name: str, operator: str, kind: str, value: object) -> Filter:
    """Return one condition; `kind` is Label Studio's name of the column's type."""
    return {"filter": f"filter:tasks:{name}", "operator": operator, "type": kind, "value": value}


def together(*conditions: Filter) -> dict[str, Any]:
    """Return the filter for tasks that meet all conditions."""
    return {"conjunction": "and", "items": list(conditions)}


def examples(ids: list[str]) -> Filter:
    """Tasks that hold one of these examples."""
    return where("data.example_id", "in_list", "String", ids)


def predicted(version: str) -> Filter:
    """Tasks with a prediction of a model's version."""
    return where("predictions_model_versions", "contains", "String", version)


def changed_after(time: str) -> Filter:
    """Tasks changed later than a time in UTC, as `2026-11-22T02:31:56.527815Z`: the server fails on any other form."""
    return where("updated_at", "greater", "Datetime", time)


ANNOTATED = where("total_annotations", "greater", "Number", 0)
SKIPPED = where("cancelled_annotations", "greater", "Number", 0)
UNTOUCHED = (where("total_annotations", "equal", "Number", 0), where("cancelled_annotations", "equal", "Number", 0))
