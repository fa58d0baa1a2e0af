"""The files of a public data set: a folder and a file's name enter; rows leave, each with the place it came from."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from stance.errors import DataError
from stance.records import Span

Row = dict[str, Any]


def read_rows(folder: Path, name: str) -> Iterator[tuple[str, Row]]:
    """Yield `(file:line, row)` of a .tsv (with a header row) or .jsonl file; `name.gz` beside it serves as well.

    The line is where the row begins, from 1. Raises DataError for a file that is missing, damaged or not UTF-8.
    """
    path = next((folder / one for one in (f"{name}.gz", name) if (folder / one).is_file()), None)
    if path is None:
        raise DataError(f"{folder}: holds no {name}.gz or {name}; give the folder with the set's own files")
    read = _read_tsv if name.endswith(".tsv") else _read_jsonl
    try:
        with _open(path) as handle:
            yield from read(path, handle)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 text: {error}") from error
    except (OSError, EOFError) as error:
        raise DataError(f"{path}: cannot be read: {error}; fetch the file again") from error


def choose(row: Row, field: str, known: dict[str, str]) -> str:
    """Return the label that a field's value stands for; raises ValueError naming the field and the values there are."""
    value = str(row[field])
    if value not in known:
        raise ValueError(f"{field} is {value!r:.60}, which is none of {', '.join(known)}")
    return known[value]


def text_of(row: Row, field: str) -> str:
    """Return a field that must hold text; raises ValueError for an empty one."""
    value = row[field]
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{field} is {value!r:.60}, which is no text")
    return value


def find(name: str, text: str) -> Span | None:
    """Return where `name` first stands in `text` as whole words, in its own case or else in any.

    >>> find("party", "The Party met the party"), find("Iran", "Iranians")
    ((18, 23), None)
    """
    word = rf"(?<!\w){re.escape(name.strip())}(?!\w)"
    found = re.search(word, text) or re.search(word, text, re.IGNORECASE)
    return found.span() if found and name.strip() else None


def _open(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _read_tsv(path: Path, handle: IO[str]) -> Iterator[tuple[str, Row]]:
    csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
    reader = csv.reader(handle, delimiter="\t", strict=True)
    try:
        header = next(reader, [])
        begin = reader.line_num + 1
        for values in reader:
            if values:
                if len(values) != len(header):
                    raise DataError(f"{path}:{begin}: {len(values)} fields where the header has {len(header)}")
                yield f"{path}:{begin}", dict(zip(header, values, strict=True))
            begin = reader.line_num + 1
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}: not tab-separated values: {error}") from error


def _read_jsonl(path: Path, handle: IO[str]) -> Iterator[tuple[str, Row]]:
    for number, line in enumerate(handle.read().split("\n"), 1):  # a text may hold other line separators
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise DataError(f"{path}:{number}: not JSON: {error}") from error
            if not isinstance(row, dict):
                raise DataError(f"{path}:{number}: a JSON object is expected, not {type(row).__name__}")
            yield f"{path}:{number}", row
