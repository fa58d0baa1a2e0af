"""One task per example. What enters is the tasks that a project has; what leaves is which one stays.

Label Studio has no unique key on a task, so two pushes at once can both send an example. Of the tasks of one example
that with an annotation stays, else that made from the present codebook, else the oldest: whoever looks decides alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from labeling.client import Studio
from labeling.state import TaskState


def choose_tasks(states: Iterable[TaskState], codebook: str) -> tuple[dict[str, TaskState], list[TaskState]]:
    """Return the task that stays, by example id, and all others. `codebook` is the present one's hash."""
    kept: dict[str, TaskState] = {}
    extra = []
    for state in sorted(states, key=lambda s: (not s.annotations, is_stale(s, codebook), s.id)):
        if kept.setdefault(state.example_id, state) is not state:
            extra.append(state)
    return kept, extra


def remove_repeats(
    studio: Studio, project_id: int, example_ids: Sequence[str], codebook: str
) -> tuple[int, tuple[str, ...]]:
    """Delete all but one task of each example; return how many, and the examples whose repeat has an annotation.

    No annotation is ever deleted: the server spares a task that got one since we looked.
    """
    _, extra = choose_tasks(studio.existing(project_id, example_ids), codebook)
    removable = [state.id for state in extra if not state.annotations]
    studio.delete_tasks(project_id, removable)
    return len(removable), tuple(sorted({state.example_id for state in extra if state.annotations}))


def is_stale(state: TaskState, codebook: str) -> bool:
    """Return whether a task was made from another codebook, and nobody has annotated it."""
    return not state.annotations and state.data.get("codebook") != codebook
