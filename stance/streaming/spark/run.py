"""The line through a job on Spark. Folders of examples enter; one of predictions leaves, complete or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from stance.errors import DataError
from stance.models.answers import per_actor
from stance.models.classifier import Classifier
from stance.predict import check_together
from stance.streaming.run import Reports
from stance.streaming.spark.rows import (
    check_paths,
    find_unusable,
    is_remote,
    predicted,
    read_sentences,
    spark_path,
)
from stance.streaming.spark.session import open_session
from stance.streaming.spark.watching import watched

NAMED: Final = 20  # unusable rows that are named; the others are counted
SUCCESS: Final = "_SUCCESS"


@dataclass(frozen=True)
class SparkJob:
    """What to predict: folders or files of Parquet, by bundles' folders, into a new folder.

    Paths without a scheme are on this machine or on a file system that all workers share. `ready` takes any table with
    a `text` for examples. `sure` and `strict` as on one machine; `master` as in `open_session`.
    """

    paths: Sequence[str]
    bundles: Sequence[Path]
    output: str
    master: str | None = None
    sure: float | None = None
    strict: bool = False
    ready: bool = False


@dataclass(frozen=True)
class Scored:
    """Examples read and skipped (a row is written for each that was read), and with `sure` per task how many answers
    were asked for and how many were left out."""

    read: int
    skipped: int
    asked: dict[str, int]
    unsure: dict[str, int]


def predict_on_spark(job: SparkJob, reports: Reports) -> Scored:
    """Write the predictions of examples into a new folder of Parquet; `_SUCCESS` in it says that it is complete.

    The rows are those that `predict_stream` writes of the same files, in any order. A worker that dies costs the tasks
    that it had at work, which others do again: no row is lost or doubled. Raises DataError for input of which nothing
    can be used, for an unusable row if `job.strict` and for an output that is there; EngineError where Spark fails.
    """
    classifiers = [Classifier.load(bundle) for bundle in job.bundles]
    check_together(classifiers)
    for classifier in classifiers if job.sure is not None else ():
        classifier.calibration.bars.at(job.sure or 0.0)
    check_paths(job.paths)
    _check_new(job.output)
    with tempfile.TemporaryDirectory() as folder, open_session(job.master) as session:
        output = _Output(session.spark, job.output)
        output.check_absent()
        frame = read_sentences(session.spark, job.paths, job.ready)
        read = frame.count()
        if not read:
            raise _nothing_read(job)
        if job.strict:
            for one in find_unusable(frame, 1):
                raise DataError(f"{one.where}: {one.reason}")
        from stance.tracking.spark import make_row_function

        function = make_row_function(session.spark, job.bundles, Path(folder), job.sure)
        table = predicted(frame, classifiers, function, job.sure is not None)
        with reports.bar("scoring") as progress, watched(session.spark, progress, reports.note):
            output.write(table)
        rows = session.spark.read.parquet(output.path).count()
        if read > rows:
            _report_unusable(frame, read - rows, reports)
        if not rows:
            output.remove()
            raise _nothing_read(job)
        asked, unsure = _count_unsure(session.spark.read.parquet(output.path), classifiers, job.sure)
    return Scored(rows, read - rows, asked, unsure)


class _Output:
    """The folder that is to appear, on whatever file system it is."""

    def __init__(self, spark: Any, output: str) -> None:
        self.name = output
        self.path = spark_path(output)
        self._java = spark._jvm.org.apache.hadoop.fs.Path(self.path)
        self._files = self._java.getFileSystem(spark._jsc.hadoopConfiguration())

    def check_absent(self) -> None:
        if self._files.exists(self._java):
            raise _exists(self.name, self._files.exists(self._java.suffix(f"/{SUCCESS}")))

    def write(self, table: Any) -> None:
        """Spark's committer puts the finished tasks' files in place when all are done, and `_SUCCESS` last."""
        try:
            table.write.mode("error").option("compression", "zstd").parquet(self.path)
        except BaseException:
            with suppress(Exception):
                self._files.delete(self._java, False)  # only if empty: the committer has taken away what was ours
            raise

    def remove(self) -> None:
        self._files.delete(self._java, True)


def _check_new(output: str) -> None:
    """Before Spark starts, where that can be told."""
    place = Path(output).expanduser()
    if is_remote(output):
        return
    if place.exists():
        raise _exists(output, not place.is_dir() or (place / SUCCESS).exists())
    if not place.resolve().parent.is_dir():
        raise DataError(f"{output}: cannot be written: no such folder {place.resolve().parent}; make it first")


def _exists(output: str, complete: bool) -> DataError:
    if complete:
        return DataError(f"{output}: is there already, and nothing is overwritten; give another -o, or remove it")
    return DataError(f"{output}: is there already, without {SUCCESS}: a job at work or stopped; wait, or remove it")


def _nothing_read(job: SparkJob) -> DataError:
    return DataError(f"{job.paths[0]}: no example could be read; give what `stance ingest … -o examples.parquet` wrote")


def _report_unusable(frame: Any, count: int, reports: Reports) -> None:
    found = find_unusable(frame, NAMED)
    for one in found:
        reports.skip(one)
    if count > len(found):
        reports.note(f"and {count - len(found)} more were skipped")


def _count_unsure(
    table: Any, classifiers: Sequence[Classifier], sure: float | None
) -> tuple[dict[str, int], dict[str, int]]:
    """Per task the answers asked for and left out, a sentence's counted once for a task coded per sentence."""
    from pyspark.sql import functions as F  # noqa: N812

    asked, unsure = dict[str, int](), dict[str, int]()
    for classifier in classifiers if sure is not None else ():
        name = f"`{classifier.task}.sure`"
        rows = table.where(f"{name} IS NOT NULL")
        if not per_actor([classifier]):
            rows = rows.dropDuplicates(["doc_id", "index", "text"])
        counts = rows.agg(F.count("*").alias("asked"), F.count_if(~F.col(name)).alias("unsure")).first()
        asked[classifier.task], unsure[classifier.task] = counts["asked"], counts["unsure"]
    return asked, unsure
