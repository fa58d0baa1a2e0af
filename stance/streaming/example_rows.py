"""Example files. One file enters; its examples leave, mixed with what could not be used, holding a batch in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final, NamedTuple

from stance.corpus.articles import SkippedInput
from stance.dataset.rows import parse_row
from stance.errors import DataError
from stance.records import Example

EXAMPLE_FILES: Final = (".jsonl", ".parquet")
MARKS: Final = frozenset({"id", "text", "actor", "mention", "targets"})
"""The columns by which a file of examples is known; articles and predictions lack some."""

_UNUSED: Final = {"labels", "genre"}
_COLUMNS: Final = {"id", *(field.name for field in fields(Example))} - _UNUSED
_BATCH: Final = 2048
_BUFFER: Final = 1 << 20  # bytes; without it a column of a row group is read whole
_LONGEST_LINE: Final = 1 << 26


class Row(NamedTuple):
    """A row, how many rows of the file are done with it (None: the file is), and how many of its bytes, about."""

    record: Example | SkippedInput
    number: int | None
    done: float


def looks_like_examples(file: Path) -> bool:
    """Say whether a file's columns (JSON Lines: the first line's keys) hold MARKS; an unreadable file's do not."""
    try:
        if file.suffix.lower() == ".parquet":
            return set(_open(file).schema_arrow.names) >= MARKS
        if file.suffix.lower() != ".jsonl" or not file.is_file():
            return False
        with file.open("rb") as handle:
            first = next((line for line in iter(lambda: handle.readline(_LONGEST_LINE), b"") if line.strip()), b"")
        row = json.loads(first.decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError, DataError):
        return False
    return isinstance(row, dict) and row.keys() >= MARKS


def count_rows(file: Path) -> int:
    """Return the rows of a Parquet file from its metadata; raises DataError for a file that is none."""
    rows: int = _open(file).metadata.num_rows
    return rows


def read_rows(file: Path, start: int = 0) -> Iterator[Row]:
    """Yield the rows of a .jsonl or .parquet file after the first `start` ones (lines, for JSON Lines).

    What cannot be used is yielded as SkippedInput, named `file:row`; a file that cannot be read on, named `file`, once.
    """
    read = {".jsonl": _read_jsonl, ".parquet": _read_parquet}.get(file.suffix.lower())
    try:
        if read is None:
            raise DataError(f"unknown kind of file '{file.suffix}'; examples stand in {' or '.join(EXAMPLE_FILES)}")
        if not file.is_file():
            raise DataError("not a regular file")
        yield from read(file, start)
    except OSError as error:
        yield Row(SkippedInput(str(file), f"cannot be read: {error.strerror or error}"), None, 0)
    except DataError as error:
        yield Row(SkippedInput(str(file), str(error)), None, 0)


def _read_jsonl(file: Path, start: int) -> Iterator[Row]:
    done = 0
    with file.open("rb") as handle:
        for number, line in enumerate(handle, 1):
            done += len(line)
            if number <= start or not line.strip():
                continue
            where = f"{file}:{number}"
            try:
                row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError as error:
                yield Row(SkippedInput(where, f"not UTF-8 text (byte {error.start + 1})"), number, done)
            except (ValueError, RecursionError) as error:
                yield Row(SkippedInput(where, f"not valid JSON: {error}"), number, done)
            else:
                yield Row(_parse(row, where), number, done)


def _read_parquet(file: Path, start: int) -> Iterator[Row]:
    import pyarrow as pa

    number = 0
    try:
        with _open(file) as source:
            names = [name for name in source.schema_arrow.names if name in _COLUMNS]
            share = file.stat().st_size / max(source.metadata.num_rows, 1)
            for group in range(source.metadata.num_row_groups):
                size = source.metadata.row_group(group).num_rows
                if number + size <= start:  # done before: not even read
                    number += size
                    continue
                for batch in source.iter_batches(_BATCH, row_groups=[group], columns=names):
                    rows = batch.slice(max(start - number, 0)).to_pylist()
                    number += batch.num_rows - len(rows)
                    for row in rows:
                        number += 1
                        yield Row(_parse(row, f"{file}:{number}"), number, number * share)
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"not a readable Parquet file: {error}") from error


def _open(file: Path) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not file.is_file():  # opening a pipe would wait for ever
        raise DataError("not a regular file")
    try:
        return pq.ParquetFile(file, buffer_size=_BUFFER)
    except pa.ArrowException as error:
        raise DataError(f"not a readable Parquet file: {error}") from error


def _parse(row: Any, where: str) -> Example | SkippedInput:
    if isinstance(row, dict):
        row = {key: value for key, value in row.items() if key in _COLUMNS}
    try:
        return parse_row(row, where)
    except DataError as error:
        return SkippedInput(where, str(error).removeprefix(f"{where}: "))
