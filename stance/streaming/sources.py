"""Sources. Files of articles or of ready examples enter; items leave, one at a time, each with its place.

An item is an article, an example, or what was skipped. Its place says where reading goes on after it, so that a run
that was killed reads nothing twice.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from stance.corpus.articles import SkippedInput, find_files, read_articles
from stance.corpus.decoding import storable
from stance.errors import DataError
from stance.records import Article, Example
from stance.streaming.example_rows import EXAMPLE_FILES, count_rows, looks_like_examples, read_rows

KINDS: Final = ("articles", "examples")
_SAMPLE: Final = 1 << 16  # bytes


class Place(NamedTuple):
    """Where to read on: files and, in the next one, rows that are done. Articles are counted over all files."""

    file: int = 0
    row: int = 0


START: Final = Place()


class Item(NamedTuple):
    """What was read, where reading goes on after it, and how many bytes of the input lie before that, about."""

    record: Article | Example | SkippedInput
    next: Place
    done: float


@dataclass(frozen=True)
class Source:
    """Files of one kind, in the order they are read."""

    kind: str
    paths: tuple[Path, ...]
    files: tuple[Path, ...]

    @property
    def bytes(self) -> int:
        """The size of all files."""
        return sum(_size(file) for file in self.files)

    @property
    def fingerprint(self) -> str:
        """Changes when a file is added, taken away, or written again: names, sizes, times, first and last 64 KiB."""
        digest = hashlib.blake2b(self.kind.encode(), digest_size=16)
        for file in self.files:
            digest.update(f"\0{file.resolve()}\0".encode("utf-8", "surrogateescape"))
            digest.update(_ends(file))
        return digest.hexdigest()

    def read(self, start: Place = START, strict: bool = False) -> Iterator[Item]:
        """Yield the items from a place on. Raises DataError at the first unusable row if `strict`."""
        if self.kind == "examples":
            return _examples(self.files, start, strict)
        return _articles(self, start, strict)


def open_source(paths: Iterable[str | Path], kind: str | None = None) -> Source:
    """Return the files to read; a `kind` of KINDS, or None to tell by the columns (see `looks_like_examples`).

    Raises DataError for a path that does not exist, and for articles and examples in one call.
    """
    given = tuple(Path(path) for path in paths)
    for path in given:
        if not os.path.lexists(path):
            raise DataError(f"{path}: no such file or folder")
    files = tuple(find_files(given))
    if kind is None:
        ready = [file for file in files if looks_like_examples(file)]
        other = [file for file in files if file not in set(ready)]
        if ready and other:
            raise DataError(
                f"{ready[0]} holds ready examples and {other[0]} does not; predict them apart, or say --as articles"
            )
        kind = "examples" if ready else "articles"
    if kind == "examples":
        files = tuple(file for file in files if file.suffix.lower() in EXAMPLE_FILES or file in given)
        if not files:
            raise DataError(f"{given[0]}: no file of examples in it; they end in {' or '.join(EXAMPLE_FILES)}")
    return Source(kind, given, files)


def _examples(files: tuple[Path, ...], start: Place, strict: bool) -> Iterator[Item]:
    before = sum(_size(file) for file in files[: start.file])
    for number, file in enumerate(files[start.file :], start.file):
        for row in read_rows(file, start.row if number == start.file else 0):
            if strict and isinstance(row.record, SkippedInput):
                raise DataError(f"{row.record.where}: {row.record.reason}")
            after = Place(number + 1) if row.number is None else Place(number, row.number)
            yield Item(row.record, after, before + row.done)
        before += _size(file)


def _articles(source: Source, start: Place, strict: bool) -> Iterator[Item]:
    waiting: list[SkippedInput] = []
    numbers = itertools.count(1)
    gauge = _Gauge(source.files)

    def counted(records: Iterable[Article | SkippedInput]) -> Iterator[Item]:
        for record in records:
            number = next(numbers)
            if number > start.row:
                yield Item(record, Place(0, number), gauge.at(record))

    try:
        for article in read_articles(source.paths, strict=strict, on_skip=waiting.append):
            yield from counted([*waiting, article])
            waiting.clear()
    except DataError:
        yield from counted(waiting)
        raise
    yield from counted(waiting)


class _Gauge:
    """Tells from `file:line` about how many bytes of the files were read; lines are taken to be of one length."""

    def __init__(self, files: Iterable[Path]) -> None:
        self.files = iter(files)
        self.name: str | None = None
        self.before, self.size, self.per_row = 0.0, 0.0, 0.0

    def at(self, record: Article | SkippedInput) -> float:
        where = record.source if isinstance(record, Article) else record.where
        name, _, row = where.rpartition(":")
        while self.name is not None or self.before == 0:
            if self.name == where:
                return self.before + self.size
            if self.name == name and row.isdigit():
                return self.before + min(int(row) * self.per_row, self.size)
            if not self._advance():
                break
        return self.before

    def _advance(self) -> bool:
        self.before += self.size
        file = next(self.files, None)
        self.name = None if file is None else storable(str(file))
        if file is not None:
            self.size, self.per_row = _size(file), _bytes_per_row(file)
        return file is not None


def _bytes_per_row(file: Path) -> float:
    try:
        if file.suffix.lower() == ".parquet":
            return _size(file) / max(count_rows(file), 1)
        with file.open("rb") as handle:
            sample = handle.read(_SAMPLE)
    except (OSError, DataError):
        return 0.0
    return len(sample) / max(sample.count(b"\n"), 1)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def _ends(file: Path) -> bytes:
    try:
        state = file.stat()
        if not stat.S_ISREG(state.st_mode):
            return b"?"
        with file.open("rb") as handle:
            first = handle.read(_SAMPLE)
            handle.seek(max(state.st_size - _SAMPLE, 0))
            return f"{state.st_size} {state.st_mtime_ns} ".encode() + first + handle.read(_SAMPLE)
    except OSError:
        return b"?"
