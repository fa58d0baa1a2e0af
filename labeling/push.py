"""Examples into a Label Studio project. What enters is examples; what leaves is tasks there, one per example.

What is there is asked by example id, never remembered: a push that died, or that ran beside another one, is made whole
by running it again. After sending, what another push sent meanwhile is found and removed (see `labeling.repeats`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from labeling.client import Studio, check_results
from labeling.failures import Interrupted
from labeling.interface import render
from labeling.live import Live, LiveModels
from labeling.projects import check_migration, create_project, differences, find_project, shorten
from labeling.repeats import choose_tasks, is_stale, remove_repeats
from labeling.state import Project
from labeling.tasks import to_task
from stance.codebook import Codebook
from stance.errors import LabelingError
from stance.models.base import Progress
from stance.records import Example

SEND = 500  # tasks per request: about a second, so that progress moves and a kill costs little
OVERLAP = 2  # annotators per task, unless said otherwise
PATIENCE = 90.0  # seconds that we wait for a server that went away in the middle


@dataclass(frozen=True, slots=True)
class Wish:
    """What to push where. `overlap` None and `blind` False leave a project that exists as it is.

    `models` are addresses, one per task of the interface. `migrate` lets the project's interface be replaced.
    """

    project: str
    task: str = "stance"
    overlap: int | None = None
    blind: bool = False
    migrate: bool = False
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What a push will do, `project` None standing for one that it will create.

    `differences` says how the project's interface differs: a push then needs `migrate`. Of the examples in `wanted`
    (ids), `send` are sent, `renewed` of them in the place of a task from another codebook; `there` are there and stay,
    `repeats` of them more than once. `predict` are tasks (by id) that only lack the prediction.
    """

    wish: Wish
    wanted: tuple[str, ...] = field(repr=False)
    send: tuple[Example, ...] = field(repr=False)
    project: Project | None = None
    differences: tuple[str, ...] = ()
    there: int = 0
    renewed: int = 0
    repeats: int = 0
    predict: tuple[tuple[int, Example], ...] = field(repr=False, default=())
    models: tuple[Live, ...] = field(repr=False, default=())

    @property
    def version(self) -> str:
        """The version that predictions carry; empty without a model."""
        from labeling.backend import version_of

        return version_of(self.models)


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


def plan_push(studio: Studio, examples: Iterable[Example], book: Codebook, wish: Wish) -> Plan:
    """Return what has to be done, and change nothing.

    Raises LabelingError for a title that several projects have, DataError for an example that the task cannot show,
    CodebookError for an unknown task, and for models what `stance.load` raises.
    """
    models = LiveModels(wish.models).all()
    interface = render(book, wish.task)
    if models:
        from labeling.backend import check_interface

        check_interface(interface, models)
    wanted = {example.id: example for example in examples}
    for example in wanted.values():
        to_task(example, book, wish.task)  # before anything is sent
    plan = Plan(wish, tuple(wanted), tuple(wanted.values()), models=models)
    project = find_project(studio, wish.project)
    if project is None:
        return plan
    kept, extra = choose_tasks(studio.existing(project.id, wanted), book.hash)
    stale = {state.example_id for state in kept.values() if is_stale(state, book.hash)}
    send = tuple(example for name, example in wanted.items() if name not in kept or name in stale)
    plan = replace(
        plan,
        project=project,
        differences=tuple(differences(project.interface, interface)),
        send=send,
        there=len(kept) - len(stale),
        renewed=len(stale),
        repeats=len(extra),
    )
    if not models:
        return plan
    has = studio.predicted_ids(project.id, wanted, plan.version)
    lacking = [(state.id, wanted[name]) for name, state in kept.items() if name not in stale and state.id not in has]
    return replace(plan, predict=tuple(lacking))


def push(studio: Studio, plan: Plan, book: Codebook, progress: Progress = lambda _: None) -> Pushed:
    """Do what a plan says, and return what was done.

    A server that goes away in the middle is waited for. Raises LabelingError for a project that does not fit the
    codebook (`migrate` mends it where no annotation is invalidated), and for predictions that do not fit the interface.
    """
    interface = render(book, plan.wish.task)
    project = _prepare(studio, plan, interface)
    state = {"done": 0.0, "total": float(len(plan.send) + len(plan.predict))}
    progress(dict(state))
    for start in range(0, len(plan.send), SEND):
        batch = plan.send[start : start + SEND]
        rows = _tasks(batch, book, plan, interface)
        _send(studio, project, rows, book)
        state["done"] += len(batch)
        progress(dict(state))
    for start in range(0, len(plan.predict), SEND):
        part = plan.predict[start : start + SEND]
        _predict(studio, project, part, plan, book)
        state["done"] += len(part)
        progress(dict(state))
    if plan.models and (plan.send or plan.predict) and project.model_version != plan.version:
        studio.update_project(project.id, model_version=plan.version)
    repeated, twice = 0, tuple[str, ...]()
    if plan.send or plan.repeats:
        repeated, twice = remove_repeats(studio, project.id, plan.wanted, book.hash)
    predicted = (len(plan.send) if plan.models else 0) + len(plan.predict)
    return Pushed(studio.project(project.id), len(plan.send), plan.there, predicted, repeated, twice)


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
    deadline = time.monotonic() + PATIENCE
    while rows:
        try:
            studio.import_tasks(project.id, rows)
            return
        except Interrupted as lost:
            # All of them are stored, or none: only the server can tell.
            _await_server(studio, deadline, lost)
            names = [row["data"]["example_id"] for row in rows]
            there = {s.example_id for s in studio.existing(project.id, names) if not is_stale(s, book.hash)}
            rows = [row for row in rows if row["data"]["example_id"] not in there]


def _predict(studio: Studio, project: Project, part: Sequence[tuple[int, Example]], plan: Plan, book: Codebook) -> None:
    rows = [to_task(example, book, plan.wish.task) for _, example in part]
    proposed = _propose(rows, plan, render(book, plan.wish.task))
    waiting = {task_id: {"task": task_id, **one} for (task_id, _), one in zip(part, proposed, strict=True)}
    deadline = time.monotonic() + PATIENCE
    while waiting:
        try:
            studio.import_predictions(project.id, list(waiting.values()))
            return
        except Interrupted as lost:
            _await_server(studio, deadline, lost)
            for done in studio.predicted_ids(project.id, [example.id for _, example in part], plan.version):
                waiting.pop(done, None)


def _await_server(studio: Studio, deadline: float, lost: Interrupted) -> None:
    while time.monotonic() < deadline:
        try:
            studio.version()
            return
        except Interrupted:
            time.sleep(1)
    raise lost
