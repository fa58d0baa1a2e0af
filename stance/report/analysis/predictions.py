"""Reading predictions. A file that `stance predict -o` wrote enters; rows that can be counted leave.

Every row gets a `month`, the `unit` that is drawn as a whole (the near-duplicate cluster), and `counted`: whether its
document is the first of its cluster, so that copies of one report can be counted once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stance.codebook import Codebook
from stance.corpus.dates import iso_date
from stance.errors import CodebookError, DataError
from stance.wording import counted

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("doc_id", "index", "text", "actor")
OPTIONAL = ("cluster", "title", "date", "outlet", "url", "mention", "start", "end")
MEND = "give a file that `stance predict … -o` wrote"


@dataclass(frozen=True)
class PredictedTask:
    """One task of the predictions, its labels in column order. `per_actor`: each actor of a sentence has an answer."""

    name: str
    labels: tuple[str, ...]
    per_actor: bool


@dataclass(frozen=True, eq=False)
class Predictions:
    """Rows ready to be counted, their tasks, and `notes`: plain sentences on what is missing from them."""

    frame: pd.DataFrame
    tasks: tuple[PredictedTask, ...]
    notes: tuple[str, ...] = ()


def read_predictions(path: str | Path, book: Codebook | None = None) -> Predictions:
    """Return the predictions in a .parquet, .jsonl or .csv file, or in a folder of Parquet such as Spark writes.

    `book` says which tasks are coded per actor. A file without rows gives predictions without rows. Raises DataError
    naming the file, and the line where there is one, for what cannot be read or lacks a column, and CodebookError for
    labels that `book` does not have.
    """
    import pandas as pd

    path = Path(path)
    readers = {".parquet": _read_parquet, ".jsonl": _read_jsonl, ".csv": _read_csv}
    kind = ".parquet" if path.is_dir() else path.suffix.lower()
    if kind not in readers:
        raise DataError(f"{path}: unknown kind of file '{path.suffix}'; {MEND} as .parquet, .jsonl or .csv")
    try:
        frames = [readers[kind](file) for file in parquet_files(path)]
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}; {MEND}") from error
    filled = [one for one in frames if len(one)] or frames[:1]
    return prepare(pd.concat(filled, ignore_index=True), book, str(path))


def parquet_files(path: Path) -> list[Path]:
    """Return the files that hold the predictions of a path: itself, or a folder's Parquet files by name.

    Raises DataError for a folder without them, and for one that Spark has not finished writing.
    """
    if not path.is_dir():
        return [path]
    if (path / "_temporary").exists():
        raise DataError(f"{path}: Spark has not finished this folder; remove it and predict again")
    if not (files := sorted(path.glob("*.parquet"))):
        raise DataError(f"{path}: holds no Parquet file; {MEND}")
    return files


def prepare(frame: pd.DataFrame, book: Codebook | None = None, where: str = "predictions") -> Predictions:
    """Return a frame of `stance.predict.predict_articles` ready to be counted; raises as `read_predictions` does."""
    if missing := [name for name in NEEDED if name not in frame.columns]:
        if len(frame):
            raise DataError(f"{where}: has no column {', '.join(missing)}; {MEND}")
        frame = frame.reindex(columns=[*frame.columns, *missing])
    frame = frame.reindex(columns=[*frame.columns, *(name for name in OPTIONAL if name not in frame.columns)])
    frame = frame.reset_index(drop=True)
    for name in ("actor", "outlet", "title", "url", "cluster", "mention"):
        frame[name] = _mapped(frame[name], _text)
    frame["date"] = _mapped(frame["date"], iso_date)
    tasks = tuple(_find_tasks(frame, book, where))
    if len(frame) and not tasks:
        raise DataError(f"{where}: holds no task, such as a column `stance` beside `stance.engage`; {MEND}")
    for task in tasks:
        frame[task.name] = _mapped(frame[task.name], _labels)
    return Predictions(_mark_copies(frame), tasks, tuple(_notes(frame, tasks)))


def _mark_copies(frame: pd.DataFrame) -> pd.DataFrame:
    """The first document of a cluster is the earliest dated; of several, the one with most rows."""
    unit = frame["cluster"].where(frame["cluster"].notna(), frame["doc_id"])
    documents = frame.assign(unit=unit).drop_duplicates("doc_id")[["doc_id", "unit", "date"]]
    documents["rows"] = documents["doc_id"].map(frame["doc_id"].value_counts())
    documents["date"] = documents["date"].where(documents["date"].notna(), "9999")
    ordered = documents.sort_values(["date", "rows", "doc_id"], ascending=[True, False, True])
    first = set(ordered.drop_duplicates("unit")["doc_id"])
    month = _mapped(frame["date"], lambda date: date and date[:7])
    return frame.assign(unit=unit, month=month, counted=frame["doc_id"].isin(first))


def _find_tasks(frame: pd.DataFrame, book: Codebook | None, where: str) -> Iterator[PredictedTask]:
    for name in map(str, frame.columns):
        labels = tuple(str(each).removeprefix(f"{name}.") for each in frame.columns if str(each).startswith(f"{name}."))
        labels = tuple(label for label in labels if label != "sure")
        if not labels:
            continue
        if book is None or name not in book.tasks:
            yield PredictedTask(name, labels, _looks_per_actor(frame, name))
            continue
        if labels != book.tasks[name].labels:
            raise CodebookError(
                f"{where}: the labels of '{name}' ({', '.join(labels)}) are not those of the codebook "
                f"'{book.name}' ({', '.join(book.tasks[name].labels)}); give the one they were predicted with"
            )
        yield PredictedTask(name, labels, book.tasks[name].unit == "actor")


def _looks_per_actor(frame: pd.DataFrame, name: str) -> bool:
    """Without a codebook: a task coded per sentence also answers for sentences that name no actor."""
    answered = frame[name].map(_labels).notna()
    alone = frame["actor"].isna()
    if alone.any():
        return bool(not answered[alone].any())
    answers = frame[name].map(lambda value: tuple(_labels(value) or ()))
    return bool(answers.groupby([frame["doc_id"], frame["index"]]).nunique().gt(1).any())


def _notes(frame: pd.DataFrame, tasks: tuple[PredictedTask, ...]) -> Iterator[str]:
    if not len(frame):
        yield "The file holds no predictions, so there is nothing to count."
        return
    documents = frame.drop_duplicates("doc_id")
    for name, lost in (("date", "in no month"), ("outlet", "under no outlet")):
        if missing := int(documents[name].isna().sum()):
            which = "No document has" if missing == len(documents) else f"{missing} of {len(documents)} documents have"
            yield f"{which} {'a' if which.startswith('No ') else 'no'} {name}; what they say is counted {lost}."
    if any(task.per_actor for task in tasks) and frame["actor"].isna().all():
        yield "No actor was found in any sentence, so no stance could be given."
    for task in tasks:
        asked = frame["actor"].notna() if task.per_actor else frame["actor"].map(lambda _: True)
        if left := int((frame[task.name].isna() & asked).sum()):
            yield f"Left open, as the model was not sure, and not counted: {counted(left, 'answer')} for '{task.name}'."


def _mapped(column: pd.Series[Any], function: Callable[[Any], Any]) -> pd.Series[Any]:
    """A column of objects in which only None means missing; `Series.map` would make it nan, which JSON lacks."""
    import pandas as pd

    return pd.Series([function(value) for value in column], index=column.index, dtype=object)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def _labels(value: Any) -> list[str] | None:
    if isinstance(value, str) and value.startswith("["):
        value = json.loads(value)
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [str(label) for label in value] if isinstance(value, list | tuple) else None


def _read_parquet(path: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa

    try:
        return pd.read_parquet(path)
    except pa.ArrowException as error:
        raise DataError(f"{path}: not a readable Parquet file: {error}; {MEND}") from error


def _read_jsonl(path: Path) -> pd.DataFrame:
    import pandas as pd

    rows = []
    with path.open("rb") as handle:
        for number, line in enumerate(handle, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8"))
            except (ValueError, RecursionError) as error:
                raise DataError(f"{path}:{number}: not a JSON object: {error}; {MEND}") from error
            if not isinstance(row, dict):
                raise DataError(f"{path}:{number}: not a JSON object; {MEND}")
            rows.append(row)
    return pd.DataFrame(rows)


def _read_csv(path: Path) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_csv(path, keep_default_na=False, na_values=[""])
    except pd.errors.EmptyDataError:
        return pd.DataFrame()
    except ValueError as error:
        raise DataError(f"{path}: not a readable CSV file: {error}; {MEND}") from error
