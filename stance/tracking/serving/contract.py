"""What the service asks and answers, as OpenAPI 3.1. A loaded model enters; its document leaves.

The document is exact enough for a program to make requests from, good ones and bad ones: the fuzz test does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stance.tracking.serving.rows import LONGEST
from stance.version import __version__

if TYPE_CHECKING:
    from stance.tracking.serving.champion import Live

_ERRORS = {
    400: "The rows cannot be used; the message names the row, counted from 0, and the column.",
    401: "The token is missing or wrong.",
    405: "The path takes another method.",
    413: "Too many rows or bytes.",
    415: "The content type is neither JSON nor CSV.",
}


def describe(live: Live, rows: int, guarded: bool) -> dict[str, Any]:
    """Return the document for a model, at most so many `rows` per request, `guarded` by a token or not."""
    document: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": f"stance serve: {live.task}",
            "version": __version__,
            "description": f"MLflow's scoring protocol on {live.version}.",
        },
        "paths": {
            "/invocations": {"post": _invocations(live, rows)},
            "/health": {"get": _plain("Says that the service holds a model.")},
            "/ping": {"get": _plain("The same as /health.")},
            "/version": {"get": _plain("MLflow's version.")},
        },
        "components": {
            "schemas": {
                "Row": _row(live),
                "Prediction": _prediction(live),
                "Error": {
                    "type": "object",
                    "properties": {"error": {"type": "string"}},
                    "required": ["error"],
                    "additionalProperties": False,
                },
            }
        },
    }
    if guarded:
        document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        document["security"] = [{"token": []}]
    return document


def _invocations(live: Live, rows: int) -> dict[str, Any]:
    table = {"type": "array", "items": {"$ref": "#/components/schemas/Row"}, "maxItems": rows}
    forms = [
        {"type": "object", "properties": {form: table}, "required": [form], "additionalProperties": False}
        for form in ("dataframe_records", "instances", "inputs")
    ]
    found = {
        "type": "object",
        "properties": {"predictions": {"type": "array", "items": {"$ref": "#/components/schemas/Prediction"}}},
        "required": ["predictions"],
    }
    row = {name: f"a {name}" for name in live.columns.required}
    body = {"schema": {"anyOf": forms}, "example": {"dataframe_records": [row]}}
    return {
        "summary": f"At most {rows} rows into one prediction each, in their order.",
        "description": "Also takes dataframe_split, inputs by column, and text/csv with a first line of names.",
        "requestBody": {"required": True, "content": {"application/json": body}},
        "responses": {
            "200": {"description": "One prediction per row.", "content": {"application/json": {"schema": found}}},
            **_errors(),
        },
    }


def _row(live: Live) -> dict[str, Any]:
    # Not blank, as Python sees it: its blanks are more than those of `\s` in a JSON Schema.
    filled = {"type": "string", "pattern": r"[^\s\u001c-\u001f\u0085]", "maxLength": LONGEST}
    optional = {"type": ["string", "null"], "maxLength": LONGEST}
    return {
        "type": "object",
        "properties": {
            **dict.fromkeys(live.columns.required, filled),
            **dict.fromkeys(live.columns.optional, optional),
        },
        "required": list(live.columns.required),
    }


def _prediction(live: Live) -> dict[str, Any]:
    *labels, task = live.outputs
    probability = {"type": "number", "minimum": 0, "maximum": 1}
    given = {"type": "array", "items": {"enum": labels}, "uniqueItems": True}
    return {
        "type": "object",
        "properties": {**dict.fromkeys(labels, probability), task: given},
        "required": [*labels, task],
        "additionalProperties": False,
    }


def _plain(summary: str) -> dict[str, Any]:
    content = {"text/plain": {"schema": {"type": "string"}}}
    return {"summary": summary, "responses": {"200": {"description": summary, "content": content}, **_errors()}}


def _errors() -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {str(status): {"description": text, "content": content} for status, text in _ERRORS.items()}
