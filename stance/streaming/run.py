"""The line through a stream. A job enters; its output file leaves, and what there is to say about it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from stance.corpus.articles import SkippedInput, odd_date
from stance.corpus.ingest import examples_of
from stance.dataset.files import replacing
from stance.errors import DataError
from stance.models.answers import per_actor
from stance.models.base import Progress
from stance.models.classifier import Classifier
from stance.predict import check_together, sentences_alone, tabulate
from stance.records import Article, Example
from stance.streaming.clusters import find_clusters, set_clusters
from stance.streaming.outputs import check_ending, table_schema, to_table, write_tables
from stance.streaming.part import Part, State, open_part
from stance.streaming.sources import Source
from stance.version import __version__

if TYPE_CHECKING:
    import pandas as pd

BATCH: Final = 4096  # rows: half a second of a fast model, half a minute of a slow one
_MOST_READ: Final = 1 << 15  # records between two checkpoints where few of them give a row


@dataclass(frozen=True)
class Job:
    """What to predict. `clusters` (articles only) finds near-duplicates after scoring; without, that column is null."""

    source: Source
    classifiers: Sequence[Classifier]
    output: Path
    sure: float | None = None
    strict: bool = False
    clusters: bool = True
    batch: int = BATCH


class Reports(NamedTuple):
    """Whom to tell: of a record skipped, of a word to the user, and, for each step by name, how far it is."""

    skip: Callable[[SkippedInput], None]
    note: Callable[[str], None]
    bar: Callable[[str], AbstractContextManager[Progress]]


@dataclass
class Outcome:
    """Rows written, records read, skipped, and read without their date (by earlier runs of the job too), rows found
    done, and with `sure` per task how many answers were asked for and how many were left out."""

    rows: int
    read: int
    skipped: int
    undated: int
    resumed: int
    asked: dict[str, int]
    unsure: dict[str, int]


def predict_stream(job: Job, reports: Reports) -> Outcome:
    """Write the predictions of a source to `job.output` (.parquet, .jsonl or .csv), holding one batch in memory.

    Articles give the rows of `predict_articles`, in the same order, repeated articles left out; examples give one row
    each. The output appears when it is complete; until then what is done is kept beside it, and the same job goes on
    from there (for models that come from a bundle). Raises DataError for input of which nothing can be used, for the
    first unusable row if `job.strict`, and for an output that cannot be written.
    """
    check_together(job.classifiers)
    check_ending(job.output)
    if job.output.is_dir():
        raise DataError(f"{job.output}: is a folder; give a file")
    with open_part(job.output, _made_of(job)) as part:
        resumed = part.state.rows
        if part.reason:
            reports.note(f"starting anew: {part.reason}")
        elif resumed:
            reports.note(f"going on after {resumed} rows that a stopped run of the same job left")
        schema = table_schema(job.classifiers, job.sure)
        if not part.state.complete:
            _score(job, part, schema, reports)
        outcome = _finish(job, part, schema, reports)
        part.discard()
    return replace(outcome, resumed=resumed)


def predict_examples(
    source: Source,
    classifiers: Sequence[Classifier],
    skip: Callable[[SkippedInput], None],
    *,
    sure: float | None = None,
    strict: bool = False,
) -> pd.DataFrame:
    """Return the rows that `predict_stream` would write of a source of examples, at once, in memory."""
    check_together(classifiers)
    rows: list[Example] = []
    for item in source.read(strict=strict):
        if isinstance(item.record, Example):
            rows.append(item.record)
        elif isinstance(item.record, SkippedInput):
            skip(item.record)
    if not rows:
        raise _nothing_read(source)
    return _tabulate(rows, classifiers, sure)


def _nothing_read(source: Source) -> DataError:
    return DataError(f"{source.paths[0]}: no example could be read; say --as articles if it holds articles")


def _tabulate(rows: Sequence[Example], classifiers: Sequence[Classifier], sure: float | None) -> pd.DataFrame:
    frame = tabulate(rows, classifiers, sure)
    frame["cluster"] = frame["cluster"].where(frame["cluster"] != "", None)
    return frame


def _made_of(job: Job) -> dict[str, str]:
    """A model that comes from no bundle has nothing to be known by again: it never resumes."""
    manifests = [one.manifest.model_dump_json() if one.manifest else uuid.uuid4().hex for one in job.classifiers]
    clusters = job.clusters and job.source.kind == "articles"
    return {
        "input": job.source.fingerprint,
        "models": hashlib.sha256("\0".join(manifests).encode()).hexdigest(),
        "settings": f"kit {__version__}, sure {job.sure}, clusters {clusters}",
    }


def _score(job: Job, part: Part, schema: Any, reports: Reports) -> None:
    seen = _seen(part) if job.source.kind == "articles" else set()
    rows: list[Example] = []
    state, before = part.state, None if part.state.read else 0.0
    total = float(job.source.bytes)
    with reports.bar("scoring") as progress:
        for item in job.source.read(state.place, job.strict):
            before = item.done if before is None else before
            state = replace(state, place=item.next)
            if isinstance(item.record, SkippedInput):
                reports.skip(item.record)
                state = replace(state, skipped=state.skipped + 1)
            else:
                rows += _rows(item.record, job, seen)
                state = replace(state, read=state.read + 1)
                if isinstance(item.record, Article) and item.record.odd_date:
                    reports.note(f"without a date: {odd_date(item.record)}")
                    state = replace(state, undated=state.undated + 1)
            if len(rows) >= job.batch or state.read + state.skipped - part.state.read - part.state.skipped > _MOST_READ:
                _append(job, part, schema, rows, state)
                rows, state = [], part.state
                progress({"done": item.done - before, "total": total - before})
        if not state.read:
            raise _nothing_read(job.source)
        _append(job, part, schema, rows, replace(state, complete=True))


def _append(job: Job, part: Part, schema: Any, rows: list[Example], state: State) -> None:
    part.append(to_table(_tabulate(rows, job.classifiers, job.sure), schema), state)


def _rows(record: Article | Example, job: Job, seen: set[bytes]) -> Iterable[Example]:
    if isinstance(record, Example):
        return [record]
    name = bytes.fromhex(record.doc_id)
    if name in seen:
        return []
    seen.add(name)
    found: Iterator[Example] = examples_of(record, job.classifiers[0].codebook)
    return found if per_actor(job.classifiers) else sentences_alone(found)


def _seen(part: Part) -> set[bytes]:
    """Return the ids of the articles that have rows; those that have none may come again, and give none again."""
    return {bytes.fromhex(name) for table in part.tables() for name in table["doc_id"].unique().to_pylist()}


def _finish(job: Job, part: Part, schema: Any, reports: Reports) -> Outcome:
    total = float(part.state.rows)
    outcome = Outcome(part.state.rows, part.state.read, part.state.skipped, part.state.undated, 0, {}, {})
    tables = part.tables()
    if job.clusters and job.source.kind == "articles":
        with reports.bar("clusters") as progress:
            names = find_clusters(part.tables(), job.output, lambda n: progress({"done": float(n), "total": total}))
        tables = set_clusters(part.tables(), names)
    with reports.bar("writing") as progress, replacing(job.output) as temporary:
        write_tables(_counted(tables, job, outcome, progress), schema, temporary, job.output.suffix)
    return outcome


def _counted(tables: Iterable[Any], job: Job, outcome: Outcome, progress: Progress) -> Iterator[Any]:
    done, last = 0, None
    for table in tables:
        if job.sure is not None:
            places = list(zip(*(table[name].to_pylist() for name in ("doc_id", "index", "text")), strict=True))
            new = [here != before for before, here in zip([last, *places[:-1]], places, strict=True)]
            last = places[-1]
            for one in job.classifiers:
                column = table[f"{one.task}.sure"].to_pylist()
                own = [v for v, first in zip(column, new, strict=True) if v is not None and (first or per_actor([one]))]
                outcome.asked[one.task] = outcome.asked.get(one.task, 0) + len(own)
                outcome.unsure[one.task] = outcome.unsure.get(one.task, 0) + own.count(False)
        done += table.num_rows
        progress({"done": float(done), "total": float(outcome.rows)})
        yield table
