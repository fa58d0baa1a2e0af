"""Reading. Files and folders enter; articles leave, as they stand in the files and cleaned of nothing yet.

What cannot be read is reported and passed over, so that one broken file does not stop a long run.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from stance.corpus.formats import READERS, SkippedInput
from stance.errors import DataError
from stance.records import Article

__all__ = ["SkippedInput", "find_files", "odd_date", "read_articles"]

OnSkip = Callable[[SkippedInput], None]
_REASONS_SHOWN: Final = 3


def read_articles(
    paths: Iterable[str | Path], *, strict: bool = False, on_skip: OnSkip | None = None
) -> Iterator[Article]:
    """Yield the articles of files and folders (recursively, in sorted order), one at a time.

    Formats go by the ending: .txt, .html, .htm, .jsonl, .csv, .parquet; other files in a folder are passed over.
    Rows take title, text, date, outlet and url, or a usual synonym (`formats.SYNONYMS`). Every file or line that
    cannot be used goes to `on_skip`. Raises DataError at once for a path that does not exist, at the first unusable
    file, line or date if `strict`, and at the end if there was no article at all. Otherwise an article whose date
    cannot be read stays, without it (see `odd_date`).
    """
    given = [Path(path) for path in paths]
    if not given:
        raise DataError("no path was given; name files or folders of articles")
    for path in given:
        if not os.path.lexists(path):
            raise DataError(f"{path}: no such file or folder")
    return _read_all(given, strict, on_skip)


def odd_date(article: Article) -> str:
    """Return in one line which date of which article could not be read.

    >>> odd_date(Article("They met.", source="news.csv:2", odd_date="31 Foo 2021"))
    "news.csv:2: the date '31 Foo 2021' cannot be read; write it as YYYY-MM-DD"
    """
    return f"{article.source}: the date '{article.odd_date}' cannot be read; write it as YYYY-MM-DD"


def _read_all(paths: list[Path], strict: bool, on_skip: OnSkip | None) -> Iterator[Article]:
    count, skipped = 0, 0
    reasons: list[str] = []
    for file in find_files(paths):
        for item in _read_file(file):
            if isinstance(item, Article):
                if strict and item.odd_date:
                    raise DataError(odd_date(item))
                count += 1
                yield item
                continue
            message = f"{item.where}: {item.reason}"
            if strict:
                raise DataError(message)
            skipped += 1
            reasons += [message] if len(reasons) < _REASONS_SHOWN else []
            if on_skip is not None:
                on_skip(item)
    if not count:
        raise DataError(_nothing_read(paths, skipped, reasons))


def _read_file(file: Path) -> Iterator[Article | SkippedInput]:
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        yield SkippedInput(str(file), f"unknown format '{file.suffix}'; known are {', '.join(READERS)}")
        return
    try:
        # Opening a pipe or a device would wait for ever.
        if not stat.S_ISREG(file.stat().st_mode):
            yield SkippedInput(str(file), "not a regular file")
            return
        yield from reader(file)
    except OSError as error:
        yield SkippedInput(str(file), f"cannot be read: {error.strerror or error}")
    except DataError as error:
        yield SkippedInput(str(file), str(error))


def find_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files given, and those in the folders given whose ending is known, in the order they are read."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, subfolders, names in os.walk(path):
            subfolders.sort()
            yield from (Path(folder, name) for name in sorted(names) if Path(name).suffix.lower() in READERS)


def _nothing_read(paths: list[Path], skipped: int, reasons: list[str]) -> str:
    where = ", ".join(map(str, paths[:3])) + (" …" if len(paths) > 3 else "")
    if not skipped:
        return f"{where}: no file with a known ending; known are {', '.join(READERS)}"
    more = f" (and {skipped - len(reasons)} more)" if skipped > len(reasons) else ""
    if skipped == 1:
        return reasons[0]
    return f"{where}: no article could be read: {'; '.join(reasons)}{more}"
