"""A plan carried out. What enters is a plan; what leaves is tasks in a Label Studio project, one per example.

A push that died, or that ran beside another one, is made whole by planning and pushing again. After sending, what
another push sent meanwhile is found and removed (see `labeling.repeats`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from labeling.client import Studio, check_results
from labeling.failures import Interrupted
from labeling.interface import render
from labeling.plan import Plan
from labeling.projects import check_migration, create_project, differences, shorten
from labeling.repeats import is_stale, remove_repeats
from labeling.state import Project
from labeling.tasks import to_task
from stance.codebook import Codebook
from stance.errors import LabelingError
from stance.models.base import Progress
from stance.records import Example

SEND = 500  # tasks per request: about a second, so that progress moves and a kill costs little
OVERLAP = 2  # annotators per task, unless said otherwise
LETTERS = 2_000_000  # of text in a request, where sentences or contexts are very long
PATIENCE = 90.0  # seconds that we wait for a server that went away in the middle
TRIES = 3  # a server that fails on a request may do so for ever


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did. `repeated` counts tasks that were removed, because another one of the example stays; `twice`
    names the examples that stand there twice, because both have annotations."""

    project: Project
    sent: int
    there: int
    predicted: int
    repeated: int
    twice: tuple[str, ...]


def push(studio: Studio, plan: Plan, book: Codebook, progress: Progress = lambda _: None) -> Pushed:
    """Do what a plan says, and return what was done.

    A server that goes away in the middle is waited for. Raises LabelingError for a project that does not fit the
    codebook (`migrate` mends it where no annotation is invalidated), and for predictions that do not fit the interface.
    """
    interface = render(book, plan.wish.task)
    project = _prepare(studio, plan, interface)
    state = {"done": 0.0, "total": float(len(plan.send) + len(plan.predict))}
    progress(dict(state))
    for batch in divide(plan.send):
        rows = _tasks(batch, book, plan, interface)
        _send(studio, project, rows, book)
        state["done"] += len(batch)
        progress(dict(state))
    for start in range(0, len(plan.predict), SEND):
        part = plan.predict[start : start + SEND]
        _predict(studio, project, part, plan, book)
        state["done"] += len(part)
        progress(dict(state))
    if plan.models and plan.wanted and project.model_version != plan.version:
        _patiently(studio, lambda: studio.update_project(project.id, model_version=plan.version))
    repeated, twice = 0, tuple[str, ...]()
    if _may_repeat(plan, _patiently(studio, lambda: studio.project(project.id))):
        repeated, twice = _patiently(studio, lambda: remove_repeats(studio, project.id, plan.wanted, book.hash))
    predicted = (len(plan.send) if plan.models else 0) + len(plan.predict)
    done = _patiently(studio, lambda: studio.project(project.id))
    return Pushed(done, len(plan.send), plan.there, predicted, repeated, twice)


def divide(examples: Sequence[Example]) -> Iterator[list[Example]]:
    """Yield the examples in order, in batches that one request can take."""
    batch: list[Example] = []
    letters = 0
    for example in examples:
        size = len(example.text) + len(example.prev) + len(example.next)
        if batch and (len(batch) == SEND or letters + size > LETTERS):
            yield batch
            batch, letters = [], 0
        batch.append(example)
        letters += size
    if batch:
        yield batch


def _prepare(studio: Studio, plan: Plan, interface: str) -> Project:
    wish, project = plan.wish, plan.project
    settings: dict[str, Any] = {"show_collab_predictions": False} if wish.blind else {}
    if project is None:
        settings["maximum_annotations"] = wish.overlap or OVERLAP
        project = create_project(studio, wish.project, interface, settings)
        if found := differences(project.interface, interface):
            raise LabelingError(f"project '{wish.project}' was just created by somebody else: {shorten(found)}")
        return project
    if plan.differences:
        if not wish.migrate:
            raise LabelingError(
                f"project '{wish.project}' has another interface: {shorten(list(plan.differences))}; push to a new"
                " project, use the codebook that it was made with, or replace its interface with --migrate"
            )
        check_migration(studio, project, interface)
        settings["label_config"] = interface
    if wish.overlap not in (None, project.overlap):
        settings["maximum_annotations"] = wish.overlap
    return studio.update_project(project.id, **settings) if settings else project


def _may_repeat(plan: Plan, project: Project) -> bool:
    """Return whether somebody else sent tasks since the plan was made; listing those of a large project takes long."""
    before = plan.project.tasks if plan.project else 0  # counted before the plan's list was made
    return bool(plan.repeats or plan.renewed) or project.tasks != before + len(plan.send)


def _tasks(batch: Sequence[Example], book: Codebook, plan: Plan, interface: str) -> list[dict[str, Any]]:
    rows = [to_task(example, book, plan.wish.task) for example in batch]
    if plan.models:
        for row, prediction in zip(rows, _propose(rows, plan, interface), strict=True):
            row["predictions"] = [prediction]
    return rows


def _propose(rows: Sequence[Mapping[str, Any]], plan: Plan, interface: str) -> list[dict[str, Any]]:
    from labeling.backend import Task, answer

    proposed = answer([Task(data=row["data"]) for row in rows], plan.models)
    for row, problem in zip(rows, check_results(interface, [each["result"] for each in proposed]), strict=True):
        if problem:
            raise LabelingError(f"example {row['data']['example_id']}: {plan.version} does not fit: {problem}")
    return proposed


def _send(studio: Studio, project: Project, rows: list[dict[str, Any]], book: Codebook) -> None:
    for left in reversed(range(TRIES)):
        try:
            studio.import_tasks(project.id, rows)
            return
        except Interrupted as lost:
            if not left:
                raise
            # All of them are stored, or none: only the server can tell.
            _await_server(studio, lost)
            names = [row["data"]["example_id"] for row in rows]
            there = {s.example_id for s in studio.existing(project.id, names) if not is_stale(s, book.hash)}
            rows = [row for row in rows if row["data"]["example_id"] not in there]
            if not rows:
                return


def _predict(studio: Studio, project: Project, part: Sequence[tuple[int, Example]], plan: Plan, book: Codebook) -> None:
    rows = [to_task(example, book, plan.wish.task) for _, example in part]
    proposed = _propose(rows, plan, render(book, plan.wish.task))
    waiting = {task_id: {"task": task_id, **one} for (task_id, _), one in zip(part, proposed, strict=True)}
    for left in reversed(range(TRIES)):
        try:
            studio.import_predictions(project.id, list(waiting.values()))
            return
        except Interrupted as lost:
            if not left:
                raise
            _await_server(studio, lost)
            for done in studio.predicted_ids(project.id, [example.id for _, example in part], plan.version):
                waiting.pop(done, None)
            if not waiting:
                return


def _patiently(studio: Studio, do: Callable[[], T]) -> T:
    """Return what `do` returns, which may as well be done twice; SQLite is now and then locked by somebody else."""
    for _ in range(TRIES - 1):
        try:
            return do()
        except Interrupted as lost:
            _await_server(studio, lost)
    return do()


def _await_server(studio: Studio, lost: Interrupted) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            studio.version()
            return
        except Interrupted:
            time.sleep(1)
    raise lost
