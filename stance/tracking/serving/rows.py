"""The body of a request. Bytes of JSON or CSV enter; rows of strings leave, or one line that says what is wrong.

JSON is one of MLflow's four forms. All are read here, before MLflow sees them: its own reader answers some bad
bodies with status 500, and with a traceback.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stance.errors import DataError

JSON, CSV = "application/json", "text/csv"
LONGEST = 10_000  # characters of a cell: a sentence has 200, and one of millions would hold up all other requests
FORMS = ("dataframe_records", "dataframe_split", "instances", "inputs")

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Columns:
    """The names of a model's input columns, each of them text."""

    required: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Both, the required ones first."""
        return self.required + self.optional


def read_rows(body: bytes, kind: str, columns: Columns) -> list[Row]:
    """Return the rows in a body of type `JSON` or `CSV`; columns that the model does not know are left out.

    Raises DataError naming the first row and column (rows count from 0) that cannot be used.
    """
    rows = _read_csv(body) if kind == CSV else _read_json(body)
    return [_check(row, f"row {number}", columns) for number, row in enumerate(rows)]


def write_rows(rows: Sequence[Row], columns: Columns) -> bytes:
    """Return rows as the one form of body that MLflow's server is given, `dataframe_split`."""
    used = [name for name in columns.all if name in columns.required or any(row.get(name) for row in rows)]
    split = {"columns": used, "data": [[row.get(name) for name in used] for row in rows]}
    return json.dumps({"dataframe_split": split}).encode()


def _check(row: Any, where: str, columns: Columns) -> Row:
    if not isinstance(row, Mapping):
        raise DataError(f"{where}: must be an object with {_listed(columns.required)}, not {_kind(row)}")
    for name in columns.required:
        if name not in row:
            raise DataError(f"{where}: '{name}' is missing; the row has {_listed(list(row)) or 'nothing'}")
    known = {name: row[name] for name in columns.all if name in row}
    for name, value in known.items():
        if value is not None and not isinstance(value, str):
            raise DataError(f"{where}: '{name}' must be a string, not {_kind(value)}")
        if value is not None and len(value) > LONGEST:
            raise DataError(f"{where}: '{name}' has {len(value)} characters, above the limit of {LONGEST}")
    for name in columns.required:
        if not (known[name] or "").strip():
            raise DataError(f"{where}: '{name}' is empty; fill it in or drop the row")
    return known


def _read_csv(body: bytes) -> list[dict[str, str | None]]:
    try:
        reader = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        # An empty cell is no value, as pandas reads it.
        rows = [{name: value or None for name, value in row.items()} for row in reader]
    except UnicodeDecodeError as error:
        raise DataError(f"the body is not UTF-8: byte {error.start} is 0x{body[error.start]:02x}") from error
    except csv.Error as error:
        raise DataError(f"the body is not CSV: {error}, line {reader.line_num}") from error
    if reader.fieldnames is None:
        raise DataError("the body is empty; its first line must name the columns")
    for number, row in enumerate(rows):
        if None in row:
            raise DataError(f"row {number}: has more cells than the {len(reader.fieldnames)} named columns")
    return rows


def _read_json(body: bytes) -> list[Any]:
    # pydantic's parser: unlike the standard one it refuses deep nesting, endless numbers and halves of surrogate pairs.
    from pydantic_core import from_json

    try:
        content = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise DataError(f"the body is not JSON: {error}") from error
    expected = f"an object with one of {', '.join(FORMS)}"
    if not isinstance(content, dict):
        raise DataError(f"the body must be {expected}, not {_kind(content)}")
    if unknown := content.keys() - set(FORMS):
        raise DataError(f"the body has the unknown key {sorted(unknown)[0]!r:.60}; it must be {expected}")
    if len(content) != 1:
        raise DataError(f"the body has {_listed(list(content)) or 'no key'}; it must be {expected}")
    ((form, rows),) = content.items()
    if form == "dataframe_split":
        return _from_split(rows)
    if form == "inputs" and isinstance(rows, dict):
        return _from_columns(rows)
    if not isinstance(rows, list):
        raise DataError(f"'{form}' must be a list of rows, not {_kind(rows)}")
    return rows


def _from_split(table: Any) -> list[dict[str, Any]]:
    names, data = (table.get("columns"), table.get("data")) if isinstance(table, dict) else (None, None)
    if not isinstance(names, list) or not isinstance(data, list):
        raise DataError("'dataframe_split' must be an object with the lists 'columns' and 'data'")
    if not all(isinstance(name, str) for name in names) or len(set(names)) != len(names):
        raise DataError("'columns' of 'dataframe_split' must be different strings")
    for number, cells in enumerate(data):
        if not isinstance(cells, list) or len(cells) != len(names):
            raise DataError(f"row {number}: must be a list of {len(names)} cells, one per column")
    return [dict(zip(names, cells, strict=True)) for cells in data]


def _from_columns(table: dict[str, Any]) -> list[dict[str, Any]]:
    lengths = {len(cells) if isinstance(cells, list) else -1 for cells in table.values()}
    if len(lengths) != 1 or -1 in lengths:
        raise DataError("'inputs' must be a list of rows, or an object with equally long lists, one per column")
    return [dict(zip(table, cells, strict=True)) for cells in zip(*table.values(), strict=True)]


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    return names.get(type(value), "a number")


def _listed(names: Sequence[Any]) -> str:
    return ", ".join(f"'{name!s:.40}'" for name in names[:8])
