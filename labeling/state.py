"""What a Label Studio server has, as plain records: users, projects, tasks. Read by `labeling.client`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with an account. `permissions` are Label Studio's names, such as `projects.create`."""

    id: int
    email: str
    name: str = ""
    permissions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """A project as the server has it. `annotations` does not count `skipped` ones; `model_version` is what is shown."""

    id: int
    title: str
    interface: str
    description: str = ""
    model_version: str = ""
    overlap: int = 1
    shows_predictions: bool = True
    tasks: int = 0
    annotations: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class Backend:
    """An ML backend of a project, by its id: the title that it was given and the address that the server calls."""

    id: int
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class TaskState:
    """A task that is there: its id and data, and how many annotations (skipped ones too) and predictions it has."""

    id: int
    data: Row
    annotations: int = 0
    predictions: int = 0

    @property
    def example_id(self) -> str:
        """The example's content hash; empty for a task that the kit did not make."""
        return str(self.data.get("example_id") or "")


def name_of(user: Any) -> str:
    """Return the first and last name of the SDK's user."""
    return f"{user.first_name or ''} {user.last_name or ''}".strip()


def read_project(found: Any) -> Project:
    """Return the record of the SDK's project."""
    return Project(
        id=int(found.id),
        title=str(found.title),
        interface=found.label_config or "",
        description=found.description or "",
        model_version=found.model_version or "",
        overlap=found.maximum_annotations or 1,
        shows_predictions=bool(found.show_collab_predictions),
        tasks=found.task_number or 0,
        annotations=found.total_annotations_number or 0,
        skipped=found.skipped_annotations_number or 0,
    )
