"""The output. Tables enter one at a time; one .parquet, .jsonl or .csv file leaves, as `write_table` would write it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from stance.errors import DataError
from stance.models.classifier import Classifier
from stance.predict import ORIGIN, tabulate

if TYPE_CHECKING:
    import pandas as pd

ROW_GROUP: Final = 1 << 16  # rows
_WHOLE: Final = ("index", "start", "end")


def table_schema(classifiers: Sequence[Classifier], sure: float | None) -> Any:
    """Return the Arrow schema of `tabulate`'s frame, with what pandas needs to read it back."""
    import pyarrow as pa

    columns = [(name, pa.int64() if name in _WHOLE else pa.string()) for name in ORIGIN]
    for classifier in classifiers:
        columns += [(f"{classifier.task}.{label}", pa.float64()) for label in classifier.labels]
        columns += [(f"{classifier.task}.sure", pa.bool_())] if sure is not None else []
        columns.append((classifier.task, pa.list_(pa.string())))
    empty = tabulate([], classifiers, sure)
    return pa.Table.from_pandas(empty, schema=pa.schema(columns), preserve_index=False).schema


def to_table(frame: pd.DataFrame, schema: Any) -> Any:
    """Return the frame as an Arrow table of the schema."""
    import pyarrow as pa

    return pa.Table.from_pandas(frame, schema=schema, preserve_index=False).replace_schema_metadata(schema.metadata)


def check_ending(path: Path) -> None:
    """Raise DataError for a file name that says no known kind of file."""
    if path.suffix.lower() not in _WRITERS:
        raise DataError(f"{path}: unknown kind of file '{path.suffix}'; name it {' or '.join(_WRITERS)}")


def write_tables(tables: Iterable[Any], schema: Any, path: Path, kind: str) -> None:
    """Write tables one after the other into a new file; `kind` is the ending. OSError passes through."""
    _WRITERS[kind.lower()](tables, schema, path)


def _write_parquet(tables: Iterable[Any], schema: Any, path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    waiting: list[Any] = []
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in tables:
            waiting.append(table)
            if sum(one.num_rows for one in waiting) >= ROW_GROUP:
                writer.write_table(pa.concat_tables(waiting).combine_chunks())
                waiting = []
        if waiting:
            writer.write_table(pa.concat_tables(waiting).combine_chunks())


def _write_jsonl(tables: Iterable[Any], schema: Any, path: Path) -> None:  # noqa: ARG001 - every row names its columns
    with path.open("w", encoding="utf-8", newline="\n") as handle:
        for table in tables:
            handle.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in table.to_pylist())


def _write_csv(tables: Iterable[Any], schema: Any, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(schema.names)
        for table in tables:
            for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
                writer.writerow([json.dumps(v, ensure_ascii=False) if isinstance(v, list) else v for v in row])


_WRITERS: Final = {".parquet": _write_parquet, ".jsonl": _write_jsonl, ".csv": _write_csv}
