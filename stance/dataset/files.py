"""Examples and tables on disk, as JSON Lines, Parquet or CSV by the file's ending.

What enters and leaves is `Example` records or a DataFrame. Every write is atomic: the file is complete or as before.
"""

from __future__ import annotations

import json
import math
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance.codebook import Task
from stance.dataset.rows import STRINGS, check_unicode, parse_row
from stance.errors import DataError
from stance.records import Example

if TYPE_CHECKING:
    import pandas as pd

BATCH = 4096


def write_examples(examples: Iterable[Example], path: str | Path) -> int:
    """Write examples to a .jsonl or .parquet file, replacing it whole, and return how many.

    Raises DataError for another ending, a folder that cannot be written, or a text that UTF-8 cannot hold.
    """
    path = Path(path)
    write = {".jsonl": _write_jsonl, ".parquet": _write_parquet}[_ending(path, ".jsonl", ".parquet")]
    with replacing(path) as temporary:
        return write(_checked(examples), temporary)


def read_examples(path: str | Path, codebook_task: Task | None = None) -> list[Example]:
    """Return the examples of a .jsonl or .parquet file in the file's order; see `iterate_examples`."""
    return list(iterate_examples(path, codebook_task))


def iterate_examples(path: str | Path, codebook_task: Task | None = None) -> Iterator[Example]:
    """Yield examples one at a time, so that a file larger than memory can be read.

    With `codebook_task` labels are checked and put into codebook order. Raises DataError naming `file:line`
    (for Parquet the 1-based row) for what cannot be read or is not an example. Blank lines are passed over.
    """
    path = Path(path)
    rows = {".jsonl": _read_jsonl, ".parquet": _read_parquet}[_ending(path, ".jsonl", ".parquet")]
    try:
        for number, row in rows(path):
            yield parse_row(row, f"{path}:{number}", codebook_task)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error


def write_table(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a DataFrame's columns (not its index) to .parquet, .jsonl or .csv, replacing the file whole.

    A list stays a list in Parquet and JSON Lines and becomes JSON text in CSV; what is missing becomes null or
    the empty cell (in JSON Lines so does a number that is not finite). Raises DataError for another ending or a
    folder that cannot be written.
    """
    path = Path(path)
    write = {".parquet": _table_parquet, ".jsonl": _table_jsonl, ".csv": _table_csv}[
        _ending(path, ".parquet", ".jsonl", ".csv")
    ]
    with replacing(path) as temporary:
        try:
            write(frame, temporary)
        except UnicodeEncodeError as error:
            raise DataError(f"{path}: a text holds half of a surrogate pair, which no file can store") from error


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; when the block ends well it takes the place of `path` in one step.

    When the block fails, the temporary file goes and `path` stays as it was. Raises DataError if the folder is
    missing or cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        temporary.touch(exist_ok=False)
        yield temporary
        # Without this a crash after the rename can leave an empty file under the final name.
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}; choose a writable folder") from error
    finally:
        _discard(temporary)


def sweep(path: Path) -> None:
    """Remove what processes that were killed inside `replacing(path)` left beside it; none may be inside it now."""
    for temporary in path.parent.glob(f".{escape(path.name)}.????????.tmp"):
        _discard(temporary)


def _discard(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except OSError:  # a folder that is missing or no longer ours: nothing of ours is in it
        return


def _ending(path: Path, *known: str) -> str:
    ending = path.suffix.lower()
    if ending not in known:
        raise DataError(f"{path}: unknown kind of file '{ending}'; name it {' or '.join(known)}")
    return ending


def _checked(examples: Iterable[Example]) -> Iterator[Example]:
    for example in examples:
        check_unicode(example, f"example {example.id}")
        yield example


def _write_jsonl(examples: Iterable[Example], path: Path) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as handle:
        for example in examples:
            handle.write(json.dumps(example.to_row(), ensure_ascii=False) + "\n")
            count += 1
    return count


def _read_jsonl(path: Path) -> Iterator[tuple[int, Any]]:
    # Bytes, because only b"\n" ends a line: text mode would also end one at a lone carriage return.
    with path.open("rb") as handle:
        for number, line in enumerate(handle, start=1):
            if line.strip():
                try:
                    yield number, json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
                except UnicodeDecodeError as error:
                    raise DataError(f"{path}:{number}: not UTF-8 text (byte {error.start + 1})") from error
                except (ValueError, RecursionError) as error:
                    raise DataError(f"{path}:{number}: not a JSON object: {error}") from error


def _write_parquet(examples: Iterable[Example], path: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [("id", pa.string()), ("text", pa.string())]
        + [(field, pa.string()) for field in STRINGS]
        + [(field, pa.int64()) for field in ("start", "end", "index")]
        + [("targets", pa.list_(pa.list_(pa.int64()))), ("labels", pa.list_(pa.string()))]
    )
    rows, count = [], 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for example in examples:
            rows.append(example.to_row())
            count += 1
            if len(rows) == BATCH:
                writer.write_table(pa.Table.from_pylist(rows, schema))
                rows = []
        writer.write_table(pa.Table.from_pylist(rows, schema))
    return count


def _read_parquet(path: Path) -> Iterator[tuple[int, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as source:
            number = 0
            for batch in source.iter_batches(BATCH):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except pa.ArrowException as error:
        raise DataError(f"{path}: not a readable Parquet file: {error}") from error


def _table_parquet(frame: pd.DataFrame, path: Path) -> None:
    frame.to_parquet(path, index=False, engine="pyarrow")


def _table_jsonl(frame: pd.DataFrame, path: Path) -> None:
    # A 32-bit 0.1 written with the digits of a 64-bit one reads 0.10000000149011612.
    short = {str(name): frame[name].astype(str).astype(float) for name in frame.select_dtypes("float32").columns}
    with path.open("w", encoding="utf-8", newline="\n") as handle:
        for row in frame.assign(**short).to_dict("records"):
            values = {str(key): _json_value(value) for key, value in row.items()}
            handle.write(json.dumps(values, ensure_ascii=False, default=str) + "\n")


def _table_csv(frame: pd.DataFrame, path: Path) -> None:
    from pandas.api.types import is_object_dtype

    def cell(value: Any) -> Any:
        value = _json_value(value)
        return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value

    table = frame.copy()
    for name in table.columns[[is_object_dtype(kind) for kind in table.dtypes]]:
        table[name] = table[name].map(cell)
    table.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def _json_value(value: Any) -> Any:
    if hasattr(value, "tolist"):  # arrays and NumPy scalars
        value = value.tolist()
    if isinstance(value, tuple | list):
        return [_json_value(one) for one in value]
    if isinstance(value, dict):
        return {str(key): _json_value(one) for key, one in value.items()}
    # JSON has no NaN and no infinity, and pandas three words for what is missing.
    missing = type(value).__name__ in ("NAType", "NaTType") or (isinstance(value, float) and not math.isfinite(value))
    return None if missing else value
