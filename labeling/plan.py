"""What a push has to do. Examples and a project's title enter; a plan leaves, and nothing has changed.

One task per unit of the codebook's task: a sentence seen from an actor, or a sentence. What is there is asked by
example id, never remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from labeling.answers import unit_of
from labeling.client import Studio
from labeling.interface import render
from labeling.live import Live, LiveModels
from labeling.projects import differences, find_project
from labeling.repeats import choose_tasks, is_stale
from labeling.state import Project
from labeling.tasks import to_task
from stance.codebook import Codebook
from stance.records import Example


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
    wanted = {unit.id: unit for unit in (unit_of(example, book.task(wish.task).unit) for example in examples)}
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
