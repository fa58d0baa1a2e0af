"""File formats. One file enters; its articles leave, mixed with `SkippedInput` for what could not be used.

Each reader takes a path and yields in file order, holding one article (parquet: one batch of a row group; txt and
html: the file) in memory at a time. `OSError` passes through.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any, Final

from stance.corpus.cleaning import has_ended
from stance.corpus.dates import is_date_line, iso_date
from stance.corpus.decoding import SAMPLE_BYTES, find_encoding, storable
from stance.corpus.furniture import is_furniture
from stance.errors import DataError
from stance.records import Article


@dataclass(frozen=True, slots=True)
class SkippedInput:
    """Something that was not read. `where` is the file, or file:line (1-based; parquet: the row); `reason` says why."""

    where: str
    reason: str


Reader = Callable[[Path], Iterator[Article | SkippedInput]]

SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "text": (
        "text", "body", "content", "articlebody", "articletext", "fulltext", "maintext", "article", "story", "bodytext",
        "contents",
    ),
    "title": ("title", "headline", "heading", "articletitle"),
    "date": (
        "date", "published", "publishedat", "publishdate", "publicationdate", "datepublished", "datepublish", "pubdate",
        "datetime", "timestamp", "createdat", "time",
    ),
    "outlet": ("outlet", "source", "publisher", "publication", "sitename", "site", "newspaper", "sourcename", "domain"),
    "url": ("url", "link", "href", "articleurl", "sourceurl", "weburl"),
}  # fmt: skip
_LONGEST_TITLE: Final = 200
_LONGEST_ODD: Final = 60
_LONGEST_FIELD: Final = 1 << 26


def read_txt(path: Path) -> Iterator[Article | SkippedInput]:
    """Yield the file as one article; title and date where its first lines plainly are these."""
    text = _decode(path)
    lines = [line.strip() for line in text.split("\n")]
    head = [line for line in lines if line][:10]
    date = next((iso_date(line) for line in head if is_date_line(line)), None)
    yield _article({"text": text, "title": _find_title(lines), "date": date}, str(path))


def read_html(path: Path) -> Iterator[Article | SkippedInput]:
    """Yield the page's article as trafilatura extracts it, with the metadata that it finds."""
    from trafilatura import bare_extraction

    html = path.read_bytes()
    if find_encoding(html[:SAMPLE_BYTES]) is None:
        raise DataError("not text (a binary file?)")
    try:
        page = bare_extraction(html, with_metadata=True, include_comments=False, include_tables=False)
    except Exception as error:  # lxml and trafilatura raise many kinds on broken pages
        raise DataError(f"trafilatura cannot parse the page: {error}") from error
    if page is None or not (page.text or "").strip():
        raise DataError("no article text found in the page")
    row = {"text": page.text, "title": page.title, "date": page.date, "outlet": page.sitename, "url": page.url}
    yield _article(row, str(path))


def read_jsonl(path: Path) -> Iterator[Article | SkippedInput]:
    """Yield one article a line."""
    with path.open(encoding=_encoding(path), errors="replace", newline="\n") as lines:
        for number, line in enumerate(lines, 1):
            where = f"{path}:{number}"
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                yield SkippedInput(where, f"not valid JSON: {error}")
                continue
            if not isinstance(row, dict):
                yield SkippedInput(where, f"a JSON object is expected, not {type(row).__name__}")
                continue
            fields = _match_fields(list(row))
            if "text" in fields:
                yield _article({name: row[key] for name, key in fields.items()}, where)
            else:
                yield SkippedInput(where, _no_text("field", list(row)))


def read_csv(path: Path) -> Iterator[Article | SkippedInput]:
    """Yield one article a row; the first row names the columns, the delimiter is found there."""
    # The limit is the csv module's own global; its default refuses fields over 128 KB, which articles can reach.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_FIELD))
    with path.open(encoding=_encoding(path), errors="replace", newline="") as file:
        header = file.readline()
        file.seek(0)
        rows = csv.reader(file, delimiter=max(",;\t", key=header.count))
        columns = [name.strip().lstrip("\ufeff") for name in next(rows, [])]
        fields = _require_text(columns)
        while True:
            where = f"{path}:{rows.line_num + 1}"
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                yield SkippedInput(where, f"not a valid CSV row: {error}")
                continue
            if not row:
                continue
            if len(row) != len(columns):
                yield SkippedInput(where, f"{len(row)} fields where the header has {len(columns)}")
                continue
            cells = dict(zip(columns, row, strict=True))
            yield _article({name: cells[key] for name, key in fields.items()}, where)


