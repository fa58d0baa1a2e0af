"""Rows to examples: what enters is a mapping from a file or a server, what leaves is a checked `Example`."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from stance.codebook import Task
from stance.errors import CodebookError, DataError
from stance.records import Example

STRINGS = ("actor", "mention", "prev", "next", "doc_id", "title", "date", "outlet", "url", "genre", "cluster")
INTEGERS = ("start", "end", "index")


def parse_row(row: Any, where: str, task: Task | None = None) -> Example:
    """Return the example that a row holds; only `text` is required and keys that are no fields are ignored.

    With a codebook `task`, labels must be its own and are put into its order. Raises DataError, starting with
    `where`, for a missing or mistyped field, offsets that do not fit the text, a label that the task does not
    have, a lone surrogate, or a stored `id` that the content does not give.
    """
    if not isinstance(row, Mapping):
        raise DataError(f"{where}: expected an object with a 'text' field, found {type(row).__name__}")
    if row.get("text") is None:
        raise DataError(f"{where}: no 'text'; the fields are {', '.join(map(str, row)) or 'none'}")
    values = {key: _plain(value) for key, value in row.items()}
    _check_types(values, where)
    _check_spans(values["text"], values, where)
    if task is not None and values.get("labels") is not None:
        try:
            values["labels"] = task.order(values["labels"], where)
        except CodebookError as error:
            raise DataError(str(error)) from error
    example = Example.from_row(values)
    check_unicode(example, where)
    if values.get("id") is not None and values["id"] != example.id:
        raise DataError(
            f"{where}: the stored id {values['id']} is not that of the content ({example.id}): text, actor, doc_id or"
            " index was changed after writing; restore the row, or drop 'id' to accept it as a new example"
        )
    return example


def check_unicode(example: Example, where: str) -> None:
    """Raise DataError if any text of the example holds a lone surrogate, which UTF-8 cannot store."""
    for field in ("text", *STRINGS):
        value = getattr(example, field)
        if value:
            try:
                value.encode("utf-8")
            except UnicodeEncodeError as error:
                raise DataError(
                    f"{where}: '{field}' holds half of a surrogate pair at character {error.start}, which no file can"
                    " store; remove it, or decode the source as UTF-16 properly"
                ) from error


def _plain(value: Any) -> Any:
    # Parquet files written by pandas hold dates as such, not as text.
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, datetime.date) else value


def _check_types(values: Mapping[str, Any], where: str) -> None:
    for field in ("text", *STRINGS):
        if values.get(field) is not None and not isinstance(values[field], str):
            raise DataError(f"{where}: '{field}' must be text, found {values[field]!r:.60}")
    for field in INTEGERS:
        value = values.get(field)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise DataError(f"{where}: '{field}' must be a whole number, found {value!r:.60}")
    labels = values.get("labels")
    if labels is not None and not (isinstance(labels, list | tuple) and all(isinstance(one, str) for one in labels)):
        raise DataError(f"{where}: 'labels' must be a list of label names (empty for none), found {labels!r:.60}")


def _check_spans(text: str, values: Mapping[str, Any], where: str) -> None:
    mention, start, end = (values.get(field) for field in ("mention", "start", "end"))
    if (start is None) != (end is None):
        raise DataError(f"{where}: give both 'start' and 'end', or neither")
    if start is not None and end is not None:
        if not 0 <= start <= end <= len(text):
            raise DataError(f"{where}: the mention's offsets {start}:{end} lie outside the text (0:{len(text)})")
        if mention is not None and text[start:end] != mention:
            raise DataError(f"{where}: 'mention' is {mention!r:.60} but the text has {text[start:end]!r:.60} there")
    for span in values.get("targets") or ():
        if not (isinstance(span, list | tuple) and len(span) == 2 and all(isinstance(one, int) for one in span)):
            raise DataError(f"{where}: 'targets' must be a list of [start, end] pairs, found {span!r:.60}")
        if not 0 <= span[0] <= span[1] <= len(text):
            raise DataError(f"{where}: the target's offsets {span[0]}:{span[1]} lie outside the text (0:{len(text)})")
