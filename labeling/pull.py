"""Annotations out of a Label Studio project. What enters is a project; what leaves is a file of annotations.

Only what changed since the last pull is asked for. Nothing is ever lost: a record that was changed or deleted on the
server goes to the file's history before it leaves the file, and the server is only read.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from labeling.annotations import Annotation, read_annotations, write_annotations
from labeling.client import Studio
from labeling.cursor import Cursor, cursor_path, digest_of, read_cursor, safe_start, utc, write_cursor
from labeling.interface import codebook_hash
from labeling.state import Project
from labeling.tasks import from_result, from_task
from stance.codebook import Codebook
from stance.dataset.files import replacing
from stance.errors import CodebookError, DataError, LabelingError
from stance.models.base import Progress


@dataclass(frozen=True, slots=True)
class Pulled:
    """What a pull found: all annotations of the file by rising id, and the ids of those that came, changed or went.

    `unreadable` says which tasks have annotations that the kit cannot read, and why. `full` is True if everything was
    asked for and not only what changed.
    """

    annotations: tuple[Annotation, ...]
    new: tuple[int, ...]
    changed: tuple[int, ...]
    deleted: tuple[int, ...]
    unreadable: tuple[str, ...]
    full: bool


@dataclass(frozen=True, slots=True)
class _Found:
    """What a listing says: records by annotation id, the task of each annotation, which tasks were seen, why which of
    them cannot be read, and the latest change."""

    records: dict[int, Annotation]
    tasks: dict[int, int]
    seen: frozenset[int]
    unreadable: dict[int, str]
    latest: str


def history_path(path: Path) -> Path:
    """Return where earlier versions of a file's annotations are kept, one JSON object a line.

    >>> str(history_path(Path("labels.jsonl")))
    'labels.history.jsonl'
    """
    return path.with_name(f"{path.stem}.history{path.suffix}")


def pull(studio: Studio, title: str, path: Path, book: Codebook, progress: Progress = lambda _: None) -> Pulled:
    """Bring a file of annotations up to date with a project, and return what is in it now.

    Raises LabelingError if the project is not there or the file belongs to another one, DataError for a file that is
    no file of annotations. The file is replaced whole or stays as it was.
    """
    project = studio.find_project(title)
    old, cursor = _read_state(path, studio, project)
    began = time.monotonic()
    tasks = _list(studio, project, cursor.since)
    found = _collect(_counted(tasks, project, progress), project, book, _emails(studio))
    where = cursor.tasks | found.tasks
    untouched = {one for one in old if one in cursor.tasks and cursor.tasks[one] not in found.seen}
    untouched |= {one for one in old if found.tasks.get(one) in found.unreadable}
    merged = {one: old[one] for one in untouched}
    merged |= {one: _settle(old.get(one), record, cursor) for one, record in found.records.items()}
    merged = _without_lost(studio, project, merged, where)
    latest = max(safe_start(found.latest, time.monotonic() - began), cursor.since)
    result = _compare(old, merged, tuple(found.unreadable.values()), full=not cursor.since)
    _write(path, result, old, replace(cursor, since=latest, tasks={one: where[one] for one in merged}))
    return result


def _read_state(path: Path, studio: Studio, project: Project) -> tuple[dict[int, Annotation], Cursor]:
    fresh = Cursor(studio.url, project.id, project.title)
    cursor, digest = read_cursor(path), digest_of(path)
    old = {record.id: record for record in read_annotations(path)} if digest else {}
    if cursor is None or not digest:
        return old, fresh
    if (cursor.url, cursor.project) != (fresh.url, fresh.project):
        raise LabelingError(
            f"{path} holds annotations of '{cursor.title}' (project {cursor.project} at {cursor.url}), not of"
            f" '{project.title}' (project {project.id} at {studio.url}); give another file, or, if the server moved,"
            f" delete {cursor_path(path)}"
        )
    # A file that was changed by hand may lack what the cursor says is in it.
    return old, replace(cursor, title=project.title) if cursor.digest == digest else fresh


def _list(studio: Studio, project: Project, since: str) -> Iterator[dict[str, Any]]:
    if since:
        yield from studio.changed_tasks(project.id, since)
    else:
        yield from studio.annotated_tasks(project.id)
        yield from studio.skipped_tasks(project.id)


def _counted(tasks: Iterable[dict[str, Any]], project: Project, progress: Progress) -> Iterator[dict[str, Any]]:
    for done, task in enumerate(tasks, 1):
        yield task
        progress({"done": float(done), "total": float(max(done, project.annotations + project.skipped))})


def _emails(studio: Studio) -> dict[int, str]:
    return {user.id: user.email for user in studio.users().values()}


def _collect(tasks: Iterable[dict[str, Any]], project: Project, book: Codebook, emails: Mapping[int, str]) -> _Found:
    records: dict[int, Annotation] = {}
    where: dict[int, int] = {}
    unreadable: dict[int, str] = {}
    seen: set[int] = set()
    latest = ""
    for task in tasks:
        seen.add(task["id"])
        latest = max(latest, utc(task.get("updated_at")))
        annotations = task.get("annotations") or ()
        where |= {int(one["id"]): task["id"] for one in annotations}
        try:
            own = [_record(one, task, book, emails) for one in annotations]
        except DataError as error:
            unreadable[task["id"]] = f"task {task['id']}: {error}"
            continue
        seeing = codebook_hash(project.interface) or task["data"].get("codebook") or ""
        records |= {record.id: replace(record, codebook=seeing) for record in own}
    return _Found(records, where, frozenset(seen), unreadable, latest)


def _record(one: Mapping[str, Any], task: Mapping[str, Any], book: Codebook, emails: Mapping[int, str]) -> Annotation:
    data, result = task["data"], one.get("result") or []
    example = from_task(data)
    if (name := data.get("task")) not in book.tasks:
        raise CodebookError(
            f"task {task['id']} asks for '{name}', which codebook '{book.name}' lacks; give the project's own one"
        )
    answer = from_result(result, book, name)
    skipped = bool(one.get("was_cancelled"))
    if skipped:  # Label Studio keeps what a model had filled in before the annotator skipped
        answer = answer._replace(labels=dict.fromkeys(answer.labels), problems=())
    versions = {each["id"]: each.get("model_version") for each in task.get("predictions") or ()}
    who = one.get("completed_by")
    return Annotation(
        id=int(one["id"]),
        example=example,
        annotator=emails.get(who, f"user {who}") if who is not None else "",
        labels=answer.labels,
        skipped=skipped,
        flags=answer.flags,
        comment=answer.comment,
        lead_time=one.get("lead_time"),
        created_at=utc(one.get("created_at")),
        updated_at=utc(one.get("updated_at")),
        prediction=versions.get(one.get("parent_prediction")),
        problems=answer.problems,
        raw=tuple(result),
    )


def _settle(old: Annotation | None, new: Annotation, cursor: Cursor) -> Annotation:
    """Return the record to keep: the old one where the answer is still the same, with a name that is still known."""
    if old is not None and cursor.since and old.updated_at == new.updated_at:
        return old
    if new.annotator:
        return new
    # Two deleted annotators must not look like one who answered twice.
    return replace(new, annotator=old.annotator if old is not None else f"deleted user of annotation {new.id}")


def _without_lost(
    studio: Studio, project: Project, records: dict[int, Annotation], tasks: Mapping[int, int]
) -> dict[int, Annotation]:
    """Leave out the annotations of tasks that were deleted whole, which no listing of changes shows."""
    now = studio.project(project.id)
    if len(records) == now.annotations + now.skipped:
        return records
    there = studio.annotated_ids(project.id)
    return {one: record for one, record in records.items() if tasks[one] in there}


def _compare(
    old: Mapping[int, Annotation], new: Mapping[int, Annotation], unreadable: tuple[str, ...], full: bool
) -> Pulled:
    changed = [one for one in old if one in new and old[one].to_row() != new[one].to_row()]
    return Pulled(
        annotations=tuple(new[one] for one in sorted(new)),
        new=tuple(sorted(new.keys() - old.keys())),
        changed=tuple(sorted(changed)),
        deleted=tuple(sorted(old.keys() - new.keys())),
        unreadable=unreadable,
        full=full,
    )


def _write(path: Path, result: Pulled, old: Mapping[int, Annotation], cursor: Cursor) -> None:
    # In this order: killed between two steps, the next pull finds everything that it needs.
    _keep(history_path(path), [("changed", old[one]) for one in result.changed])
    _keep(history_path(path), [("deleted", old[one]) for one in result.deleted])
    if result.new or result.changed or result.deleted or not path.exists():
        write_annotations(result.annotations, path)
    write_cursor(replace(cursor, digest=digest_of(path)), path)


def _keep(history: Path, gone: Iterable[tuple[str, Annotation]]) -> None:
    lines = history.read_bytes().splitlines(keepends=True) if history.exists() else []
    known = {(row["change"], row["id"], row["updated_at"]) for row in map(json.loads, lines)}
    noticed = utc(datetime.now(UTC).isoformat())
    new = [
        json.dumps({"change": change, "noticed_at": noticed, **record.to_row()}, ensure_ascii=False) + "\n"
        for change, record in gone
        if (change, record.id, record.updated_at) not in known
    ]
    if new:
        with replacing(history) as temporary:
            temporary.write_bytes(b"".join(lines) + "".join(new).encode("utf-8"))