def read_parquet(path: Path) -> Iterator[Article | SkippedInput]:
    """Yield one article a row, row group by row group; only the columns in use are read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            fields = _require_text(file.schema_arrow.names)
            number = 0
            for batch in file.iter_batches(batch_size=1024, columns=list(fields.values())):
                for row in batch.to_pylist():
                    number += 1
                    yield _article({name: row[key] for name, key in fields.items()}, f"{path}:{number}")
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise DataError(f"not a readable parquet file: {error}") from error


READERS: Final[Mapping[str, Reader]] = {
    ".txt": read_txt,
    ".html": read_html,
    ".htm": read_html,
    ".jsonl": read_jsonl,
    ".csv": read_csv,
    ".parquet": read_parquet,
}


def _article(row: Mapping[str, Any], where: str) -> Article | SkippedInput:
    text = row["text"]
    if not isinstance(text, str):
        return SkippedInput(where, "no text" if text is None else f"the text is not a string but {type(text).__name__}")
    text = storable(text)
    if not text.strip():
        return SkippedInput(where, "empty text")
    date = iso_date(row.get("date"))
    return Article(
        text=text,
        title=_plain(row.get("title")),
        date=date,
        outlet=_plain(row.get("outlet")),
        url=_plain(row.get("url")),
        source=storable(where),
        odd_date="" if date else _odd(row.get("date")),
    )


def _odd(value: Any) -> str:
    """A value that says something, though no date; blanks, dashes and a nan say nothing."""
    missing = value is None or (isinstance(value, float) and isnan(value))
    told = "" if missing else " ".join(storable(str(value)).split())
    return told[:_LONGEST_ODD] if any(map(str.isalnum, told)) else ""


def _plain(value: Any) -> str | None:
    if isinstance(value, dict):  # news APIs give {"id": …, "name": …} as a source
        value = value.get("name")
    if value is None or isinstance(value, (dict, list, float)):
        return None
    return " ".join(storable(str(value)).split()) or None


def _match_fields(columns: list[str]) -> dict[str, str]:
    """Return field → column for the fields that a column is named after, by the first synonym that is there."""
    bare = {"".join(filter(str.isalnum, column.casefold())): column for column in reversed(columns)}
    return {
        field: next(bare[name] for name in names if name in bare)
        for field, names in SYNONYMS.items()
        if any(name in bare for name in names)
    }


def _require_text(columns: list[str]) -> dict[str, str]:
    fields = _match_fields(columns)
    if "text" not in fields:
        raise DataError(_no_text("column", columns))
    return fields


def _no_text(kind: str, columns: list[str]) -> str:
    found = ", ".join(map(repr, columns[:20])) or "none"
    return f"no text {kind}; found {found}; name one 'text' (or {', '.join(SYNONYMS['text'][1:3])})"


def _find_title(lines: list[str]) -> str | None:
    """Return the first line that is no page furniture, if it reads as a headline: short, no full stop, and apart."""
    for index, line in enumerate(lines):
        if not line or is_furniture(line):
            continue
        after = lines[index + 1] if index + 1 < len(lines) else ""
        followed = any(lines[index + 1 :])
        apart = not after or is_furniture(after) or len(after) > 120 or (has_ended(after) and not after[0].islower())
        ended = has_ended(line) and not line.endswith(("?", "!"))
        return line if len(line) <= _LONGEST_TITLE and followed and apart and not ended else None
    return None


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    encoding = find_encoding(sample)
    if encoding is None:
        raise DataError("not text (a binary file?)")
    if not sample.strip():
        raise DataError("empty file")
    return encoding


def _decode(path: Path) -> str:
    encoding = _encoding(path)
    text = path.read_bytes().decode(encoding, "replace")
    return text.replace("\r\n", "\n").replace("\r", "\n")
