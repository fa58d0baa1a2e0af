"""Examples as Spark's columns. Folders of Parquet enter; a table of examples leaves, and one of predictions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from stance.corpus.articles import SkippedInput
from stance.dataset.rows import INTEGERS
from stance.errors import DataError
from stance.models import lines
from stance.models.classifier import Classifier
from stance.predict import ORIGIN
from stance.streaming.example_rows import MARKS

EXAMPLE: Final = "_example"
_SHOWN: Final = ("outlet", "url", "cluster")  # they leave as they came; no model and no check looks at them
_COLUMNS: Final = (*(name for name in ORIGIN), "id", "prev", "next", "targets")
_SPECIAL: Final = re.compile(r"([\[\]{}*?\\])")
_LOCAL: Final = re.compile("^file:(//)?(?=/)")  # Spark writes it in both ways
_REMOTE: Final = re.compile(r"[a-z][a-z0-9+.-]+://")


def is_remote(path: str) -> bool:
    """Say whether a path names a file system of its own, as in `s3a://bucket/folder`."""
    return _REMOTE.match(path) is not None


def spark_path(path: str) -> str:
    """Return a path as Spark knows it: a plain one is on this machine, or on a file system that all machines share."""
    return path if is_remote(path) else f"file://{Path(path).expanduser().resolve()}"


def check_paths(paths: Sequence[str]) -> None:
    """Raise DataError for a path on this machine that is not there or holds no Parquet; Spark would start first."""
    for path in paths:
        if is_remote(path):
            continue
        place = Path(path).expanduser()
        if not place.exists():
            raise DataError(f"{path}: no such file or folder")
        found = place.rglob("*.parquet") if place.is_dir() else iter([place] if place.suffix == ".parquet" else [])
        if next(found, None) is None:
            raise DataError(
                f"{path}: no .parquet file in it, and Spark reads no other here; make one with"
                " `stance ingest … -o examples.parquet`"
            )


def read_sentences(spark: Any, paths: Sequence[str], ready: bool) -> Any:
    """Return Spark's table of examples: ORIGIN as it leaves, EXAMPLE (all that a model may see, as a line of JSON),
    and the `_file` and `_row` (from 1) that each came from.

    `ready` says that the files are meant as examples, whatever their columns; else they must hold MARKS. Raises
    DataError for a missing column or one of another type, and for files that do not agree.
    """
    from pyspark.errors import AnalysisException
    from pyspark.sql import functions as F  # noqa: N812 - its name everywhere

    reader = spark.read.option("mergeSchema", "true").option("recursiveFileLookup", "true")
    try:
        frame = reader.option("pathGlobFilter", "*.parquet").parquet(
            *(_SPECIAL.sub(r"\\\1", spark_path(path)) for path in paths)
        )
    except AnalysisException as error:
        raise DataError(f"{paths[0]}: Spark reads no examples there: {_condition(error)}") from error
    types = {field.name: field.dataType for field in frame.schema.fields}
    _check_columns(types, paths[0], ready)
    columns = {name: _column(frame, name, types.get(name), paths[0]) for name in _COLUMNS}
    seen = [columns[name].alias(name) for name in _COLUMNS if name not in _SHOWN]
    frame = frame.select(
        *(columns[name].alias(name) for name in ORIGIN),
        F.to_json(F.struct(*seen)).alias(EXAMPLE),
        F.col("_metadata.file_path").alias("_file"),
        (F.col("_metadata.row_index") + 1).alias("_row"),
    )
    return (
        frame.withColumn("doc_id", F.coalesce("doc_id", F.lit("")))
        .withColumn("index", F.coalesce("index", F.lit(0).cast("bigint")))
        .withColumn("cluster", F.when(F.col("cluster") != "", F.col("cluster")))
    )


def predicted(frame: Any, classifiers: Sequence[Classifier], function: Callable[[str], Any], sure: bool) -> Any:
    """Return the table of predictions, with the columns of a stream on one machine; lines that hold no example go."""
    from pyspark.sql import functions as F  # noqa: N812

    answer = "_answer"
    scored = frame.withColumn(answer, function(EXAMPLE)).where(F.col(f"{answer}.{lines.USABLE}"))
    columns = [F.col(name) for name in ORIGIN]
    for k, classifier in enumerate(classifiers):
        first = F.col(f"{answer}.{lines.probability(k, 0)}")
        asked = first.isNotNull() & ~F.isnan(first)  # on its way through Arrow a NaN becomes a null
        for j, label in enumerate(classifier.labels):
            number = F.col(f"{answer}.{lines.probability(k, j)}")
            columns.append(F.when(asked, number).alias(f"{classifier.task}.{label}"))
        enough = F.col(f"{answer}.{lines.sure_enough(k)}")
        if sure:
            columns.append(F.when(asked, enough).alias(f"{classifier.task}.sure"))
        labels = [
            F.when(F.col(f"{answer}.{lines.given(k, j)}"), F.lit(label)) for j, label in enumerate(classifier.labels)
        ]
        columns.append(F.when(asked & enough, F.array_compact(F.array(*labels))).alias(classifier.task))
    return scored.select(*columns)


def find_unusable(frame: Any, most: int) -> list[SkippedInput]:
    """Return the first rows that hold no example, `most` at most, and why."""
    from urllib.parse import unquote

    from pyspark.sql import functions as F  # noqa: N812

    why = F.udf(_why_unusable, "string", useArrow=False)
    found = frame.select("_file", "_row", why(EXAMPLE).alias("why")).where("why IS NOT NULL").limit(most).collect()
    names = [_LOCAL.sub("", unquote(row["_file"])) for row in found]
    return [SkippedInput(f"{name}:{row['_row']}", row["why"]) for name, row in zip(names, found, strict=True)]


def _why_unusable(line: str) -> str | None:
    found = lines.read_line(line)
    return found if isinstance(found, str) else None


def _check_columns(types: dict[str, Any], path: str, ready: bool) -> None:
    needed = {"text"} if ready else MARKS
    missing = sorted(needed - types.keys())
    if missing:
        names = ", ".join(f"'{name}'" for name in missing)
        mend = "" if ready else "; make examples with `stance ingest`, or say --as examples for a table of your own"
        raise DataError(f"{path}: there is no column {names}; the columns are {', '.join(types)}{mend}")


def _column(frame: Any, name: str, kind: Any, path: str) -> Any:
    """The column as examples hold it: text, a whole number, or pairs of them; null where the file has none."""
    from pyspark.sql import functions as F  # noqa: N812
    from pyspark.sql import types as T  # noqa: N812

    wanted = "array<array<bigint>>" if name == "targets" else "bigint" if name in INTEGERS else "string"
    if kind is None:
        return F.lit(None).cast(wanted)
    column = F.col(f"`{name}`")
    if name == "targets":
        fits = kind.simpleString() in ("array<array<bigint>>", "array<array<int>>")
    elif name in INTEGERS:
        fits = isinstance(kind, T.IntegralType)
    else:
        fits = isinstance(kind, T.StringType)
        if isinstance(kind, T.TimestampType | T.TimestampNTZType | T.DateType):
            return column.cast("date").cast("string")
    if fits:
        return column.cast(wanted)
    empty = F.size(column) > 0 if isinstance(kind, T.ArrayType) else column.isNotNull()
    if frame.where(empty).limit(1).count():
        want = {"bigint": "whole numbers", "string": "text"}.get(wanted, "pairs of whole numbers")
        raise DataError(f"{path}: the column '{name}' holds {kind.simpleString()}; it must hold {want}")
    return F.lit(None).cast(wanted)  # a column of nothing but nulls has any type


def _condition(error: Any) -> str:
    from stance.streaming.spark.failures import explain

    return explain(str(error))
